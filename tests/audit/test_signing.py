"""
Checkpoints are signed only of a log that has grown and never of one that has changed; keys stay with their owner.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg
import pytest

from audit.errors import LogBroken, LogConfigurationError
from audit.format.checkpoint import read_checkpoint
from audit.format.tree import verify_consistency
from audit.sealing.keys import FILE, GUARD, KeyFile, Keys
from audit.store.log import Log
from tests.audit.sample import ORIGIN, Dsn, intent

pytestmark = pytest.mark.anyio

OpenLog = Callable[..., Awaitable[Log]]


def owner(dsn: Dsn, *statements: str) -> None:
    """Does what only somebody with full power over the database can do."""
    with psycopg.connect(dsn.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


async def test_a_new_log_has_a_checkpoint_from_the_first_moment(log: Log) -> None:
    """Of the empty tree."""
    assert read_checkpoint(log.checkpoint).size == log.checkpoint_size == 0


async def test_every_checkpoint_is_consistent_with_every_later_one(open_log: OpenLog) -> None:
    """Signed by three replicas in turn while records come in; the proofs are made from the database."""
    logs = [await open_log() for _ in range(3)]
    notes = {logs[0].checkpoint_size: logs[0].checkpoint}
    for n in range(24):
        await asyncio.gather(*(logs[k % 3].append(intent(n * 30 + k)) for k in range(n + 1)))
        signer = logs[n % 3]
        size = await signer.sign()
        notes[size] = signer.checkpoint
    checkpoints = [read_checkpoint(note) for _, note in sorted(notes.items())]

    assert [checkpoint.size for checkpoint in checkpoints] == [n * (n + 1) // 2 for n in range(25)]
    for at, old in enumerate(checkpoints[1:], 1):
        for new in checkpoints[at:]:
            proof = logs[0].reader.consistency(old.size, new.size)
            assert verify_consistency(old.size, new.size, old.root, new.root, proof)


async def test_the_background_signer_covers_what_was_recorded(open_log: OpenLog) -> None:
    """Without being asked."""
    log = await open_log(sign_every=0.01)
    await log.append(intent(1))
    async with asyncio.timeout(20):
        while log.checkpoint_size < 1:  # noqa: ASYNC110 - another task makes it so
            await asyncio.sleep(0.005)

    assert log.signer.age < 20


async def test_a_restored_older_database_is_refused(dsn: Dsn, keys: Keys) -> None:
    """The guard beside the key remembers more than the database has."""
    log = await Log.open(dsn.hub, keys, sign_every=None)
    for n in range(5):
        await log.append(intent(n))
    await log.sign()
    await log.aclose()
    owner(
        dsn,
        "TRUNCATE audit.entry, audit.checkpoint, audit.anchor",
        "UPDATE audit.head SET size = 0, range = '{}', signed_size = 0",
    )

    with pytest.raises(LogBroken, match="rolled back") as caught:
        await Log.open(dsn.hub, keys)
    assert caught.value.last_good == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.entry SET leaf = sha256('x') WHERE idx = 1",
        "UPDATE audit.entry SET leaf = sha256('x') WHERE idx = 3",
        "DELETE FROM audit.entry WHERE idx = 3",
        "UPDATE audit.head SET range[1] = sha256('x')",
    ],
)
async def test_a_log_that_was_changed_under_a_running_hub_is_never_signed_again(
    dsn: Dsn, keys: Keys, statement: str
) -> None:
    """Neither by the running process nor by a new one; what was signed stays as it is."""
    log = await Log.open(dsn.hub, keys, sign_every=None)
    await log.append(intent(0))
    for n in range(1, 5):
        await log.append(intent(n))
    owner(dsn, statement)

    with pytest.raises(LogBroken):
        await log.sign()
    with pytest.raises(LogBroken):
        await log.sign()
    assert (log.checkpoint_size, log.signer.broken is not None) == (0, True)
    await log.aclose()
    with pytest.raises(LogBroken):
        await Log.open(dsn.hub, keys)


async def test_a_checkpoint_in_the_database_that_the_key_did_not_sign_is_refused(dsn: Dsn, keys: Keys) -> None:
    """Replaced signature, or that of another key."""
    log = await Log.open(dsn.hub, keys, sign_every=None)
    await log.append(intent(0))
    await log.sign()
    await log.aclose()
    owner(dsn, "UPDATE audit.head SET signed_note = 'forged'")
    with pytest.raises(LogBroken, match="not one that this key signed"):
        await Log.open(dsn.hub, keys)


async def test_another_host_with_a_copy_of_the_keys_catches_up(dsn: Dsn, keys: Keys, tmp_path: Path) -> None:
    """Its guard remembers less than was published, which is checked on the way."""
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for name in (FILE, GUARD):
        (other / name).write_bytes((tmp_path / "keys" / name).read_bytes())
        (other / name).chmod(0o600)
    log = await Log.open(dsn.hub, keys, sign_every=None)
    for n in range(300):
        await log.append(intent(n))
    await log.sign()
    second = await Log.open(dsn.hub, KeyFile.load(other), sign_every=None)

    assert second.checkpoint_size == 300
    await second.append(intent(1000))
    assert (await second.sign(), await log.sign()) == (301, 301)
    await second.aclose()
    await log.aclose()


async def test_a_missing_or_foreign_guard_is_refused(dsn: Dsn, keys: Keys, tmp_path: Path) -> None:
    """Without it nobody can tell a restored database from the true one."""
    KeyFile.create(tmp_path / "other", origin=ORIGIN)
    guard = tmp_path / "keys" / GUARD
    log = await Log.open(dsn.hub, keys, sign_every=None)
    await log.append(intent(0))
    await log.sign()
    await log.aclose()
    for content in (b"{}", b"junk", b'{"checkpoint": "forged", "range": []}', b'{"checkpoint": "", "range": ["AA=="]}'):
        guard.write_bytes(content)
        with pytest.raises(LogConfigurationError, match="not the rollback guard"):
            await Log.open(dsn.hub, keys)
    guard.unlink()
    with pytest.raises(LogConfigurationError, match="guard is missing"):
        await Log.open(dsn.hub, keys)


async def test_keys_of_another_log_do_not_open_this_one(dsn: Dsn, tmp_path: Path) -> None:
    """Neither by name nor by file."""
    other = KeyFile.create(tmp_path / "other", origin="other.example/audit/1")
    with pytest.raises(LogConfigurationError, match="not other"):
        await Log.open(dsn.hub, other)
    with pytest.raises(LogConfigurationError, match="SHUNIU_ORIGIN"):
        await Log.open(dsn.hub, other, origin=ORIGIN)


def test_keys_are_made_once_and_read_only_by_their_owner(tmp_path: Path) -> None:
    """Each refusal says what to run."""
    folder = tmp_path / "keys"
    made = KeyFile.create(folder, origin=ORIGIN)

    assert KeyFile.load(folder).signer.vkey == made.signer.vkey
    assert (folder / FILE).stat().st_mode & 0o777 == (folder / GUARD).stat().st_mode & 0o777 == 0o600
    assert not any(str(secret) in repr(made) for secret in (made.root, made.index, made.signer))
    with pytest.raises(LogConfigurationError, match="there already"):
        KeyFile.create(folder, origin=ORIGIN)
    (folder / FILE).chmod(0o640)
    with pytest.raises(LogConfigurationError, match="chmod 600"):
        KeyFile.load(folder)
    (folder / FILE).chmod(0o600)
    for content in ("", "signing x\nroot AA==\nindex AA==\n", (folder / FILE).read_text()[:-9]):
        (folder / FILE).write_text(content)
        with pytest.raises(LogConfigurationError, match="not a key file"):
            KeyFile.load(folder)
    with pytest.raises(LogConfigurationError, match="no key file"):
        KeyFile.load(tmp_path / "nowhere")
