"""
The command line: every command explains itself, data on stdout, documented exit codes.
"""

import json
import platform
import re
import socket
import subprocess
import sys
from importlib.metadata import version
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gateway.__main__ import COMMANDS, app, main
from gateway.cli.lazy_commands import LazyCommand
from tests.court import RunningCourt

RUN = CliRunner()


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Every command of the tree with its path."""
    if isinstance(command, LazyCommand):
        command = command.load()
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [entry for name, child in children.items() for entry in commands(child, (*path, name))]


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


@pytest.mark.parametrize("name", [name for entries in COMMANDS.values() for name in entries])
def test_summary_in_the_top_help_is_the_one_of_the_command(name: str) -> None:
    """The command is not imported for it."""
    summary = next(entries[name][1] for entries in COMMANDS.values() if name in entries)
    command = typer.main.get_command(app).commands[name].load()  # type: ignore[attr-defined]

    assert (command.help or "").partition("\n")[0] == summary


def test_top_help_names_exit_codes_and_environment() -> None:
    """What a script and a new terminal need."""
    answer = RUN.invoke(app, ["--help"], env={"COLUMNS": "200"})

    for text in ("0 done", "4 an agency gave no answer", "6 verified, with findings", "SHUNIU_HUB", "SHUNIU_FOLDER"):
        assert text in answer.stdout


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_top_of_the_command_line_imports_no_command(option: str) -> None:
    """So that it answers at once: libraries of the hub, and most modules of ours, are left for later."""
    code = (
        "import sys; from gateway.__main__ import app\ntry: app([sys.argv[1]])\nexcept SystemExit: print(*sys.modules)"
    )
    process = subprocess.run([sys.executable, "-c", code, option], check=True, capture_output=True, text=True)
    modules = process.stdout.splitlines()[-1].split()

    assert not {"fastapi", "pydantic", "httpx", "sqlalchemy", "psycopg", "cryptography", "opentelemetry"} & {*modules}
    assert len([module for module in modules if module.startswith(("gateway.", "audit", "schemas", "adapters"))]) <= 8
    assert len(modules) < 450


def test_the_version_is_one_line_for_a_report() -> None:
    """Which version runs, and on which Python."""
    answer = RUN.invoke(app, ["--version"])

    assert (answer.exit_code, answer.stdout) == (
        0,
        f"shuniu {version('shuniu')} (Python {platform.python_version()})\n",
    )


def environment(court: RunningCourt, **who: str) -> dict[str, str]:
    """What a terminal of the court has set."""
    return {
        "SHUNIU_HUB": court.demo.address,
        "SHUNIU_ISSUER": court.demo.outside.issuer,
        "SHUNIU_AGENCIES": str(court.demo.settings.agencies),
        "SHUNIU_TOKEN": court.token(**who) if who else "",
    }


def test_a_lookup_reads_the_identifier_from_stdin_and_prints_one_document(court: RunningCourt) -> None:
    """`--json` prints exactly one JSON document on stdout."""
    person = court.cast["moved"]
    number = court.dispatch(person)

    answer = RUN.invoke(
        app, ["lookup", number, "--json"], input=person["id_number"] + "\n", env=environment(court, user="li.ting")
    )

    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["identity"]["full_name"]["value"] == person["name"]


def test_a_lookup_for_people_shows_addresses_with_rank_source_and_legal_basis(court: RunningCourt) -> None:
    """What a clerk needs stands on the screen."""
    person = court.cast["moved"]
    number = court.dispatch(person)

    answer = RUN.invoke(
        app, ["lookup", number], input=person["id_number"] + "\n", env=environment(court, user="li.ting")
    )

    assert answer.exit_code == 0
    for text in ("Addresses for service", "public_security", "法发〔2017〕19号第九条", "audit: intent"):
        assert text in answer.stdout


def test_an_agency_that_was_not_heard_is_exit_code_4(court: RunningCourt, healed: Any) -> None:
    """A script can tell half an answer from a whole one."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "reset")

    answer = RUN.invoke(
        app, ["lookup", number, "--json"], input=person["id_number"] + "\n", env=environment(court, user="li.ting")
    )

    assert answer.exit_code == 4


def test_a_refused_lookup_is_exit_code_5_and_says_by_which_rule(court: RunningCourt) -> None:
    """The sentence on stderr is the problem's own."""
    answer = RUN.invoke(
        app,
        ["lookup", "T-none"],
        input=court.cast["moved"]["id_number"] + "\n",
        env=environment(court, user="li.ting"),
    )

    assert answer.exit_code == 5
    assert "work_order_not_held" in answer.stderr
    assert court.cast["moved"]["id_number"] not in answer.output


