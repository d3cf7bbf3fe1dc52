"""
What the contract suite runs on: every installed agency, every scenario of its mock server, and one play of each.

A scenario is a fault of the mock agencies' catalogue on one operation of one agency.  It is played once in a session,
against real server processes, and every test looks at the same play.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.contract import Adapter, Question
from adapters.registry import load_agencies
from schemas.subject import Subject
from tests.contract.scenarios import (
    ADAPTERS,
    CONFIGURATION,
    ENDLESS,
    LONG,
    LOOKUPS,
    OFFICIAL,
    ROOT,
    SHORT,
    Ask,
    ControlClient,
    Play,
    Recorder,
    Scenario,
    outcome,
    question,
    scenarios,
    subject_of,
    texts,
    transcribed,
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives every test that takes a `lookup` or a `scenario` all of them."""
    if "scenario" in metafunc.fixturenames:
        cases = list(scenarios())
        metafunc.parametrize("scenario", cases, ids=[str(case) for case in cases])
    elif "lookup" in metafunc.fixturenames:
        metafunc.parametrize("lookup", LOOKUPS, ids=[".".join(case) for case in LOOKUPS])


@pytest.fixture(scope="session")
def servers() -> Iterator[Mapping[str, str]]:
    """The mock agencies as a process of their own; their base addresses by agency."""
    command = [sys.executable, "-m", "mock_agencies", "serve", *ADAPTERS, "--port", "0", "--until-stdin-closes"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        ready = [json.loads(process.stdout.readline()) for _ in ADAPTERS]
        yield {line["server"]: line["address"] for line in ready}
        process.stdin.close()
        process.wait(timeout=10)


@pytest.fixture(scope="session")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mock agencies' credentials, in a file that only its owner can read."""
    path = tmp_path_factory.mktemp("contract") / "credentials.toml"
    command = [sys.executable, "-m", "mock_agencies", "credentials"]
    path.write_bytes(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def controls(servers: Mapping[str, str]) -> Iterator[ControlClient]:
    """The control desks of the running mock agencies."""
    with httpx.Client(trust_env=False) as client:
        yield ControlClient(servers, client)


@pytest.fixture(scope="session")
def ask(servers: Mapping[str, str], credentials: Path, controls: ControlClient) -> Ask:
    """Asks one agency for real, under a fault if the scenario has one."""

    async def play_scenario(scenario: Scenario, **differing: Any) -> Play:
        seconds = SHORT if scenario.fault in ENDLESS else LONG
        asking = replace(question(subject_of(scenario.agency, scenario.capability), seconds=seconds), **differing)
        recorder = Recorder()
        # Fresh, so that every play fetches its secrets anew.
        agencies = load_agencies(CONFIGURATION, credentials, addresses=servers, transports={scenario.agency: recorder})
        controls.clear(scenario.agency)
        if scenario.fault:
            controls.arm(scenario)
        try:
            with transcribed() as lines:
                ended = await outcome(agencies[scenario.agency].ask(scenario.capability, asking))
                lines += [repr(asking), repr(asking.evidence.answers), repr(ended), *texts(ended[3])]
        finally:
            await agencies.aclose()
        play = Play(
            *ended,
            evidence=asking.evidence,
            sent=controls.ledger(scenario.agency),
            wire=recorder.bodies,
            requests=controls.journal(scenario.agency),
            transcript="\n".join(lines),
        )
        controls.clear(scenario.agency)
        return play

    return play_scenario


@pytest.fixture(scope="session")
def plays() -> dict[Scenario, Play]:
    """The plays of this session."""
    return {}


@pytest.fixture
async def play(scenario: Scenario, plays: dict[Scenario, Play], ask: Ask) -> Play:
    """The play of a scenario."""
    if scenario not in plays:
        plays[scenario] = await ask(scenario)
    return plays[scenario]


@pytest.fixture
async def undisturbed(request: pytest.FixtureRequest, plays: dict[Scenario, Play], ask: Ask) -> Play:
    """The play of the same lookup without any fault."""
    parameters = request.node.callspec.params
    scenario = parameters.get("scenario")
    scenario = Scenario(scenario.agency, scenario.capability) if scenario else Scenario(*parameters["lookup"])
    if scenario not in plays:
        plays[scenario] = await ask(scenario)
    return plays[scenario]


@pytest.fixture
def adapters() -> dict[str, type[Adapter]]:
    """The installed agencies."""
    return ADAPTERS


@pytest.fixture
def scene(lookup: tuple[str, str]) -> Callable[..., Scenario]:
    """A scenario of this lookup: its fault, if any, and the fault's options."""

    def build(fault: str = "", **options: Any) -> Scenario:
        return Scenario(*lookup, fault, lookup[1], tuple(options.items()))

    return build


@pytest.fixture
def subject() -> Callable[..., Subject]:
    """Subjects whom the mock agencies hold."""
    return subject_of


@pytest.fixture
async def asking(lookup: tuple[str, str]) -> Question:
    """The question of this lookup."""
    return question(subject_of(*lookup))


@pytest.fixture(scope="session")
def secrets(credentials: Path) -> list[str]:
    """Everything about the official and every credential: what must never be written down in clear."""
    issued = [value for table in tomllib.loads(credentials.read_text("utf-8")).values() for value in _leaves(table)]
    return [OFFICIAL.name, OFFICIAL.id_number, OFFICIAL.unit_name, OFFICIAL.terminal, *issued]


def _leaves(table: Mapping[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, str):
            yield value
        else:
            yield from _leaves(value)
