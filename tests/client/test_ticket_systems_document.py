"""
docs/ticket-systems.md is true: its commands are run as they stand, in its order.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.court import RunningCourt

DOCUMENT = Path(__file__).parents[2] / "docs" / "ticket-systems.md"
COMMANDS = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
RECEIVER, EXAMPLE = re.findall(
    r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.fixture
def port() -> int:
    """A free port for the document's receiver, in place of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


class Shell:
    """One shell, as a reader of the document has it open."""

    def __init__(self, court: RunningCourt) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | {
            "PATH": path,
            "SHUNIU_HUB": court.demo.address,
            "SHUNIU_ISSUER": court.demo.outside.issuer,
        }
        self._process = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def run(self, commands: str) -> str:
        """What the commands print."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{commands}\necho; echo done-$?\n")
        self._process.stdin.flush()
        output = []
        for line in self._process.stdout:
            if line.startswith("done-"):
                assert line == "done-0\n", "".join(output)
                return "".join(output).strip()
            output.append(line)
        raise AssertionError("".join(output))

    def close(self) -> None:
        """Closes it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture
def shell(court: RunningCourt) -> Iterator[Shell]:
    """A shell in the demo's court."""
    if shutil.which("curl") is None:
        pytest.skip("the document's commands need curl")
    shell = Shell(court)
    yield shell
    shell.close()


def test_the_commands_lead_from_nothing_to_a_filled_form(shell: Shell, folder: Path, port: int) -> None:
    """Dispatch, ask, look, register, try, take the callback, close; nothing is shown of it after that."""
    token, dispatch, ask, look, register, callback, close = (command.replace("8099", str(port)) for command in COMMANDS)
    shell.run(token)
    dispatched = shell.run(dispatch)
    shell.run(ask)
    for _ in range(200):
        seen = shell.run(look)
        if '"state":"filled"' in seen:
            break
        time.sleep(0.1)
    shell.run(register)
    (folder / "receiver.py").write_text(RECEIVER.replace("8099", str(port)), encoding="utf-8")
    shell.run(f"{sys.executable} {folder}/receiver.py > {folder}/said 2> {folder}/errors & RECEIVER=$!")
    shell.run(callback)
    for _ in range(200):
        received = (folder / "said").read_text(encoding="utf-8")
        if "autofill.finished" in received:
            break
        time.sleep(0.1)
    shell.run("kill $RECEIVER")
    closed = shell.run(close)
    after = shell.run(look)

    assert '"status":"dispatched"' in dispatched
    assert "沈知溪" in seen
    assert "cn.shuniu.receiver.tried.v1 doc-forms" in received
    assert "沈知溪" in received
    assert '"status":"closed"' in closed
    assert "沈知溪" not in after


def test_the_python_example_runs_as_it_stands(
    court: RunningCourt, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the fields of the form, and the rule by which a ticket system may not look up a person itself."""
    person = court.cast["moved"]
    monkeypatch.setenv("SHUNIU_HUB", court.demo.address)
    monkeypatch.setenv("TOKEN", court.token(client="ticket-system"))
    names: dict[str, Any] = {"statement": court.statement(person), "question": court.question("", person)}
    del names["question"]["work_order"]

    exec(EXAMPLE, names)

    printed = capsys.readouterr().out.splitlines()
    assert "DSR_XM filled" in printed
    assert len(EXAMPLE.splitlines()) <= 17
