"""
Every kind of damage to entries and checkpoint of an exported folder is detected and located; an intact one passes.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.format.checkpoint import Checkpoint
from audit.format.note import Signer
from audit.format.tiles import ENTRIES, Tile, encode_bundle
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import Damage, VerificationReport, VerificationVerdict, verify
from tests.audit.folders import LOG, SIZES, bundle, check, check_swap, entry, findings_of, flip, write


@pytest.mark.parametrize("size", SIZES)
def test_an_unaltered_log_is_intact(originals: dict[int, Path], size: int) -> None:
    """At every size, with what was and what was not checked."""
    report = check(originals[size])

    assert (report.verdict, report.size, report.findings) == (VerificationVerdict.INTACT, size, [])
    assert report.last_line() == f"intact: {size} entries, all as signed"
    assert "--against" in report.unchecked[0]


@pytest.mark.parametrize("size", SIZES[1:])
def test_an_altered_entry_is_named(size: int, corrupt: Callable[..., Path]) -> None:
    """One flipped bit in the first, a middle and the last entry."""
    for index in sorted({0, size // 2, size - 1}):
        name, start = bundle(size, index)
        folder = corrupt(size, name, flip(start))
        assert findings_of(check(folder)) == [(Damage.ENTRY, index, index)]
        corrupt(size, name, flip(start))

    assert check(folder).verdict is VerificationVerdict.INTACT


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_missing_bundle_is_named(size: int, corrupt: Callable[..., Path]) -> None:
    """Whatever else is still there is judged all the same."""
    name, _ = bundle(size, size - 1)
    folder = corrupt(size, name, lambda _: b"")
    (folder / name).unlink()

    assert findings_of(check(folder)) == [(Damage.MISSING, (size - 1) // 256 * 256, size - 1)]


@pytest.mark.parametrize("size", SIZES[2:])
def test_an_inserted_or_deleted_byte_is_found_at_its_entry(
    size: int, originals: dict[int, Path], corrupt: Callable[..., Path]
) -> None:
    """The framing breaks there; nothing before it is blamed."""
    index = size - size % 256 + 3 if size % 256 > 3 else size // 2
    name, start = bundle(size, index)
    for change in (
        lambda content: content[:start] + b"\0" + content[start:],
        lambda content: content[:start] + content[start + 1 :],
    ):
        folder = corrupt(size, name, change)
        report = check(folder)
        assert report.verdict is VerificationVerdict.ALTERED
        assert min(finding.first for finding in report.findings if finding.first is not None) == index
        shutil.copy(originals[size] / name, folder / name)


@pytest.mark.parametrize("size", [255, 256, 257, 70_000])
def test_two_swapped_entries_are_both_named(size: int, corrupt: Callable[..., Path]) -> None:
    """Each stands where the other belongs."""

    def swap(content: bytes) -> bytes:
        (_, start), (_, other) = bundle(size, 5), bundle(size, 200)
        first, second = entry(5), entry(200)
        return (
            content[: start - 2]
            + encode_bundle([second])
            + content[start + len(first) : other - 2]
            + encode_bundle([first])
            + content[other + len(second) :]
        )

    folder = corrupt(size, bundle(size, 5)[0], swap)
    assert findings_of(check(folder)) == [(Damage.ENTRY, 5, 5), (Damage.ENTRY, 200, 200)]


@pytest.mark.parametrize("size", SIZES[1:])
def test_entries_lost_with_a_truncated_bundle_are_named_exactly(
    size: int, originals: dict[int, Path], corrupt: Callable[..., Path]
) -> None:
    """Cut in the length of an entry, in its bytes, or between two: from there to the end of the bundle."""
    index = size - 1 if size % 256 else size - 100
    name, start = bundle(size, index)
    for cut in (start - 2, start - 1, start + len(entry(index)) - 1):
        folder = corrupt(size, name, lambda content, cut=cut: content[:cut])
        assert findings_of(check(folder)) == [(Damage.MISSING, index, min(index | 255, size - 1))]
        shutil.copy(originals[size] / name, folder / name)


def test_two_swapped_bundles_are_found_entry_by_entry(corrupt: Callable[..., Path]) -> None:
    """All of both, and nothing else."""
    first, second = Tile(ENTRIES, 5).path, Tile(ENTRIES, 200).path
    findings = check_swap(corrupt, first, second)

    assert findings == [(Damage.ENTRY, n * 256 + k, n * 256 + k) for n in (5, 200) for k in range(256)]


@pytest.mark.parametrize("size", SIZES)
def test_no_changed_byte_of_a_checkpoint_passes(size: int, originals: dict[int, Path]) -> None:
    """Flip, insert, delete and truncate at every place; size and root, or text and signature, swapped."""
    note = (originals[size] / "checkpoint").read_bytes()
    text, line = note.split(b"\n\n")
    origin, number, root = text.split(b"\n")
    changed = [b"\n".join((origin, root, number)) + b"\n\n" + line, line + b"\n" + text + b"\n"]
    for at in range(len(note)):
        changed += [flip(at)(note), note[:at] + b"\7" + note[at:], note[:at] + note[at + 1 :], note[:at]]

    for path in changed:
        assert check_note(originals[size], path).verdict is not VerificationVerdict.INTACT


def check_note(folder: Path, note: bytes) -> VerificationReport:
    class Other(DirectorySource):
        def checkpoint(self) -> bytes:
            return note

    return verify(Other(folder), LOG.vkey.name, [LOG.vkey])


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_history_rewritten_with_the_true_key_is_caught_by_an_older_checkpoint(size: int, tmp_path: Path) -> None:
    """Self-consistent and truly signed: only what was kept elsewhere tells, and says between which sizes."""
    entries = [entry(n) for n in range(size)]
    checkpoints = [write(tmp_path / "kept", entries[:old]) for old in sorted({1, size // 3 + 1, size})]
    entries[size // 2] = b"forged"
    write(tmp_path / "log", entries)

    assert check(tmp_path / "log").verdict is VerificationVerdict.INTACT
    report = check(tmp_path / "log", *checkpoints)
    (finding,) = report.findings
    assert finding.damage is Damage.REWRITTEN
    assert finding.first is not None
    assert finding.last is not None
    assert finding.first <= size // 2 <= finding.last


@pytest.mark.parametrize("size", SIZES[2:])
def test_a_cut_tail_is_caught_by_a_newer_checkpoint(size: int, tmp_path: Path) -> None:
    """Without one, nothing can show it, and the report says so."""
    entries = [entry(n) for n in range(size)]
    newer = write(tmp_path / "kept", entries)
    write(tmp_path / "log", entries[:-1])

    assert check(tmp_path / "log").verdict is VerificationVerdict.INTACT
    assert findings_of(check(tmp_path / "log", newer)) == [(Damage.SHORTENED, size - 1, size - 1)]


@pytest.mark.parametrize("size", [1, 257, 70_000])
def test_another_checkpoint_than_the_entrys_is_noticed(
    originals: dict[int, Path], size: int, corrupt: Callable[..., Path]
) -> None:
    """Signed by the true key for another tree of the same size, or by another key."""
    forged = LOG.sign(Checkpoint(LOG.vkey.name, size, bytes(32)).text()).encode()
    folder = corrupt(size, "checkpoint", lambda _: forged)
    assert findings_of(check(folder)) == [(Damage.REPLACED, 0, size - 1)]

    stranger = Signer(LOG.vkey.name, bytes([9] * 32)).sign(Checkpoint(LOG.vkey.name, size, bytes(32)).text()).encode()
    folder = corrupt(size, "checkpoint", lambda _: stranger)
    assert check(folder).verdict is VerificationVerdict.CANNOT_SAY
    (folder / "checkpoint").unlink()
    assert check(folder).verdict is VerificationVerdict.CANNOT_SAY


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_of_any_file_passes(
    data: st.DataObject, originals: dict[int, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Flip, insert, delete or truncate anywhere in the export of 600 entries."""
    folder = tmp_path_factory.mktemp("fuzz") / "copy"
    shutil.copytree(originals[600], folder)
    path = data.draw(st.sampled_from(sorted(path for path in folder.rglob("*") if path.is_file())))
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.sampled_from(["flip", "insert", "delete", "truncate"]))
    path.write_bytes(
        {
            "flip": content[:at] + bytes([content[at] ^ (1 << data.draw(st.integers(0, 7)))]) + content[at + 1 :],
            "insert": content[:at] + b"\x07" + content[at:],
            "delete": content[:at] + content[at + 1 :],
            "truncate": content[:at],
        }[change]
    )

    assert check(folder).verdict is not VerificationVerdict.INTACT
