"""
Provisioning of an installation: keys, tables and log are created once, on request, and only opened afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from adapters.errors import ConfigurationError
from audit.durable_files import create_key_file
from audit.sealing.keys import KeyFile
from audit.store import database as audit_database
from gateway.database.embedded_server import EmbeddedServer
from gateway.database.migrations import migrate
from gateway.field_encryption import HUB_KEY, FieldEncryption
from gateway.settings import Settings

DATABASE = "shuniu"
APPLICATION_ROLE = "shuniu_app"
ERASER_ROLE = "shuniu_eraser"
CLUSTER = "postgres"

# The rights of the hub's login role on the hub's own tables; those on the log are granted with the log.
RIGHTS: Final = {
    "SELECT, INSERT, UPDATE": (
        "work_order",
        "refusal",
        "org_unit",
        "org_person",
        "delegation",
        "review",
        "agency_use",
        "agency_secret",
        "callback_receiver",
        "callback_delivery",
        "subject_report",
        "autofill",
        "autofill_question",
        "lookup_made",
    ),
    "SELECT, INSERT, UPDATE, DELETE": (
        "access_grant",
        "session",
        "sign_in_attempt",
        "received_answer",
        "search_handle",
        "idempotency",
        "pgqueuer",
        "pgqueuer_log",
        "pgqueuer_statistics",
    ),
    "SELECT, INSERT": ("confirmation", "use_review"),
    "SELECT, UPDATE": ("access_clock", "pgqueuer_id_seq", "pgqueuer_statistics_id_seq"),
}


def create_keys(settings: Settings) -> Path:
    """
    Creates the hub's own keys and returns their folder.  Refuses to replace any: a lost key cannot be restored.
    """
    folder = settings.key_folder
    if (folder / HUB_KEY).exists():
        raise ConfigurationError(f"{folder}: keys exist already; back them up, and move them away to make new ones")
    FieldEncryption.create(folder / HUB_KEY)
    KeyFile.create(folder, origin=settings.origin)
    return folder


def copy_hub_key(old: Path, new: Path) -> bool:
    """
    Copies the hub's own key, which decrypts the work orders, to the key folder of a new log; False if there is none.
    """
    if not (old / HUB_KEY).exists():
        return False
    if not (new / HUB_KEY).exists():
        create_key_file(new / HUB_KEY, (old / HUB_KEY).read_bytes())
    return True


def create_tables(
    owner_url: str, *, origin: str, application: str, eraser: str = "", schema: str = audit_database.SCHEMA
) -> None:
    """
    Brings a database to this version, as its owner: the hub's tables, the log, and the rights of the login roles
    `application` and `eraser`.  Safe to repeat.

    Only the first log is made like this; one in another schema begins with `shuniu audit succeed`.
    """
    migrate(owner_url)
    with psycopg.connect(owner_url.replace("postgresql+psycopg://", "postgresql://", 1)) as connection:
        for login in (application, eraser):
            if login and not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (login,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        role = sql.Identifier(application)
        for right, tables in RIGHTS.items():
            names = sql.SQL(", ").join(map(sql.Identifier, tables))
            connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(right), names, role))
        audit_database.create_roles(connection)
        audit_database.grant(connection, audit_database.APPEND_ROLE, application)
        if eraser:
            audit_database.grant(connection, audit_database.ERASE_ROLE, eraser)
        if schema == audit_database.SCHEMA:
            audit_database.create(connection, origin)


@contextmanager
def bundled_database(settings: Settings, *, create: bool = False) -> Iterator[Settings]:
    """
    Starts the bundled PostgreSQL in the installation's folder; gives the settings that connect to it.

    A new database is made only with `create`; without it a missing one is a `ConfigurationError`.
    """
    cluster = settings.folder.resolve() / CLUSTER
    if not create and not (cluster / "PG_VERSION").exists():
        raise ConfigurationError(
            f"{settings.folder}: no installation here; make one with: shuniu init "
            "(or set SHUNIU_DATABASE_URL to use a PostgreSQL of your own)"
        )
    with EmbeddedServer(cluster) as server:
        server.create(DATABASE)
        owner = server.url(DATABASE)
        create_tables(
            owner,
            origin=settings.origin,
            application=APPLICATION_ROLE,
            eraser=ERASER_ROLE,
            schema=settings.audit_schema,
        )
        urls = {
            "database_url": server.url(DATABASE, user=APPLICATION_ROLE),
            "eraser_url": server.url(DATABASE, user=ERASER_ROLE),
            "owner_url": owner,
        }
        yield settings.model_copy(update=urls)
