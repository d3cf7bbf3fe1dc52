"""
The log in its database and as an exported folder: the same tree, verified without the hub, damage located in both.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from audit.export.exporter import export
from audit.format.note import VerifierKey
from audit.format.proof import Proof, check_proof
from audit.format.tiles import ENTRIES, Tile, bundles, decode_bundle, hash_tiles
from audit.sealing.keys import Keys
from audit.store.log import Log
from audit.store.reader import Reader
from audit.verify.database_source import verify_tables
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import Damage, VerificationVerdict, verify
from tests.audit import oracle
from tests.audit.sample import ORIGIN, Dsn, intent, outcome

pytestmark = pytest.mark.anyio

OpenLog = Callable[..., Awaitable[Log]]


async def fill(log: Log, count: int) -> None:
    """Records half as many lookups, and signs."""
    intents = [intent(n) for n in range((count + 1) // 2)]
    await asyncio.gather(*(log.append(event) for event in intents))
    await asyncio.gather(*(log.append(outcome(event)) for event in intents[: count // 2]))
    await log.sign()


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
async def test_an_export_is_complete_and_verifies_without_the_database(log: Log, tmp_path: Path, size: int) -> None:
    """Exactly the files of this size, and the root of the recursion over their entries."""
    await fill(log, size)
    folder = tmp_path / "out"
    assert export(log.reader, folder, log.keys.signer.vkey) == size
    there = {path.relative_to(folder).as_posix() for path in (folder / "tile").rglob("*") if path.is_file()}
    entries = [
        entry for tile in bundles(size) for entry in decode_bundle((folder / tile.path).read_bytes(), tile.width)
    ]
    key = VerifierKey.parse((folder / "log.vkey").read_text())
    report = verify(DirectorySource(folder), ORIGIN, [key], against=DirectorySource(folder).older())

    assert there == {tile.path for tile in (*hash_tiles(size), *bundles(size))}
    assert (report.verdict, report.size, report.root) == (VerificationVerdict.INTACT, size, oracle.root(entries))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["origin"], manifest["size"], manifest["root_sha256"]) == (ORIGIN, size, report.root.hex())


async def test_an_export_is_continued_and_leaves_no_litter(log: Log, tmp_path: Path) -> None:
    """Partial tiles of the older checkpoint are gone, the older checkpoint is kept and still holds."""
    await fill(log, 300)
    export(log.reader, tmp_path / "out", log.keys.signer.vkey)
    earlier = (tmp_path / "out" / "checkpoint").read_bytes()
    for n in range(1000, 1250):
        await log.append(intent(n))
    await log.sign()
    export(log.reader, tmp_path / "out", log.keys.signer.vkey)
    source = DirectorySource(tmp_path / "out")

    assert not (tmp_path / "out" / Tile(0, 1, 44).path).exists()
    assert not (tmp_path / "out" / Tile(ENTRIES, 1, 44).path).exists()
    assert earlier in source.older()
    assert verify(source, ORIGIN, [log.keys.signer.vkey], against=source.older()).verdict is VerificationVerdict.INTACT


async def test_an_export_during_writes_is_one_consistent_state(log: Log, tmp_path: Path) -> None:
    """Of the checkpoint that was signed before it began."""
    await fill(log, 400)

    async def keep_writing() -> None:
        n = 5000
        while True:
            n += 1
            await log.append(intent(n))
            await log.sign()

    writing = asyncio.create_task(keep_writing())
    size = await asyncio.to_thread(export, log.reader, tmp_path / "out", log.keys.signer.vkey)
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    report = verify(DirectorySource(tmp_path / "out"), ORIGIN, [log.keys.signer.vkey])
    assert (report.verdict, report.size) == (VerificationVerdict.INTACT, size)


async def test_the_commands_of_the_exports_readme_run(log: Log, tmp_path: Path) -> None:
    """The first leaf hash and the checkpoint's signature with a shell and openssl alone; and our own command."""
    await fill(log, 5)
    folder = tmp_path / "out"
    export(log.reader, folder, log.keys.signer.vkey)
    blocks = re.findall(r"(?:^    .+\n)+", (folder / "README.md").read_text(), re.MULTILINE)

    def run(block: str) -> str:
        ended = subprocess.run(["bash", "-e", "-c", block], cwd=folder, capture_output=True, text=True, check=True)
        return ended.stdout

    hashed = run(next(block for block in blocks if "dgst" in block)).split()
    assert hashed[:32] == hashed[32:] == re.findall("..", oracle.leaf(log.reader.body(0) or b"").hex())
    ours = next(block for block in blocks if "shuniu" in block).replace("shuniu", f"{sys.prefix}/bin/shuniu")
    assert "intact: 5 entries" in run(ours.replace("OLD_CHECKPOINT", "checkpoints/5"))
    signature = next(block for block in blocks if "pkeyutl" in block)
    assert "Verified Successfully" in run(signature)
    body = folder / "checkpoint"
    body.write_text(body.read_text().replace("\n5\n", "\n6\n"))
    with pytest.raises(subprocess.CalledProcessError):
        run(signature)


