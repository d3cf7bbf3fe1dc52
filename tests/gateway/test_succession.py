"""
A log that cannot go on is succeeded by a new one, which begins with the last checkpoint of the old.
"""

import asyncio
import itertools
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from audit.errors import LogBroken, LogConfigurationError
from audit.format.checkpoint import open_checkpoint, read_checkpoint
from audit.format.event import Actor, Event, EventType
from audit.format.note import NoteError, Signer
from audit.sealing.keys import FILE, GUARD, KeyFile
from audit.sealing.rollback_guard import RollbackGuard
from audit.store.reader import Reader
from audit.store.search import Query, search
from audit.store.succession import begin, embedded, last_known
from gateway.__main__ import app
from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import world
from gateway.field_encryption import HUB_KEY
from gateway.hub import Hub
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.settings import Settings

OLD, NEW, SCHEMA = "court.example/audit/1", "court.example/audit/2", "audit_2"
NOWHERE = "http://127.0.0.1:9"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Installation:
    """A hub's database as it was at some moment, and how it is run."""

    postgres: EmbeddedServer
    settings: Settings
    database: str

    def at(self, database: str) -> "Installation":
        """The same hub on another copy of its database."""
        changes = {
            "database_url": self.postgres.url(database, user=APPLICATION_ROLE),
            "owner_url": self.postgres.url(database),
        }
        return Installation(self.postgres, self.settings.model_copy(update=changes), database)

    def backup(self) -> "Installation":
        """The database as it is now, in a copy."""
        name = f"{self.database}_copy"
        self.postgres.create(name, template=self.database)
        return self.at(name)

    def record(self, count: int) -> bytes:
        """Starts the hub, records so many events, and stops it; returns the last checkpoint."""

        async def live() -> bytes:
            async with await Hub.start(self.settings) as hub:
                for _ in range(count):
                    who = Actor(user="li.ting", court="浙0802")
                    await hub.log.append(
                        Event(type=EventType.SESSION_SIGNED_IN, exchange=uuid4(), at=datetime.now(UTC), who=who)
                    )
                await hub.log.sign()
                return hub.log.checkpoint

        return asyncio.run(live())

    def run(self, *arguments: str) -> Result:
        """A command of `shuniu audit` in this installation's environment."""
        settings = self.settings
        environment = {
            "SHUNIU_FOLDER": str(settings.folder),
            "SHUNIU_DATABASE_URL": str(settings.database_url),
            "SHUNIU_OWNER_URL": str(settings.owner_url),
            "SHUNIU_KEYS": str(settings.key_folder),
            "SHUNIU_ORIGIN": settings.origin,
            "SHUNIU_AUDIT_SCHEMA": settings.audit_schema,
        }
        return CliRunner().invoke(app, ["audit", *arguments], env=environment)

    def succeeded(self) -> "Installation":
        """The hub with the settings that the command tells to set."""
        folder = self.settings.key_folder
        changes = {"origin": NEW, "keys": folder.with_name(f"{folder.name}-{SCHEMA}"), "audit_schema": SCHEMA}
        return Installation(self.postgres, self.settings.model_copy(update=changes), self.database)


SUCCEED = ("succeed", "--origin", NEW, "--schema", SCHEMA)


@pytest.fixture
def installation(postgres: EmbeddedServer, tmp_path: Path) -> Installation:
    """A hub of three records, nobody around it."""
    outside = world.World(addresses=dict.fromkeys(world.AGENCIES, NOWHERE), issuer=NOWHERE)
    settings = world.settings_of(outside, tmp_path / "hub", origin=OLD)
    create_keys(settings)
    name = f"succession_{next(_numbers)}"
    postgres.create(name)
    create_tables(postgres.url(name), origin=OLD, application=APPLICATION_ROLE)
    made = Installation(postgres, settings, name).at(name)
    made.record(3)
    return made


def test_a_database_that_was_rolled_back_is_succeeded_by_a_new_log(installation: Installation) -> None:
    """The hub refuses and names the command; after it the hub starts and records, and the old log is as it was."""
    old = installation.backup()
    newest = installation.record(4)
    with pytest.raises(LogBroken, match="shuniu audit succeed"):
        old.record(1)
    before = rows(old, "audit")

    answer = old.run(*SUCCEED)
    new = old.succeeded()
    checkpoint = new.record(2)
    verified = new.run("verify", "--deep")

    assert answer.exit_code == 0, answer.output
    assert f"SHUNIU_KEYS={new.settings.keys}" in answer.stderr
    assert read_checkpoint(checkpoint).size == 3
    assert (verified.exit_code, "intact: 3 entries" in verified.stdout) == (0, True)
    assert rows(old, "audit") == before
    reader = Reader(str(new.settings.database_url), KeyFile.load(new.settings.key_folder), schema=SCHEMA)
    first = search(reader, Query(before=1)).hits[0]
    reader.close()
    after = embedded(first.leaf["detail"])
    key = KeyFile.load(old.settings.key_folder).signer.vkey
    assert (first.type, first.leaf["outcome"]) == (EventType.LOG_BEGUN, "begun")
    assert after.note() == newest
    assert open_checkpoint(after.note(), OLD, [key])[0].size == 7


