"""
The processes of the benchmarks: mock agencies with sign-on, the hub, and the hand-written gateway in its two forms.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import httpx

import gateway.demo
from gateway.demo.world import AGENCIES_TEMPLATE

SIGN_ON: Final = "sign_on"
AGENCIES: Final = ("public_security", "human_resources", "market_regulation")
READY_SECONDS: Final = 90
TREE: Final = Path(gateway.demo.__file__).with_name("organization.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyServers:
    """The mock agencies' addresses, their accounts, and the issuer of tokens."""

    process: subprocess.Popen[str]
    addresses: Mapping[str, str]
    issuer: str
    credentials: Path

    def token(self, **who: str) -> str:
        """An access token for `user=` or `client=`."""
        answer = httpx.post(f"{self.issuer}/_control/token", json=who, trust_env=False).raise_for_status()
        return str(answer.json()["access_token"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway under test."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def serve_agencies(folder: Path) -> Iterator[AgencyServers]:
    """Every mock agency and the sign-on server, in one process, with answers written beforehand."""
    credentials = folder / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(_output("mock_agencies", "credentials"), encoding="utf-8")
    with _program("mock_agencies", "serve", *AGENCIES, SIGN_ON, "--precomputed") as process:
        addresses = {}
        for _ in (*AGENCIES, SIGN_ON):
            read_address = json.loads(_line(process))
            addresses[read_address["server"]] = read_address["address"]
        issuer = addresses.pop(SIGN_ON)
        yield AgencyServers(process=process, addresses=addresses, issuer=issuer, credentials=credentials)


@contextmanager
def handwritten(agencies: AgencyServers, net: str) -> Iterator[Gateway]:
    """The hand-written gateway over `httpx` or over the `port`."""
    arguments = (
        "--net",
        net,
        "--addresses",
        json.dumps(agencies.addresses),
        "--credentials",
        str(agencies.credentials),
    )
    with _program("bench.handwritten", *arguments) as process:
        gateway = Gateway(process=process, address=json.loads(_line(process))["address"])
        await_answer(f"{gateway.address}/openapi.json", process)
        yield gateway


@contextmanager
def hub(
    agencies: AgencyServers, folder: Path, *, policy: str = "", more: str = "", **settings: object
) -> Iterator[Gateway]:
    """
    The hub as its command serves it, with the bundled PostgreSQL, in a new installation.

    `policy` are lines for every agency's table of agencies.toml in place of its numbers of connections and queue; with
    it, attempts have time.  `more` are tables of its own.
    """
    environment = {f"SHUNIU_{name.upper()}": str(value) for name, value in settings.items()}
    environment = installation(agencies, folder, policy, more) | environment
    command = [str(Path(sys.executable).parent / "shuniu")]
    for words in (["init"], ["org", "import", str(TREE)]):
        subprocess.run([*command, *words], check=True, env=environment, capture_output=True)
    # Not a pipe: a hub that logs every call must not wait for a reader.
    lines = folder / "hub.log"
    with lines.open("w") as log, _process([*command, "serve", "--port", "0"], environment, stderr=log) as process:
        gateway = Gateway(process=process, address=read_address(lines, process))
        await_answer(f"{gateway.address}/readyz", process)
        yield gateway


@contextmanager
def sampled_hub(agencies: AgencyServers, folder: Path) -> Iterator[Gateway]:
    """The same installation, served by a process that samples itself (`bench.cpu_profile`)."""
    with _process([sys.executable, "-m", "bench.cpu_profile"], installation(agencies, folder)) as process:
        gateway = Gateway(process=process, address=json.loads(_line(process))["address"])
        await_answer(f"{gateway.address}/readyz", process)
        yield gateway


def stop_sampling(gateway: Gateway) -> dict[str, float]:
    """Ends a sampled hub; its processor seconds by room."""
    gateway.process.send_signal(signal.SIGTERM)
    rooms: dict[str, float] = json.loads(_line(gateway.process))
    return rooms


def read_address(lines: Path, process: subprocess.Popen[str]) -> str:
    """The address that a hub has written into its log."""
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        _, marker, rest = lines.read_text(encoding="utf-8").partition("serves at ")
        if marker and " " in rest:
            return rest.split()[0]
        time.sleep(0.05)
    raise RuntimeError("the hub did not start; try: shuniu serve --demo")


def installation(agencies: AgencyServers, folder: Path, policy: str = "", more: str = "") -> dict[str, str]:
    """The environment of a hub before these agencies; writes its agencies.toml."""
    file = folder / "agencies.toml"
    text = AGENCIES_TEMPLATE.read_text(encoding="utf-8")
    for agency, table in tomllib.loads(text).items():
        text = text.replace(f'"{table["address"]}"', f'"{agencies.addresses[agency]}"')
    # No answer cache: the gateways beside it have none either.
    text = re.sub(r"(?m)^fresh_for = .*$", "", text)
    if policy:
        text = re.sub(r"(?m)^connections = .*\nqueue = .*$", policy, text)
        # Late answers on a busy machine are no timeouts.
        text = re.sub(r"(?m)^timeout = .*$", "timeout = 20.0", text)
    file.write_text(text + more, encoding="utf-8")
    return os.environ | {
        "SHUNIU_FOLDER": str(folder / "hub"),
        "SHUNIU_AGENCIES": str(file),
        "SHUNIU_CREDENTIALS": str(agencies.credentials),
        "SHUNIU_SIGN_ON_ISSUER": agencies.issuer,
        "SHUNIU_ORIGIN": "bench.shuniu.example/audit/1",
    }


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with _process([sys.executable, "-m", module, *arguments], dict(os.environ)) as process:
        yield process


@contextmanager
def _process(
    command: list[str], environment: dict[str, str], *, stderr: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=60)


def _output(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the benchmark ended early (exit code {process.wait(timeout=10)})")
    return line


def await_answer(address: str, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            if httpx.get(address, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError("a gateway of the benchmark did not become ready")
