"""
`python -m mock_agencies`: serves, prints the cast and the credentials, and documents itself.
"""

import json
import signal
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest

import mock_agencies
from mock_agencies.__main__ import main
from mock_agencies.faults.catalogue import CATALOGUE
from mock_agencies.population import Population

SERVE = [sys.executable, "-m", "mock_agencies", "serve"]
README = Path(mock_agencies.__file__).parent / "README.md"


def test_serve_uses_a_port_for_each_agency_until_stdin_closes() -> None:
    """One JSON line per server as soon as it is ready; the process ends with its parent."""
    names = ["public_security", "human_resources", "market_regulation", "sign_on"]
    with subprocess.Popen(
        [*SERVE, *names, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = [json.loads(process.stdout.readline()) for _ in names]
        paths = ["/_control/ledger"] * 3 + ["/.well-known/openid-configuration"]
        answers = [
            json.loads(urllib.request.urlopen(server["address"] + path).read())
            for server, path in zip(output, paths, strict=True)
        ]
        process.stdin.close()

        assert process.wait(timeout=20) == 0
    assert [server["server"] for server in output] == names
    assert len({server["address"] for server in output}) == 4
    assert answers[0] == {"refresh": 0, "identity": 0, "addresses": 0}
    assert answers[3]["issuer"] == output[3]["address"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serve_ends_with_0_on_sigterm_and_sigint(ending: signal.Signals) -> None:
    """SIGTERM and SIGINT end it with exit code 0."""
    with subprocess.Popen([*SERVE, "market_regulation", "sign_on"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.send_signal(ending)

        assert process.wait(timeout=20) == 0


def test_credentials_prints_toml(capsys: pytest.CaptureFixture[str]) -> None:
    """One table per reference of agencies.toml."""
    assert main(["credentials"]) == 0
    output = tomllib.loads(capsys.readouterr().out)

    assert {name: sorted(table) for name, table in output.items()} == {
        "public_security": ["population", "requests"],
        "human_resources": ["app_key", "app_secret"],
        "market_regulation": ["app_key", "sid"],
    }
    assert output["public_security"]["population"]["sid"] == "s_1200000900000_2108"


def test_cast_prints_a_table_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    """As a table and as JSON, every role once."""
    roles = list(Population(1).cast)

    assert main(["cast"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == roles
    assert main(["cast", "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert list(output) == roles
    assert (output["moved"]["id_number"], output["moved"]["born_on"]) == ("33080219900307005X", "1990-03-07")


def test_the_readme_names_every_fault_and_every_role() -> None:
    """A new fault or a new role is written down."""
    text = README.read_text(encoding="utf-8")

    assert [name for name in [*CATALOGUE, *Population(1).cast] if f"`{name}`" not in text] == []
