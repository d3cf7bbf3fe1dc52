"""
Two hub processes on one PostgreSQL, with the whole outside world around them.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from gateway.demo import tour, tree, world
from gateway.provisioning import DATABASE, bundled_database, create_keys
from gateway.settings import Settings

TICKETS = "ticket-system"
TOKEN_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas:
    """
    The addresses of the hubs, the tokens of whoever calls, and the clock of access, which only goes forward.
    """

    addresses: tuple[str, ...]
    outside: world.World
    cast: dict[str, Any]
    owner: str
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    def headers(self, who: str) -> dict[str, str]:
        """The headers of a call as somebody; a service by its client id."""
        token, until = self._tokens.get(who, ("", 0.0))
        if time.monotonic() > until:
            kind = "client" if who.startswith(TICKETS) else "user"
            token, until = self.outside.token(**{kind: who}), time.monotonic() + TOKEN_SECONDS
            self._tokens[who] = token, until
        return {"Authorization": f"Bearer {token}"}

    async def call(
        self, client: httpx.AsyncClient, hub: int, who: str, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        """One call to one of the hubs."""
        address = self.addresses[hub % len(self.addresses)]
        return await client.request(method, address + path, json=body, headers=self.headers(who))

    def advance(self, interval: str) -> None:
        """Moves the clock of access on."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute("UPDATE access_clock SET latest = access_now() + %s::interval", (interval,))

    @staticmethod
    def client() -> httpx.AsyncClient:
        """A client without a proxy, for as many connections as a test wants."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
        return httpx.AsyncClient(timeout=30, trust_env=False, limits=limits)

    @staticmethod
    def question(order: str, party: dict[str, Any], want: list[str] | None = None) -> dict[str, Any]:
        """The body of a lookup."""
        return {"work_order": order, "subject": tour.subject(party), "want": want or ["identity"]}


@contextmanager
def running(folder: Path, hubs: int = 2) -> Iterator[Replicas]:
    """Starts everything; stops it at the end."""
    with ExitStack() as stack:
        outside = stack.enter_context(world.started())
        settings = world.settings_of(outside, folder, deadline=3.0)
        create_keys(settings)
        settings = stack.enter_context(bundled_database(settings, create=True))
        tree.settle(settings)
        addresses = [stack.enter_context(_hub(settings)) for _ in range(hubs)]
        url = settings.database_url or ""
        owner = f"host={url.partition('host=')[2]} user=postgres dbname={DATABASE}"
        yield Replicas(addresses=tuple(addresses), outside=outside, cast=world.cast(), owner=owner)


@contextmanager
def _hub(settings: Settings) -> Iterator[str]:
    environment = {
        "SHUNIU_FOLDER": settings.folder,
        "SHUNIU_DATABASE_URL": settings.database_url,
        "SHUNIU_AGENCIES": settings.agencies,
        "SHUNIU_CREDENTIALS": settings.credentials,
        "SHUNIU_SIGN_ON_ISSUER": settings.sign_on_issuer,
        "SHUNIU_ORIGIN": settings.origin,
        "SHUNIU_DEADLINE": settings.deadline,
        "SHUNIU_PORT": 0,
        # Forms that fill themselves ask for their holders, and would count into the model.
        "SHUNIU_WORKERS": 0,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve"],
        env=os.environ | {name: str(value) for name, value in environment.items()},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    with ExitStack() as stack:
        stack.callback(process.stderr.close)
        # Whatever else it says must not fill the pipe.
        reading = threading.Thread(target=process.stderr.read)
        stack.callback(lambda: reading.is_alive() and reading.join())
        stack.callback(process.wait, timeout=40)
        stack.callback(process.terminate)
        line = next((candidate for candidate in process.stderr if "serves at" in candidate), "")
        reading.start()
        match = re.search(r"http://\S+", line)
        assert match, "the hub did not start"
        _wait_until_ready(match[0])
        yield match[0]


def _wait_until_ready(address: str) -> None:
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, timeout=10) as client:
        client.get(f"{address}/readyz").raise_for_status()


def statement(holder: str, parties: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A work order of the court 浙0802."""
    order = tour.work_order(*parties)
    order["holder"] = order["holder"] | {"user": holder}
    return order | changes


def rule_of(answer: httpx.Response) -> str:
    """The rule that refused, or an empty text."""
    return "" if answer.is_success else str(json.loads(answer.content).get("rule", answer.status_code))
