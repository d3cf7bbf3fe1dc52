"""
The command line: every command explains itself, data on stdout, documented exit codes.
"""

import json
import platform
import re
from importlib.metadata import version
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.__main__ import app
from tests.desk import Desk

RUN = CliRunner()


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command of the tree with its path."""
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [found for name, child in children.items() for found in commands(child, (*path, name))]


TREE = commands(typer.main.get_command(app))


@pytest.mark.parametrize(("path", "command"), TREE, ids=[" ".join(path) for path, _ in TREE])
def test_every_command_has_help_with_an_example(path: tuple[str, ...], command: Any) -> None:
    """`--help` works everywhere and shows how the command is typed."""
    answer = RUN.invoke(app, [*path, "--help"])

    assert answer.exit_code == 0
    assert f"shuniu {' '.join(path)}" in (command.help or "")


@pytest.mark.parametrize(("path", "command"), TREE, ids=[" ".join(path) for path, _ in TREE])
def test_no_command_takes_an_identifier_as_an_argument(path: tuple[str, ...], command: Any) -> None:
    """A process list shows arguments; identifiers come from stdin or a prompt."""
    names = {name for parameter in command.params for name in parameter.opts}

    assert not {name for name in names if re.search("number|subject|person", name)}


def test_the_version_is_one_line_for_a_report() -> None:
    """Which version runs, and on which Python."""
    answer = RUN.invoke(app, ["--version"])

    assert (answer.exit_code, answer.stdout) == (
        0,
        f"shuniu {version('shuniu')} (Python {platform.python_version()})\n",
    )


def environment(desk: Desk, **who: str) -> dict[str, str]:
    """What a terminal of the court has set."""
    return {
        "SHUNIU_HUB": desk.court.address,
        "SHUNIU_ISSUER": desk.court.outside.issuer,
        "SHUNIU_AGENCIES": str(desk.court.settings.agencies),
        "SHUNIU_TOKEN": desk.token(**who) if who else "",
    }


def test_a_lookup_reads_the_identifier_from_stdin_and_prints_one_document(desk: Desk) -> None:
    """`--json` prints exactly one JSON document on stdout."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)

    answer = RUN.invoke(
        app, ["lookup", number, "--json"], input=person["id_number"] + "\n", env=environment(desk, user="li.ting")
    )

    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["identity"]["full_name"]["value"] == person["name"]


def test_a_lookup_for_people_shows_addresses_with_rank_source_and_legal_basis(desk: Desk) -> None:
    """What a clerk needs stands on the screen."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)

    answer = RUN.invoke(
        app, ["lookup", number], input=person["id_number"] + "\n", env=environment(desk, user="li.ting")
    )

    assert answer.exit_code == 0
    for text in ("Addresses for service", "public_security", "法发〔2017〕19号第九条", "audit: intent"):
        assert text in answer.stdout


def test_an_agency_that_was_not_heard_is_exit_code_4(desk: Desk, healed: Any) -> None:
    """A script can tell half an answer from a whole one."""
    person = desk.cast["moved"]
    number = desk.dispatch(person)
    healed("human_resources", "reset")

    answer = RUN.invoke(
        app, ["lookup", number, "--json"], input=person["id_number"] + "\n", env=environment(desk, user="li.ting")
    )

    assert answer.exit_code == 4


def test_a_refused_lookup_is_exit_code_5_and_says_by_which_rule(desk: Desk) -> None:
    """The sentence on stderr is the problem's own."""
    answer = RUN.invoke(
        app,
        ["lookup", "T-none"],
        input=desk.cast["moved"]["id_number"] + "\n",
        env=environment(desk, user="li.ting"),
    )

    assert answer.exit_code == 5
    assert "work_order_not_held" in answer.stderr
    assert desk.cast["moved"]["id_number"] not in answer.output


def test_bad_input_is_exit_code_2(desk: Desk) -> None:
    """A wrong check digit is the caller's to mend."""
    number = desk.dispatch(desk.cast["moved"])

    answer = RUN.invoke(app, ["lookup", number], input="330802199003071230\n", env=environment(desk, user="li.ting"))

    assert (answer.exit_code, "check_digit" in answer.stderr) == (2, True)


def test_agencies_are_listed_and_reached(desk: Desk) -> None:
    """The matrix comes from the hub; ping opens a connection to each."""
    listed = RUN.invoke(app, ["agencies", "list", "--json"], env=environment(desk, user="li.ting"))
    reached = RUN.invoke(app, ["agencies", "ping", "--json"], env=environment(desk))

    assert {agency["id"] for agency in json.loads(listed.stdout)} == set(desk.court.outside.addresses)
    assert {one["agency"]: one["reached"] for one in json.loads(reached.stdout)} == dict.fromkeys(
        desk.court.outside.addresses, True
    )


def test_without_a_token_the_command_says_where_to_get_one(desk: Desk) -> None:
    """The next step stands in the sentence."""
    answer = RUN.invoke(app, ["agencies", "list"], env=environment(desk))

    assert (answer.exit_code, "shuniu token" in answer.stderr) == (5, True)


def test_without_a_hub_the_command_says_how_to_start_one(desk: Desk) -> None:
    """A closed door is a sentence, not a traceback."""
    answer = RUN.invoke(
        app, ["agencies", "list"], env=environment(desk, user="li.ting") | {"SHUNIU_HUB": "http://127.0.0.1:9"}
    )

    assert (answer.exit_code, "shuniu serve --demo" in answer.stderr) == (1, True)
