"""
A checkpoint on paper, and the keys that are made for a witness.
"""

import re
import stat
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import segno

from audit.anchor.paper_checkpoint import deliver, fingerprint, page
from audit.anchor.witness_key import FILE, create_witness_key, load_witness_key, witness_name
from audit.errors import LogConfigurationError
from audit.format.checkpoint import Checkpoint
from audit.format.note import Signer

LOG = Signer("court.example/audit/1", bytes(range(32)))
NOTE = LOG.sign(Checkpoint(LOG.vkey.name, 70_000, bytes(range(32))).text()).encode()
DAY = date(2026, 11, 24)


def test_the_page_shows_all_that_is_compared_by_eye_and_the_whole_note() -> None:
    """Both languages, groups of four, nothing from the network."""
    shown = page(NOTE, LOG.vkey, DAY)

    for text in (
        "2026-11-24",
        "court.example/audit/1",
        "70000",
        "0001 0203 0405 0607 0809 0a0b 0c0d 0e0f 1011 1213 1415 1617 1819 1a1b 1c1d 1e1f",
        fingerprint(LOG.vkey),
        LOG.vkey.encode(),
        NOTE.decode(),
        "shuniu audit verify EXPORT --vkey log.vkey --against 2026-11-24.checkpoint",
        "保管人签名",
        "Signature",
        "size: A4",
    ):
        assert text in shown
    assert re.search(r"(src|href)=|@import|url\(", shown) is None


def test_the_qr_code_holds_the_whole_checkpoint() -> None:
    """It is the one that the note alone makes."""
    drawing = re.search(r"<svg.*?</svg>", page(NOTE, LOG.vkey, DAY), re.DOTALL)
    alone = segno.make(NOTE.decode(), encoding="utf-8", error="m", micro=False)

    assert drawing is not None
    assert drawing[0] == alone.svg_inline(omitsize=True)
    assert ET.fromstring(drawing[0]).get("viewBox") == "0 0 {0} {0}".format(alone.symbol_size()[0])


def test_a_delivery_is_the_notes_bytes_and_its_page(folder: Path) -> None:
    """Named by the day; a folder that is gone is not made anew somewhere else."""
    path = deliver(folder, NOTE, LOG.vkey, DAY)

    assert path.read_bytes() == NOTE
    assert (folder / "2026-11-24.html").read_text(encoding="utf-8") == page(NOTE, LOG.vkey, DAY)
    assert sorted(path.name for path in folder.iterdir()) == ["2026-11-24.checkpoint", "2026-11-24.html"]
    with pytest.raises(NotADirectoryError):
        deliver(folder / "gone", NOTE, LOG.vkey, DAY)


def test_a_witness_key_is_made_once_and_for_its_owner_alone(folder: Path) -> None:
    """Under the name of the court's own host, as a cosignature key."""
    made = create_witness_key(folder / "keys", name=witness_name(LOG.vkey.name))

    assert load_witness_key(folder / "keys").vkey == made.vkey
    assert made.vkey.encode().startswith("court.example/witness+")
    assert stat.S_IMODE((folder / "keys" / FILE).stat().st_mode) == 0o600
    with pytest.raises(LogConfigurationError, match="there already"):
        create_witness_key(folder / "keys", name="other.example/witness")


def test_an_unusable_witness_key_is_refused_with_the_next_step(folder: Path) -> None:
    """Missing, readable by others, not a key, or two halves that do not belong together."""
    with pytest.raises(LogConfigurationError, match="shuniu audit witness-key"):
        load_witness_key(folder)
    create_witness_key(folder, name="a.example/witness")
    path = folder / FILE
    text = path.read_text()
    seed = re.search(r"seed (.*)\n", text)
    assert seed is not None
    for damaged in (
        "",
        text.replace(seed[1], "AAAA"),
        text.replace(seed[1], "A" * 43 + "="),
        f"vkey {LOG.vkey.encode()}\n",
    ):
        path.write_text(damaged)
        with pytest.raises(LogConfigurationError, match="not a witness key"):
            load_witness_key(folder)
    path.chmod(0o640)
    with pytest.raises(LogConfigurationError, match="chmod 600"):
        load_witness_key(folder)