def test_bad_input_is_exit_code_2(court: RunningCourt) -> None:
    """A wrong check digit is the caller's to mend."""
    number = court.dispatch(court.cast["moved"])

    answer = RUN.invoke(app, ["lookup", number], input="330802199003071230\n", env=environment(court, user="li.ting"))

    assert (answer.exit_code, "check_digit" in answer.stderr) == (2, True)


def test_agencies_are_listed_and_reached(court: RunningCourt) -> None:
    """The matrix comes from the hub; ping opens a connection to each."""
    listed = RUN.invoke(app, ["agencies", "list", "--json"], env=environment(court, user="li.ting"))
    reached = RUN.invoke(app, ["agencies", "ping", "--json"], env=environment(court))

    assert {agency["id"] for agency in json.loads(listed.stdout)} == set(court.demo.outside.addresses)
    assert {one["agency"]: one["reached"] for one in json.loads(reached.stdout)} == dict.fromkeys(
        court.demo.outside.addresses, True
    )


def test_without_a_token_the_command_says_where_to_get_one(court: RunningCourt) -> None:
    """The next step stands in the sentence."""
    answer = RUN.invoke(app, ["agencies", "list"], env=environment(court))

    assert (answer.exit_code, "shuniu token" in answer.stderr) == (5, True)


def test_without_a_hub_the_command_says_how_to_start_one(court: RunningCourt) -> None:
    """A closed door is a sentence, not a traceback."""
    answer = RUN.invoke(
        app, ["agencies", "list"], env=environment(court, user="li.ting") | {"SHUNIU_HUB": "http://127.0.0.1:9"}
    )

    assert (answer.exit_code, "shuniu serve --demo" in answer.stderr) == (1, True)


@pytest.mark.parametrize("hub", ["http://127.0.0.1:9", "127.0.0.1:8080", "http://[", "no hub"])
@pytest.mark.parametrize("command", [("agencies", "list"), ("audit", "status")])
def test_hub_that_is_not_there_is_a_sentence_with_the_next_step(hub: str, command: tuple[str, ...]) -> None:
    """Also where the address is none."""
    answer = RUN.invoke(app, command, env={"SHUNIU_HUB": hub, "SHUNIU_TOKEN": "x"})

    assert (answer.exit_code, "shuniu serve --demo" in answer.stderr) == (1, True)


def test_server_that_is_no_hub_is_a_sentence(court: RunningCourt) -> None:
    """Its answer is neither JSON nor a problem."""
    issuer = court.demo.outside.issuer
    answer = RUN.invoke(app, ["agencies", "list"], env={"SHUNIU_HUB": f"{issuer}/nothing", "SHUNIU_TOKEN": "x"})

    assert (answer.exit_code, "is not a hub" in answer.stderr) == (1, True)


def test_token_of_an_unknown_user_names_the_known_ones(court: RunningCourt) -> None:
    """And of an unknown client the demo's client."""
    user = RUN.invoke(app, ["token", "li.tin"], env=environment(court))
    client = RUN.invoke(app, ["token", "li.ting", "--client"], env=environment(court))
    known = RUN.invoke(app, ["token", "li.ting"], env=environment(court))

    assert (user.exit_code, "li.ting" in user.stderr) == (3, True)
    assert (client.exit_code, "ticket-system" in client.stderr) == (3, True)
    assert (known.exit_code, known.stdout.count(".")) == (0, 2)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9", "nowhere"])
def test_token_without_a_sign_on_server_says_how_to_start_one(issuer: str) -> None:
    """One sentence."""
    answer = RUN.invoke(app, ["token", "li.ting"], env={"SHUNIU_ISSUER": issuer})

    assert (answer.exit_code, "shuniu serve --demo" in answer.stderr) == (1, True)


@pytest.mark.parametrize("demo", [[], ["--demo"]])
def test_port_that_is_taken_is_a_sentence_before_anything_is_started(demo: list[str]) -> None:
    """SHUNIU_PORT counts for the demo too."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = RUN.invoke(app, ["serve", *demo], env={"SHUNIU_PORT": str(port)})

    assert (answer.exit_code, f"Port {port} is taken" in answer.stderr) == (1, True)


def test_host_of_another_machine_is_a_sentence() -> None:
    """SHUNIU_HOST counts for the demo too."""
    answer = RUN.invoke(app, ["serve", "--demo"], env={"SHUNIU_HOST": "192.0.2.1", "SHUNIU_PORT": "0"})

    assert (answer.exit_code, "cannot listen at 192.0.2.1:0" in answer.stderr) == (1, True)


def test_setting_that_breaks_its_rule_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the variable's name."""
    monkeypatch.setenv("SHUNIU_PORT", "eighty")
    monkeypatch.setattr(sys, "argv", ["shuniu", "serve"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert (ended.value.code, "SHUNIU_PORT: " in capsys.readouterr().err) == (1, True)
