"""
Where a hub connects to, in the forms that a firewall takes, and which certificates end soon.
"""

import csv
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.cli.console import Exit
from gateway.egress import Destination, destinations
from gateway.settings import Settings
from tests.wire.certificates import Authority

AGENCIES = """
[public_security]
address = "https://population.example:8443/base"
resolve = "10.0.0.5"

[human_resources]
address = "https://10.0.0.6"

[market_regulation]
address = "https://registry.example"
"""
EXPECTED = [
    ("agency public_security", "population.example", 8443, "https", "10.0.0.5"),
    ("agency human_resources", "10.0.0.6", 443, "https", "10.0.0.6"),
    ("agency market_regulation", "registry.example", 443, "https", None),
    ("sign-on", "sign-on.example", 443, "https", None),
    ("timestamp tsa", "tsa.example", 80, "http", None),
    ("traces", "fd00::7", 4318, "http", "fd00::7"),
    ("database", "db.example", 5433, "postgresql", None),
]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation's files, and an environment that names them."""
    roots = Authority(tmp_path, "roots").roots
    files = {
        "agencies.toml": AGENCIES,
        "anchors.toml": f'[[timestamp]]\nname = "tsa"\nurl = "http://tsa.example/stamp"\nca_file = "{roots.name}"\n',
        "credentials.toml": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    environment = {
        "AGENCIES": tmp_path / "agencies.toml",
        "CREDENTIALS": tmp_path / "credentials.toml",
        "ANCHORS": tmp_path / "anchors.toml",
        "SIGN_ON_ISSUER": "https://sign-on.example/realm",
        "OTLP_ENDPOINT": "http://[fd00::7]:4318",
        "DATABASE_URL": "postgresql+psycopg://hub@db.example:5433/shuniu",
        "OWNER_URL": "postgresql+psycopg://owner@db.example:5433/shuniu",
        "ERASER_URL": "postgresql+psycopg://eraser@/shuniu?host=/var/run/postgresql",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"SHUNIU_{name}", str(value))
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, ["agencies", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_every_place_that_a_hub_connects_to_is_listed_once(installed: Path) -> None:
    """Agencies, sign-on, anchors, traces, database; a socket of this machine is no place."""
    assert [astuple(one) for one in destinations(Settings())] == EXPECTED


def test_the_list_is_data_where_data_is_asked_for(installed: Path) -> None:
    """JSON and CSV say the same."""
    keys = ("purpose", "host", "port", "protocol", "address")
    document = json.loads(run("hosts", "--form", "json"))
    table = list(csv.DictReader(run("hosts", "--form", "csv").splitlines()))

    assert [tuple(row[key] for key in keys) for row in document] == EXPECTED
    assert [tuple(row[key] for key in keys) for row in table] == [
        tuple(str(value or "") for value in row) for row in EXPECTED
    ]


def test_the_list_reads_as_a_list(installed: Path) -> None:
    """One line for each place."""
    lines = run("hosts").splitlines()

    assert lines[0].split("  ")[0] == "agency public_security"
    assert [line.split()[-1] for line in lines] == [row[4] or "name" for row in EXPECTED]


def test_the_rules_let_out_what_is_listed_and_refuse_the_rest(installed: Path) -> None:
    """Of the hub's own login, each by address where there is one."""
    text = run("hosts", "--form", "nftables", "--user", "root")
    rules = [line.strip() for line in text.splitlines() if " daddr " in line]

    assert rules[0] == 'ip daddr 10.0.0.5 tcp dport 8443 accept comment "agency public_security"'
    assert rules[5] == 'ip6 daddr fd00::7 tcp dport 4318 accept comment "traces"'
    assert len(rules) == len(EXPECTED)
    assert text.index("reject") > text.index(rules[-1])

    text = run("hosts", "--form", "iptables")
    first = 'iptables -A SHUNIU-OUT -d 10.0.0.5 -p tcp --dport 8443 -m comment --comment "agency public_security"'
    assert f"{first} -j ACCEPT" in text
    assert text.count(" -d ") == len(EXPECTED)
    assert text.count("SHUNIU-OUT -j REJECT") == text.count("--uid-owner shuniu -j SHUNIU-OUT") == 2


def test_a_certificate_that_ends_soon_is_a_finding(installed: Path) -> None:
    """With the days that are left, before the agency notices."""
    courts = Authority(installed, "courts")
    soon, later = courts.issue("soon", days=(-1, 20.5)), courts.issue("later", days=(-1, 300.5))
    roots = Authority(installed, "government", days=400.5).roots

    def checked(identity: Path, code: int) -> list[dict[str, Any]]:
        tls = f'\n[public_security.tls]\nroots = "{roots.name}"\nidentity = "{identity.name}"\n'
        (installed / "agencies.toml").write_text(AGENCIES + tls, encoding="utf-8")
        found: list[dict[str, Any]] = json.loads(run("check", "--json", code=code))
        return [{file["file"]: file["days_left"] for file in one["certificates"]} for one in found]

    assert checked(soon, Exit.FINDINGS) == [{"roots": 400, "identity": 20}, {}, {}]
    assert checked(later, Exit.OK) == [{"roots": 400, "identity": 300}, {}, {}]
    assert "identity: 300 days left" in run("check")


def test_an_address_that_is_none_is_said_by_its_name(installed: Path) -> None:
    """With the fix, and without an unfinished list."""
    (installed / "agencies.toml").write_text("[public_security]\nconnections = 3\n", encoding="utf-8")

    result = CliRunner().invoke(app, ["agencies", "hosts"])

    assert "line 1: public_security.address: is missing; fix: write address = …" in str(result.exception)
    assert result.stdout == ""


def test_a_destination_is_reached_by_its_address_if_there_is_one() -> None:
    """And by its name otherwise."""
    named = Destination("traces", "collector.example", 4318, "http")

    assert (named.target, Destination("traces", "collector.example", 4318, "http", "10.0.0.9").target) == (
        "collector.example",
        "10.0.0.9",
    )