def rows(installation: Installation, schema: str) -> list[tuple[object, ...]]:
    """The whole old log."""
    with psycopg.connect(installation.postgres.conninfo(installation.database)) as owner:
        return [
            row
            for table in ("head", "entry", "sealed", "checkpoint")
            for row in owner.execute(f"SELECT * FROM {schema}.{table} ORDER BY 1").fetchall()
        ]


def test_the_new_key_folder_is_private_and_decrypts_the_work_orders(installation: Installation) -> None:
    """Keys and guard of its own, the hub's key as it was."""
    installation.run(*SUCCEED)
    folder = installation.succeeded().settings.key_folder

    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix != ".lock"}

    assert modes == {FILE: 0o600, GUARD: 0o600, HUB_KEY: 0o600}
    assert (folder / HUB_KEY).read_bytes() == (installation.settings.key_folder / HUB_KEY).read_bytes()
    assert KeyFile.load(folder).signer.vkey.public != KeyFile.load(installation.settings.key_folder).signer.vkey.public


def test_a_lost_guard_is_reported_with_the_command_and_a_given_checkpoint_replaces_it(
    installation: Installation, tmp_path: Path
) -> None:
    """The newest that verifies counts, wherever it was found; a forged one does not."""
    old = installation.backup()
    newest = installation.record(5)
    saved, forged = tmp_path / "newest.checkpoint", tmp_path / "forged.checkpoint"
    saved.write_bytes(newest)
    other = Signer(OLD, os.urandom(32))
    forged.write_bytes(other.sign(newest.decode().partition("\n\n")[0].replace("\n8\n", "\n900\n") + "\n").encode())
    (old.settings.key_folder / GUARD).unlink()
    with pytest.raises(LogConfigurationError, match="shuniu audit succeed"):
        old.record(1)

    answer = old.run(*SUCCEED, "--checkpoint", str(forged), "--checkpoint", str(saved))

    assert f"of size 8 (from {saved})" in answer.stderr.replace("\n", " ")
    assert old.succeeded().record(1)


def test_succession_without_the_keys_needs_the_public_key(installation: Installation) -> None:
    """The checkpoint in the database is enough."""
    key = KeyFile.load(installation.settings.key_folder).signer.vkey.encode()
    (installation.settings.key_folder / FILE).unlink()

    refused = installation.run(*SUCCEED)
    answer = installation.run(*SUCCEED, "--vkey", key)

    assert (refused.exit_code, "shuniu audit succeed" in str(refused.exception)) == (1, True)
    assert (answer.exit_code, "of size 3" in answer.stderr) == (0, True)


def test_succession_without_a_checkpoint_is_refused(installation: Installation) -> None:
    """The sentence asks for one."""
    (installation.settings.key_folder / GUARD).unlink()
    with psycopg.connect(installation.postgres.conninfo(installation.database)) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE audit.head SET signed_note = NULL")
        owner.execute("DELETE FROM audit.checkpoint")

    answer = installation.run(*SUCCEED)

    assert (answer.exit_code, "--checkpoint FILE" in answer.stderr) == (1, True)
    assert not installation.succeeded().settings.key_folder.exists()


def test_a_successor_log_is_created_once(installation: Installation) -> None:
    """Neither over a log that has begun nor under the old name; what was cut short goes on."""
    assert "same name" in told(installation, "succeed", "--origin", OLD, "--schema", SCHEMA)
    assert "plain letters" in told(installation, "succeed", "--origin", "法院/2", "--schema", SCHEMA)
    settings = installation.settings
    key = KeyFile.load(settings.key_folder).signer.vkey
    after = last_known(key, [("guard", RollbackGuard(settings.key_folder / GUARD, key).load().note)])
    assert after is not None
    begin(str(settings.owner_url), installation.succeeded().settings.key_folder, origin=NEW, schema=SCHEMA, after=after)
    assert installation.run(*SUCCEED).exit_code == 0
    assert "begun already" in told(installation, *SUCCEED)
    assert "keys of court.example/audit/2" in told(
        installation, "succeed", "--origin", "court.example/audit/3", "--schema", SCHEMA
    )


def told(installation: Installation, *arguments: str) -> str:
    answer = installation.run(*arguments)
    assert answer.exit_code == 1
    return str(answer.exception)


def test_an_unknown_log_schema_is_refused(installation: Installation) -> None:
    """A misspelt setting stops the hub."""
    changes = {"audit_schema": "audit_3"}
    lost = Installation(installation.postgres, installation.settings.model_copy(update=changes), installation.database)
    create_tables(
        str(lost.settings.owner_url), origin=OLD, application=APPLICATION_ROLE, schema=lost.settings.audit_schema
    )

    with pytest.raises(LogConfigurationError, match="SHUNIU_AUDIT_SCHEMA"):
        lost.record(1)


@pytest.mark.parametrize(
    "detail", [{}, {"origin": OLD, "size": 1, "root": "zz", "signature": "00"}, {"origin": OLD, "size": 1, "root": ""}]
)
def test_a_file_without_an_embedded_checkpoint_is_refused(detail: dict[str, str | int]) -> None:
    """One kind of error."""
    with pytest.raises(NoteError):
        embedded(detail)
