"""
The outside world of the demo: mock agencies and sign-on, each a separate process on a free port.

They are started as programs and never imported: the hub knows of them what it knows of real agencies, an address.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from gateway.settings import Settings

AGENCIES = ("public_security", "human_resources", "market_regulation")
SIGN_ON = "sign_on"
AGENCIES_TEMPLATE = Path(__file__).parent / "agencies.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where the agencies and the sign-on server are."""

    addresses: dict[str, str]
    issuer: str

    def token(self, **who: str) -> str:
        """An access token of the demo's sign-on server, for `user=` or `client=`."""
        answer = httpx.post(f"{self.issuer}/_control/token", json=who, trust_env=False)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def fault(self, agency: str, name: str, *, operation: str | None = None, times: int | None = None) -> None:
        """Scripts a fault of one agency."""
        body = {"fault": name, "operation": operation, "times": times}
        httpx.post(f"{self.addresses[agency]}/_control/faults", json=body, trust_env=False).raise_for_status()

    def heal(self, agency: str) -> None:
        """Ends every scripted fault of one agency."""
        httpx.delete(f"{self.addresses[agency]}/_control/faults", trust_env=False).raise_for_status()


@contextmanager
def started() -> Iterator[World]:
    """
    Starts every server; stops them all at the end, also when this process dies (their stdin closes).
    """
    with ExitStack() as stack:
        running = [stack.enter_context(_process(name)) for name in (*AGENCIES, SIGN_ON)]
        addresses = dict(_announced(process) for process in running)
        issuer = addresses.pop(SIGN_ON)
        yield World(addresses=addresses, issuer=issuer)


def cast() -> dict[str, Any]:
    """The demo's synthetic people and organizations by the name of what is special about them."""
    answer: dict[str, Any] = json.loads(_program("cast", "--json"))
    return answer


def settings_of(world: World, folder: Path, *, template: Path = AGENCIES_TEMPLATE, **changes: Any) -> Settings:
    """
    Settings of a hub that lives in this world; writes the agencies of a template with their addresses, and their
    credentials, into its folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    agencies = folder / "agencies.toml"
    agencies.write_text(_addressed(template.read_text(encoding="utf-8"), world.addresses), encoding="utf-8")
    credentials = folder / "credentials.toml"
    descriptor = os.open(credentials, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_program("credentials"))
    values: dict[str, Any] = {
        "folder": folder,
        "agencies": agencies,
        "credentials": credentials,
        "sign_on_issuer": world.issuer,
        "origin": "demo.shuniu.example/audit/1",
        "port": 0,
    }
    return Settings(**(values | changes))


def _addressed(template: str, addresses: dict[str, str]) -> str:
    # The template's own addresses lead nowhere; each is replaced where it stands, comments and all else stay.
    for agency, facts in tomllib.loads(template).items():
        template = template.replace(f'"{facts["address"]}"', f'"{addresses[agency]}"')
    return template


@cache
def _program(*arguments: str) -> str:
    # Whoever lives there and what opens their doors is the same at every call.
    command = [sys.executable, "-m", "mock_agencies", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - our own program


@contextmanager
def _process(name: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "mock_agencies", "serve", name, "--port", "0", "--until-stdin-closes"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _announced(process: subprocess.Popen[str]) -> tuple[str, str]:
    assert process.stdout is not None  # noqa: S101 - opened above
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a mock server did not start (exit code {process.wait(timeout=10)})")
    announced = json.loads(line)
    return announced["server"], announced["address"]
