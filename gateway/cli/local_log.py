"""
The audit log of this installation, as the commands of `shuniu audit` open it and leave their own records in it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from adapters.errors import ConfigurationError
from audit import errors
from audit.format.event import Actor, Event, EventType, SealedPayload
from audit.format.note import NoteError, VerifierKey
from audit.sealing.keys import KeyFile, Keys
from audit.store.log import Log
from audit.store.reader import Reader
from gateway.audit_access import search_subject
from gateway.cli import client
from gateway.provisioning import bundled_database
from gateway.settings import Settings
from schemas.codes import IdType
from schemas.identifiers import IdentifierError
from schemas.subject import Subject

OPERATOR = Actor(client="command line", role="operator")


@dataclass(frozen=True, slots=True)
class LogHere:
    """An open log: what it takes to read it, and to open it again for writing."""

    settings: Settings
    keys: Keys
    dsn: str
    reader: Reader


@contextmanager
def log_here() -> Iterator[LogHere]:
    """
    The log of this installation, for reading; the bundled server is started if that is where it is.

    Raises `ConfigurationError` with a sentence for whatever the log says no to.
    """
    with installed() as settings:
        keys = KeyFile.load(settings.key_folder)
        dsn = settings.database_url or ""
        reader = Reader(dsn, keys, schema=settings.audit_schema, timeout=30)
        try:
            yield LogHere(settings, keys, dsn, reader)
        finally:
            reader.close()


@contextmanager
def installed() -> Iterator[Settings]:
    """The settings of this installation with its database up; what goes wrong in it is a `ConfigurationError`."""
    problem = ""
    settings = Settings()
    with ExitStack() as stack:
        try:
            if settings.database_url is None:
                settings = stack.enter_context(bundled_database(settings))
            yield settings
        except (errors.LogConfigurationError, errors.AuditError) as error:
            problem = str(error)
    if problem:
        raise ConfigurationError(problem)


def record(here: LogHere, event: Event, keep: Sequence[SealedPayload] = ()) -> int:
    """What is done with the log stands in the log, durable and signed before it is done.  Returns its index."""
    return append(here.dsn, here.keys, here.settings.audit_schema, event, keep)


def append(dsn: str, keys: Keys, schema: str, event: Event, keep: Sequence[SealedPayload] = ()) -> int:
    """Appends one record to a log that no hub of this process holds, and signs it.  Returns its index."""

    async def appended() -> int:
        log = await Log.open(dsn, keys, schema=schema, sign_every=None)
        try:
            index = await log.append(event, payloads=keep)
            await log.sign()
        finally:
            await log.aclose()
        return index

    return asyncio.run(appended())


def event_of(kind: EventType, outcome: str, detail: dict[str, str | int]) -> Event:
    """Something that an operator does at the command line."""
    return Event(type=kind, exchange=uuid4(), at=datetime.now(UTC), who=OPERATOR, outcome=outcome, detail=detail)


def named_key(text: str) -> VerifierKey:
    """A log's public key, given as its text or as the file that holds it.  Raises `ConfigurationError`."""
    try:
        path = Path(text)
        return VerifierKey.parse(path.read_text(encoding="utf-8") if path.is_file() else text)
    except (NoteError, OSError) as error:
        problem = str(error)
    raise ConfigurationError(problem)


def asked_subject(id_type: IdType, country: str | None) -> Subject:
    """The person or organization whose number comes from stdin or a prompt.  Raises `ConfigurationError`."""
    try:
        return search_subject(id_type, client.secret_input("Identifier"), country)
    except IdentifierError as error:
        sentence = error.help("en")
    raise ConfigurationError(sentence)
