"""
A hub that starts while others are down: agencies and sign-on may be, the database may not; nothing needs a restart.
"""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from adapters.errors import ConfigurationError
from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import world
from gateway.hub import Hub
from tests.resilience.court import Court, installed, until

UNKNOWN_TOKEN = (
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im5vbmUifQ"  # {"alg": "ES256", "typ": "at+jwt", "kid": "none"}
    ".e30.c2lnbmF0dXJl"
)


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """A free port for everybody outside; nobody listens yet."""
    with ExitStack() as stack:
        free_ports = {}
        for name in (*world.AGENCIES, world.SIGN_ON):
            free = stack.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            free_ports[name] = free.getsockname()[1]
    return free_ports


@pytest.fixture(scope="module")
def court(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Court:
    """A court in a world where nobody is up."""
    outside = world.World(
        addresses={agency: f"http://127.0.0.1:{ports[agency]}" for agency in world.AGENCIES},
        issuer=f"http://127.0.0.1:{ports[world.SIGN_ON]}",
    )
    return installed(outside, postgres, tmp_path_factory.mktemp("start") / "hub", "start", deadline=3.0)


@contextmanager
def up(name: str, port: int) -> Iterator[None]:
    """Somebody outside comes up."""
    command = [sys.executable, "-m", "mock_agencies", "serve", name, "--port", str(port), "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield
        process.communicate(timeout=30)


def states(answer: httpx.Response) -> dict[str, set[str]]:
    """The states of an answer by agency."""
    assert answer.status_code == 200, answer.text
    by_agency: dict[str, set[str]] = {}
    for reply in answer.json()["answers"]:
        by_agency.setdefault(reply["agency"], set()).add(reply["state"])
    return by_agency


def test_a_hub_starts_without_agencies_and_sign_on_and_serves_once_they_are_up(
    court: Court, ports: dict[str, int]
) -> None:
    """Sign-on first, then one agency; the hub is the same process throughout."""
    person = world.cast()["moved"]
    with court.hub() as process, ExitStack() as outside:
        nobody = httpx.get(
            f"{process.address}/v1/agencies", headers={"Authorization": f"Bearer {UNKNOWN_TOKEN}"}, trust_env=False
        )
        outside.enter_context(up(world.SIGN_ON, ports[world.SIGN_ON]))
        # A failure to reach it is remembered for a second, so that it is not asked by every caller.
        until(lambda: court.call(process, "GET", "/v1/agencies", user="li.ting").status_code == 200)
        court.dispatch(process, "B-1", person)

        without_any = states(court.look_up(process, "B-1", person))
        outside.enter_context(up("public_security", ports["public_security"]))
        until(lambda: "found" in states(court.look_up(process, "B-1", person))["public_security"])
        with_one = states(court.look_up(process, "B-1", person))

    assert (nobody.status_code, nobody.json()["type"]) == (503, "urn:shuniu:problem:sign-on-unavailable")
    assert without_any == {agency: {"unavailable"} for agency in world.AGENCIES}
    assert with_one == {**without_any, "public_security": {"found"}}


def test_a_hub_without_its_database_exits_with_a_reason(court: Court, postgres: EmbeddedServer) -> None:
    """One sentence and no traceback: it names the setting, and no address or password."""
    nowhere = "postgresql+psycopg://shuniu_app:canary-password@127.0.0.1:9/none"
    with court.hub(ready=False, database_url=nowhere) as process:
        code = process.ended()

    output = "".join(process.said)
    assert code == 1
    assert "SHUNIU_DATABASE_URL" in output
    assert "PostgreSQL" in output
    assert "Traceback" not in output
    assert "canary-password" not in output


@pytest.mark.anyio
async def test_a_failed_start_releases_what_it_opened(court: Court, tmp_path: Path) -> None:
    """Connections, threads of the log and tasks, whichever step it was."""
    settings = court.settings.model_copy(update={"sign_on_client_key": tmp_path / "no such key.pem"})
    tasks = asyncio.all_tasks()

    with pytest.raises(ConfigurationError):
        await Hub.start(settings)

    assert asyncio.all_tasks() == tasks
    with psycopg.connect(court.owner) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(query).fetchall() == []
