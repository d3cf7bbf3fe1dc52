"""
Every kind of damage to an exported folder is detected and located; an intact one passes.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.folder import Folder
from audit.note import Signer
from audit.tiles import ENTRIES, Tile, encode_bundle, hash_tiles
from audit.tree import CompactRange, full_root, leaf_hash
from audit.verify import Damage, Report, Verdict, verify
from tests.audit import naive

LOG = Signer("court.example/audit/1", bytes(range(32)))
SIZES = (0, 1, 255, 256, 257, 600, 70_000)


def entry(n: int) -> bytes:
    return b'{"n":%d,"x":"%s"}' % (n, hashlib.sha256(b"%d" % n).hexdigest().encode()[: n % 40])


def write(folder: Path, entries: list[bytes]) -> bytes:
    """An export of these entries, made without the code that writes exports; returns its checkpoint."""
    levels = [[naive.leaf(one) for one in entries]]
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([full_root(b"".join(below[at : at + 256])) for at in range(0, len(below) // 256 * 256, 256)])
    for tile in hash_tiles(len(entries)):
        put(folder, tile, b"".join(levels[tile.level][tile.n * 256 : tile.n * 256 + tile.width]))
        if tile.level == 0:
            part = entries[tile.n * 256 : tile.n * 256 + tile.width]
            put(folder, Tile(ENTRIES, tile.n, tile.width), encode_bundle(part))
    growing = CompactRange()
    for leaf in levels[0]:
        growing.append(leaf)
    note = LOG.sign(Checkpoint(LOG.vkey.name, len(entries), growing.root()).text()).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint").write_bytes(note)
    return note


def put(folder: Path, tile: Tile, content: bytes) -> None:
    path = folder / tile.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def check(folder: Path, *against: bytes) -> Report:
    return verify(Folder(folder), LOG.vkey.name, [LOG.vkey], against=against)


def found(report: Report) -> list[tuple[Damage, int | None, int | None]]:
    return [(finding.damage, finding.first, finding.last) for finding in report.findings]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """An intact export of every size."""
    folders = {}
    for size in SIZES:
        folders[size] = tmp_path_factory.mktemp(f"log{size}")
        write(folders[size], [entry(n) for n in range(size)])
    return folders


@pytest.fixture
def spoil(originals: dict[int, Path], tmp_path: Path) -> Callable[[int, str, Callable[[bytes], bytes]], Path]:
    """A copy of an export in which one file is changed."""

    def copy(size: int, name: str, change: Callable[[bytes], bytes]) -> Path:
        folder = tmp_path / "copy"
        if not folder.exists():
            shutil.copytree(originals[size], folder)
        path = folder / name
        path.write_bytes(change(path.read_bytes()))
        return folder

    return copy


def bundle(size: int, index: int) -> tuple[str, int]:
    """The file in which an entry is, and where its bytes begin."""
    n, place = divmod(index, 256)
    width = min(256, size - n * 256)
    return Tile(ENTRIES, n, width).path, sum(2 + len(entry(k)) for k in range(n * 256, n * 256 + place)) + 2


def hash_tile(size: int, level: int, n: int) -> str:
    return Tile(level, n, min(256, (size >> (8 * level)) - n * 256)).path


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("size", SIZES)
def test_an_intact_log_is_said_to_be_intact(originals: dict[int, Path], size: int) -> None:
    """At every size, with what was and what was not checked."""
    report = check(originals[size])

    assert (report.verdict, report.size, report.findings) == (Verdict.INTACT, size, [])
    assert report.last_line() == f"intact: {size} entries, all as signed"
    assert "--against" in report.unchecked[0]


@pytest.mark.parametrize("size", SIZES[1:])
def test_an_altered_entry_is_named(size: int, spoil: Callable[..., Path]) -> None:
    """One flipped bit in the first, a middle and the last entry."""
    for index in sorted({0, size // 2, size - 1}):
        name, start = bundle(size, index)
        folder = spoil(size, name, flip(start))
        assert found(check(folder)) == [(Damage.ENTRY, index, index)]
        spoil(size, name, flip(start))

    assert check(folder).verdict is Verdict.INTACT


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_missing_bundle_is_named(size: int, spoil: Callable[..., Path]) -> None:
    """Whatever else is still there is judged all the same."""
    name, _ = bundle(size, size - 1)
    folder = spoil(size, name, lambda _: b"")
    (folder / name).unlink()

    assert found(check(folder)) == [(Damage.MISSING, (size - 1) // 256 * 256, size - 1)]


@pytest.mark.parametrize("size", SIZES[2:])
def test_an_inserted_or_deleted_byte_is_found_at_its_entry(size: int, spoil: Callable[..., Path]) -> None:
    """The framing breaks there; nothing before it is blamed."""
    index = size - size % 256 + 3 if size % 256 > 3 else size // 2
    name, start = bundle(size, index)
    for change in (
        lambda content: content[:start] + b"\0" + content[start:],
        lambda content: content[:start] + content[start + 1 :],
    ):
        folder = spoil(size, name, change)
        report = check(folder)
        assert report.verdict is Verdict.ALTERED
        assert min(finding.first for finding in report.findings if finding.first is not None) == index
        shutil.rmtree(folder)


@pytest.mark.parametrize("size", [255, 256, 257, 70_000])
def test_two_swapped_entries_are_both_named(size: int, spoil: Callable[..., Path]) -> None:
    """Each stands where the other belongs."""

    def swap(content: bytes) -> bytes:
        (_, one), (_, two) = bundle(size, 5), bundle(size, 200)
        first, second = entry(5), entry(200)
        return (
            content[: one - 2]
            + encode_bundle([second])
            + content[one + len(first) : two - 2]
            + encode_bundle([first])
            + content[two + len(second) :]
        )

    folder = spoil(size, bundle(size, 5)[0], swap)
    assert found(check(folder)) == [(Damage.ENTRY, 5, 5), (Damage.ENTRY, 200, 200)]


@pytest.mark.parametrize("size", SIZES[1:])
def test_what_a_truncated_bundle_has_lost_is_named_exactly(size: int, spoil: Callable[..., Path]) -> None:
    """Cut in the length of an entry, in its bytes, or between two: from there to the end of the bundle."""
    index = size - 1 if size % 256 else size - 100
    name, start = bundle(size, index)
    for cut in (start - 2, start - 1, start + len(entry(index)) - 1):
        folder = spoil(size, name, lambda content, cut=cut: content[:cut])
        assert found(check(folder)) == [(Damage.MISSING, index, min(index | 255, size - 1))]
        shutil.rmtree(folder)


def test_two_swapped_bundles_are_found_entry_by_entry(spoil: Callable[..., Path]) -> None:
    """All of both, and nothing else."""
    one, two = Tile(ENTRIES, 5).path, Tile(ENTRIES, 200).path
    held = check_swap(spoil, one, two)

    assert held == [(Damage.ENTRY, n * 256 + k, n * 256 + k) for n in (5, 200) for k in range(256)]


def test_two_swapped_tiles_are_found_hash_by_hash(spoil: Callable[..., Path]) -> None:
    """The entries lead to the root; the tiles do not."""
    held = check_swap(spoil, Tile(0, 5).path, Tile(0, 200).path)

    assert held == [(Damage.TILE, 5 * 256, 5 * 256 + 255), (Damage.TILE, 200 * 256, 200 * 256 + 255)]


def check_swap(spoil: Callable[..., Path], one: str, two: str) -> list[tuple[Damage, int | None, int | None]]:
    folder = spoil(70_000, one, lambda content: content)
    first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
    (folder / one).write_bytes(second)
    (folder / two).write_bytes(first)
    return found(check(folder))


@pytest.mark.parametrize("size", SIZES[2:])
def test_two_swapped_hashes_of_a_tile_are_both_named(size: int, spoil: Callable[..., Path]) -> None:
    """At every level that has two, in the first tile and in the last."""
    for level in range(2):
        held = size >> (8 * level)
        for n in {0, (held - 1) // 256} if held > 1 else ():
            width = min(256, held - n * 256)
            if width < 2:
                continue
            folder = spoil(size, hash_tile(size, level, n), lambda c, w=width: c[-32:] + c[32 : (w - 1) * 32] + c[:32])
            span = 256**level
            places = (n * 256, n * 256 + width - 1)
            runs = [(place * span, place * span + span - 1) for place in places]
            if width == 2:
                runs = [(runs[0][0], runs[1][1])]
            assert found(check(folder)) == [(Damage.TILE, *run) for run in runs]
            shutil.rmtree(folder)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_byte_too_many_or_too_few_anywhere_in_a_tile_is_found_in_that_tile(
    size: int, spoil: Callable[..., Path]
) -> None:
    """At its beginning, in its middle, at its end, at every level; and half of the file."""
    for level in range(3):
        for n in {0, ((size >> (8 * level)) - 1) // 256} if size >> (8 * level) else ():
            name = hash_tile(size, level, n)
            width = min(256, (size >> (8 * level)) - n * 256)
            for change in (
                lambda content: b"\7" + content,
                lambda content: content[1:],
                lambda content: content[: len(content) // 2] + b"\7" + content[len(content) // 2 :],
                lambda content: content[: len(content) // 2],
            ):
                folder = spoil(size, name, change)
                span = 256**level
                assert found(check(folder)) == [(Damage.TILE, n * 256 * span, (n * 256 + width) * span - 1)]
                shutil.rmtree(folder)


@pytest.mark.parametrize("size", SIZES)
def test_no_changed_byte_of_a_checkpoint_passes(size: int, originals: dict[int, Path]) -> None:
    """Flip, insert, delete and truncate at every place; size and root, or text and signature, swapped."""
    note = (originals[size] / "checkpoint").read_bytes()
    text, line = note.split(b"\n\n")
    origin, number, root = text.split(b"\n")
    changed = [b"\n".join((origin, root, number)) + b"\n\n" + line, line + b"\n" + text + b"\n"]
    for at in range(len(note)):
        changed += [flip(at)(note), note[:at] + b"\7" + note[at:], note[:at] + note[at + 1 :], note[:at]]

    for one in changed:
        assert check_note(originals[size], one).verdict is not Verdict.INTACT


def check_note(folder: Path, note: bytes) -> Report:
    class Other(Folder):
        def checkpoint(self) -> bytes:
            return note

    return verify(Other(folder), LOG.vkey.name, [LOG.vkey])


@pytest.mark.parametrize("size", [256, 257, 70_000])
def test_an_entry_altered_together_with_its_hash_is_located_by_the_next_level(
    size: int, spoil: Callable[..., Path]
) -> None:
    """To the 256 entries of its tile."""
    forged = b"f" * len(entry(77))
    name, start = bundle(size, 77)
    spoil(size, name, lambda content: content[:start] + forged + content[start + len(forged) :])
    tile = hash_tile(size, 0, 0)
    folder = spoil(size, tile, lambda content: content[: 77 * 32] + leaf_hash(forged) + content[78 * 32 :])

    assert found(check(folder)) == [(Damage.RANGE, 0, 255)]


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_damaged_hash_tile_is_told_apart_from_a_damaged_entry(size: int, spoil: Callable[..., Path]) -> None:
    """Every level; the entries lead to the signed root, so they are fine."""
    for level in range(3):
        if not size >> (8 * level):
            continue
        name = hash_tile(size, level, 0)
        for change in (flip(0), lambda content: content[:-1], lambda content: content + b"\0", lambda _: b""):
            folder = spoil(size, name, change)
            report = check(folder)
            assert [finding.damage for finding in report.findings] == [Damage.TILE]
            assert report.findings[0].where == f"tile level {level}, number 0"
            shutil.rmtree(folder)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_history_rewritten_with_the_true_key_is_caught_by_an_older_checkpoint(size: int, tmp_path: Path) -> None:
    """Self-consistent and truly signed: only what was kept elsewhere tells, and says between which sizes."""
    entries = [entry(n) for n in range(size)]
    kept = [write(tmp_path / "kept", entries[:old]) for old in sorted({1, size // 3 + 1, size})]
    entries[size // 2] = b"forged"
    write(tmp_path / "log", entries)

    assert check(tmp_path / "log").verdict is Verdict.INTACT
    report = check(tmp_path / "log", *kept)
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

    assert check(tmp_path / "log").verdict is Verdict.INTACT
    assert found(check(tmp_path / "log", newer)) == [(Damage.SHORTENED, size - 1, size - 1)]


@pytest.mark.parametrize("size", [1, 257, 70_000])
def test_another_checkpoint_than_the_entrys_is_noticed(
    originals: dict[int, Path], size: int, spoil: Callable[..., Path]
) -> None:
    """Signed by the true key for another tree of the same size, or by another key."""
    forged = LOG.sign(Checkpoint(LOG.vkey.name, size, bytes(32)).text()).encode()
    folder = spoil(size, "checkpoint", lambda _: forged)
    assert found(check(folder)) == [(Damage.REPLACED, 0, size - 1)]

    stranger = Signer(LOG.vkey.name, bytes([9] * 32)).sign(Checkpoint(LOG.vkey.name, size, bytes(32)).text()).encode()
    folder = spoil(size, "checkpoint", lambda _: stranger)
    assert check(folder).verdict is Verdict.CANNOT_SAY
    (folder / "checkpoint").unlink()
    assert check(folder).verdict is Verdict.CANNOT_SAY


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

    assert check(folder).verdict is not Verdict.INTACT