async def test_a_proof_from_the_database_checks_offline(log: Log) -> None:
    """For entries of the first and of an unfinished tile."""
    await fill(log, 300)
    for index in (0, 255, 256, 299):
        body = log.reader.body(index)
        assert body is not None
        proof = Proof(index, tuple(log.reader.inclusion(index, log.checkpoint_size)), log.checkpoint)
        assert check_proof(Proof.parse(proof.encode()), body, ORIGIN, [log.keys.signer.vkey]).size == 300


FORGED = "convert_to('{\"forged\":1}', 'UTF8')"
BOTH = f"UPDATE audit.entry SET body = {FORGED}, leaf = sha256('\\x00'::bytea || {FORGED}) WHERE idx = 77"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([f"UPDATE audit.entry SET body = {FORGED} WHERE idx = 77"], [(Damage.ENTRY, 77, 77)]),
        ([f"UPDATE audit.entry SET body = {FORGED} WHERE idx = 299"], [(Damage.ENTRY, 299, 299)]),
        (["DELETE FROM audit.entry WHERE idx = 77"], [(Damage.MISSING, 77, 77), (Damage.RANGE, 0, 255)]),
        (["UPDATE audit.entry SET leaf = sha256('x') WHERE idx = 77"], [(Damage.TILE, 77, 77)]),
        (["UPDATE audit.subtree SET hash = sha256('x')"], [(Damage.TILE, 0, 255)]),
        ([BOTH], [(Damage.RANGE, 0, 255)]),
        ([BOTH.replace("77", "301")], [(Damage.HEAD, 300, 301)]),
        (["UPDATE audit.entry SET idx = 310 WHERE idx = 301"], [(Damage.MISSING, 301, 301), (Damage.ENTRY, 302, 310)]),
        (
            [
                "CREATE TABLE held AS SELECT idx, body FROM audit.entry WHERE idx IN (5, 200)",
                "UPDATE audit.entry e SET body = h.body FROM held h WHERE e.idx + h.idx = 205 AND e.idx IN (5, 200)",
            ],
            [(Damage.ENTRY, 5, 5), (Damage.ENTRY, 200, 200)],
        ),
        (["DELETE FROM audit.entry WHERE idx = 301"], [(Damage.MISSING, 301, 301)]),
        ([f"UPDATE audit.entry SET body = {FORGED} WHERE idx = 301"], [(Damage.ENTRY, 301, 301)]),
        (
            ["INSERT INTO audit.entry SELECT 302, at, gen_random_uuid(), type, states, leaf, court, body "
             "FROM audit.entry WHERE idx = 5"],
            [(Damage.ENTRY, 302, 302)],
        ),
    ],
)  # fmt: skip
async def test_damage_in_the_database_is_located(
    dsn: Dsn, keys: Keys, statements: list[str], expected: list[tuple[Damage, int, int]]
) -> None:
    """300 signed entries and two that no checkpoint covers yet, changed by somebody who can switch off every fence."""
    log = await Log.open(dsn.hub, keys, sign_every=None)
    await fill(log, 300)
    await log.append(intent(900))
    await log.append(intent(901))
    log._sequencer.close()
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)
    report = verify_tables(log.reader, ORIGIN, [keys.signer.vkey])
    log.reader.close()

    assert [(finding.damage, finding.first, finding.last) for finding in report.findings] == expected
    assert report.verdict is VerificationVerdict.ALTERED


async def test_an_unaltered_database_is_intact(log: Log, dsn: Dsn, keys: Keys) -> None:
    """The unsigned newest entries are named as such."""
    await fill(log, 300)
    await log.append(intent(900))
    seen: list[tuple[int, int]] = []
    reader = Reader(dsn.hub, keys)
    report = verify_tables(reader, ORIGIN, [keys.signer.vkey], progress=lambda done, total: seen.append((done, total)))
    reader.close()

    assert (report.verdict, report.size) == (VerificationVerdict.INTACT, 300)
    assert "1 newer entries" in report.checked[-1]
    assert seen == [(256, 300), (300, 300)]
