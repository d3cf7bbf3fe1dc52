"""
The fault proxy as a program: its announcement and its control desk.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

LATENCY = {"kind": "latency", "name": "slow", "direction": "down", "share": 0.5, "seconds": 0.0, "jitter": 0.0}


@pytest.fixture(scope="module")
def announced() -> Iterator[dict[str, str]]:
    """A running proxy that stands before nobody."""
    command = [sys.executable, "-m", "mock_agencies", "proxy", "--to", "127.0.0.1:9", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.fixture
def control(announced: dict[str, str]) -> Iterator[httpx.Client]:
    """Its control desk."""
    with httpx.Client(base_url=announced["control"], trust_env=False) as control:
        yield control
        control.delete("/toxics")


def test_toxics_are_added_listed_and_removed(control: httpx.Client) -> None:
    """What was told is told back, with what was left out."""
    added = control.post("/toxics", json={"kind": "latency", "name": "slow", "share": 0.5, "seconds": 0.0})
    control.post("/toxics", json={"kind": "refuse"})

    assert (added.status_code, added.json()) == (201, {"toxics": [LATENCY]})
    assert [toxic["name"] for toxic in control.get("/toxics").json()["toxics"]] == ["slow", "refuse"]
    assert [toxic["name"] for toxic in control.delete("/toxics/slow").json()["toxics"]] == ["refuse"]
    assert control.delete("/toxics").json() == {"toxics": []}


def test_the_program_proxies_and_refuses_on_command(announced: dict[str, str], control: httpx.Client) -> None:
    """Over the desk as in a test."""
    with pytest.raises(httpx.TransportError):
        httpx.get(announced["address"], trust_env=False)
    control.post("/toxics", json={"kind": "refuse"})
    with pytest.raises(httpx.ConnectError):
        httpx.get(announced["address"], trust_env=False)

    assert control.get("/connections").json() == {"open": 0, "seen": 1}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "no such toxic"},
        {"kind": "latency", "surprise": 1},
        {"kind": "latency", "share": 2},
        {"kind": "latency", "seconds": "long"},
        {"kind": "latency", "direction": "sideways"},
        ["latency"],
        None,
    ],
)
def test_a_toxic_that_does_not_exist_is_refused(control: httpx.Client, document: object) -> None:
    """422, with the kinds that there are; nothing is added."""
    refused = control.post("/toxics", json=document)

    assert (refused.status_code, "latency" in refused.json()["kinds"]) == (422, True)
    assert control.get("/toxics").json() == {"toxics": []}


def test_a_proxy_name_is_unique(control: httpx.Client) -> None:
    """Or nobody would know which one is meant."""
    control.post("/toxics", json={"kind": "latency"})

    assert control.post("/toxics", json={"kind": "latency"}).status_code == 422
    assert control.delete("/toxics/none-such").status_code == 422
    assert control.get("/elsewhere").status_code == 404
