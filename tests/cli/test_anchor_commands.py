"""
`shuniu audit status`, `checkpoint` and `witness-key`; proofs and exports held against a policy.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from audit.anchor.anchors import Anchor, AnchorKind, Anchors
from audit.export.exporter import export
from audit.format.checkpoint import Cosigner, WitnessKey, open_checkpoint
from audit.format.note import parse
from audit.sealing.keys import KeyFile
from audit.store.reader import Reader
from gateway.__main__ import app
from gateway.settings import Settings
from tests.court import RunningCourt

WITNESS = Cosigner("neighbour.example/witness", bytes([9] * 32))


@pytest.fixture
def run(court: RunningCourt) -> Callable[..., Result]:
    """Runs `shuniu audit …` on the demo court's machine."""
    given = court.demo.settings.model_dump(exclude_none=True, exclude_defaults=True)
    environment = {f"SHUNIU_{name.upper()}": str(value) for name, value in given.items()}
    environment |= {"SHUNIU_HUB": court.demo.address}
    return lambda *arguments: CliRunner().invoke(app, ["audit", *map(str, arguments)], env=environment)


def log_of(settings: Settings) -> Reader:
    """The log's reader."""
    return Reader(settings.database_url or "", KeyFile.load(settings.key_folder))


def test_the_status_of_a_log_without_anchors_is_well(court: RunningCourt, run: Callable[..., Result]) -> None:
    """As sentences and as one document; nobody needs a token for it."""
    told, document = run("status"), run("status", "--json")
    said = json.loads(document.stdout)

    assert (told.exit_code, document.exit_code) == (0, 0)
    assert "anchors     none configured (SHUNIU_ANCHORS)" in told.stdout
    assert set(said) == {"size", "checkpoint_size", "checkpoint_age_s", "broken", "orphans", "anchors"}
    assert (said["broken"], said["anchors"]) == (None, [])
    assert run("status", "--hub", "http://127.0.0.1:9").exit_code == 1


def test_the_newest_checkpoint_is_printed_or_put_on_a_page(
    court: RunningCourt, run: Callable[..., Result], folder: Path
) -> None:
    """What is printed verifies, and is kept for good."""
    settings = court.demo.settings
    vkey = KeyFile.load(settings.key_folder).signer.vkey
    printed = run("checkpoint")
    checkpoint, note = open_checkpoint(printed.stdout.encode(), settings.origin, [vkey])
    written = run("checkpoint", "--html", folder / "today.html")
    reader = log_of(settings)
    kept = Anchors(reader).retained(checkpoint.size)
    reader.close()

    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert kept == note.encode()
    assert vkey.encode() in (folder / "today.html").read_text(encoding="utf-8")


def test_the_witness_key_is_made_once_and_then_only_shown(run: Callable[..., Result]) -> None:
    """Its name is the court's own host."""
    first, second = run("witness-key"), run("witness-key")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout == second.stdout
    assert WitnessKey.parse(first.stdout).name == "demo.shuniu.example/witness"


def test_exports_and_proofs_are_held_against_a_policy(
    court: RunningCourt, run: Callable[..., Result], folder: Path
) -> None:
    """Exit 0 where the witnesses asked for have cosigned, 1 for an export where they have not, 6 for such a proof."""
    settings = court.demo.settings
    vkey = KeyFile.load(settings.key_folder).signer.vkey
    (folder / "log.vkey").write_text(vkey.encode())
    reader = log_of(settings)
    kept = Anchors(reader).retain_newest()
    assert kept is not None
    line = WITNESS.cosign(parse(kept.note).text, 1_790_000_000).line().encode()
    evidence = Anchor(
        kind=AnchorKind.COSIGNATURE, name="neighbour", size=kept.size, at=datetime.now(UTC), evidence=line
    )
    Anchors(reader).add(evidence)
    export(reader, folder / "out", vkey)
    reader.close()
    stranger = Cosigner("stranger.example/witness", bytes([8] * 32))
    for name, witness in (("met", WITNESS), ("unmet", stranger)):
        (folder / name).write_text(f"witness w {witness.vkey.encode()}\nquorum w\n")
    (folder / "wrong").write_text("quorum q\n")
    proved = run("prove", 0, "--cosigned", "--out", folder / "0.tlog-proof")
    common = ("--vkey", folder / "log.vkey", "--policy")

    def codes(*command: Any) -> list[int]:
        return [run(*command, *common, folder / name).exit_code for name in ("met", "unmet", "wrong")]

    assert proved.exit_code == 0
    assert codes("verify", folder / "out") == [0, 1, 2]
    assert codes("check-proof", folder / "0.tlog-proof", folder / "0.entry") == [0, 6, 2]
    assert run("verify", "--policy", folder / "met").exit_code == 2
    told = " ".join(run("verify", folder / "out", *common, folder / "met").stdout.split())
    assert "cosigned by neighbour.example/witness" in told
