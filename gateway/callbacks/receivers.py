"""
Registered receivers: which ticket system is told at which address.  A request names a receiver, never a URL.

A receiver is entered by the system administrator of its court.  Each change is recorded in the audit log before it is
made, with the address sealed beside the record.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.callbacks.address_policy import Lookup, checked, pinned
from gateway.callbacks.signing import SigningSecrets
from gateway.callbacks.states import CallbackRule, ReceiverState
from gateway.database import Database
from gateway.database.tables import callback_receiver
from gateway.field_encryption import FieldEncryption
from gateway.organization.people import Member
from gateway.organization.recording import sealed_payload
from gateway.organization.roles import Role

_c = callback_receiver.c
KNOWN: Final = _c.state != ReceiverState.REMOVED.value


class CallbackRefused(Exception):
    """A rule refuses it."""

    def __init__(self, rule: CallbackRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


class ReceiverNotFound(Exception):
    """No receiver of this name, as far as the caller may know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """
    Where one client of one court is told.  `preferred`: taken where a request names none.
    """

    court: str
    name: str
    client: str
    url: str
    internal: bool
    preferred: bool
    state: ReceiverState
    changed_at: datetime
    secrets: bytes = field(repr=False)


def named(connection: Connection, *, court: str, client: str, name: str | None = None) -> Receiver | None:
    """The receiver that this client names, or its preferred one; None if it has no such receiver."""
    which = _c.preferred if name is None else _c.name == name
    query = select(callback_receiver).where(_c.court == court, _c.client == client, which, KNOWN)
    row = connection.execute(query).one_or_none()
    return None if row is None else receiver_of(row)


def receiver_of(row: Row[Any]) -> Receiver:
    """A receiver as its row tells."""
    said = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for the row as a mapping
    values = {column.name: said[column.name] for column in callback_receiver.columns}
    return Receiver(**values | {"state": ReceiverState(said["state"]), "secrets": bytes(said["secrets"])})


def secrets_of(encryption: FieldEncryption, receiver: Receiver) -> SigningSecrets:
    """Opens the signing secrets.  Raises `DecryptionFailed`."""
    return SigningSecrets.load(encryption.open(_context(receiver.court, receiver.name), receiver.secrets))


class Receivers:
    """
    The receivers as this hub changes them.  Holds no state of its own.
    """

    def __init__(
        self,
        database: Database,
        encryption: FieldEncryption,
        log: Log,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        lookup: Lookup | None = None,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._log = log
        self._clock = clock
        self._lookup = lookup

    async def all(self, court: str, *, client: str | None = None) -> list[Receiver]:
        """The receivers of a court, or of one of its clients."""
        return await self._database.run(_all, court, client)

    async def register(
        self, actor: Member, who: Actor, name: str, *, client: str, url: str, internal: bool, preferred: bool
    ) -> tuple[Receiver, str | None]:
        """
        Enters a receiver, or changes its address.  A new one brings its secret, which is never shown again.

        Raises `CallbackRefused`, `AddressRefused`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        _only_administrators(actor)
        parsed = checked(url, internal=internal)
        # A name that leads nowhere today is looked up again at every sending.
        with contextlib.suppress(OSError):
            await pinned(parsed, internal=internal, lookup=self._lookup)
        before = await self._database.run(_one, actor.court, name)
        if before is not None and before.state is not ReceiverState.REMOVED and before.client != client:
            raise CallbackRefused(CallbackRule.OTHER_CLIENT)
        wanted = Receiver(
            court=actor.court,
            name=name,
            client=client,
            url=url,
            internal=internal,
            preferred=preferred,
            state=ReceiverState.ACTIVE,
            changed_at=self._clock(),
            secrets=b"",
        )
        await self._record(who, wanted, "registered", before)
        secrets = SigningSecrets.fresh()
        sealed = self._encryption.seal(_context(wanted.court, wanted.name), secrets.dump())
        receiver, fresh = await self._database.run(_entered, wanted, sealed)
        return receiver, secrets.newest if fresh else None

    async def rotate(self, actor: Member, who: Actor, name: str) -> str:
        """
        A new secret, shown once; the last one signs beside it for the time of grace.  Raises as above, and
        `ReceiverNotFound`.
        """
        _only_administrators(actor)
        receiver = await self._known(actor.court, name)
        await self._record(who, receiver, "rotated")
        return await self._database.run(self._rotated, receiver)

    async def set_state(
        self, actor: Member, who: Actor, state: ReceiverState, *, client: str, name: str | None = None
    ) -> list[str]:
        """
        Pauses or resumes what one client is told, at one receiver or at all; the names of those that changed.

        Raises as above, and `ReceiverNotFound`.
        """
        _only_administrators(actor)
        receivers = await self.all(actor.court, client=client)
        chosen = [one for one in receivers if name in {None, one.name}]
        if not chosen:
            raise ReceiverNotFound
        changed = [one for one in chosen if one.state is not state]
        for one in changed:
            await self._record(who, one, state.value)
            await self._database.run(put_state, one, state, self._clock())
        return [one.name for one in changed]

    async def remove(self, actor: Member, who: Actor, name: str) -> None:
        """
        Removes a receiver with its secrets; what waits for it is given up.  Raises as above, and `ReceiverNotFound`.
        """
        _only_administrators(actor)
        receiver = await self._known(actor.court, name)
        await self._record(who, receiver, "removed")
        await self._database.run(put_state, receiver, ReceiverState.REMOVED, self._clock())

    async def gone(self, receiver: Receiver) -> None:
        """Pauses a receiver that says itself that it is gone.  Raises `AuditUnavailable`, `DatabaseUnavailable`."""
        await self._record(Actor(court=receiver.court, client=receiver.client), receiver, "gone")
        await self._database.run(put_state, receiver, ReceiverState.GONE, self._clock())

    async def _known(self, court: str, name: str) -> Receiver:
        receiver = await self._database.run(_one, court, name)
        if receiver is None or receiver.state is ReceiverState.REMOVED:
            raise ReceiverNotFound
        return receiver

    async def _record(self, who: Actor, receiver: Receiver, change: str, before: Receiver | None = None) -> None:
        at = self._clock()
        event = Event(
            type=EventType.ADMIN_CHANGED,
            exchange=uuid4(),
            at=at,
            who=replace(who, court=receiver.court),
            outcome="changed",
            detail={"callback_receiver": receiver.name, "client": receiver.client, "change": change},
        )
        pair = [before and _plain(before), _plain(receiver)]
        await self._log.append(event, payloads=[sealed_payload("change", at, pair)])

    def _rotated(self, connection: Connection, receiver: Receiver) -> str:
        row = connection.execute(_which(receiver).with_for_update()).one()
        now = self._clock()
        secrets = secrets_of(self._encryption, receiver_of(row)).rotated(now)
        sealed = self._encryption.seal(_context(receiver.court, receiver.name), secrets.dump())
        _put(connection, receiver, secrets=sealed, changed_at=now)
        return secrets.newest


def put_state(connection: Connection, receiver: Receiver, state: ReceiverState, at: datetime) -> None:
    """Sets where a receiver stands; one that is removed keeps neither address nor secrets."""
    left = {"url": "", "secrets": b"", "preferred": False} if state is ReceiverState.REMOVED else {}
    _put(connection, receiver, state=state.value, changed_at=at, **left)


def _put(connection: Connection, receiver: Receiver, **values: Any) -> None:
    connection.execute(
        update(callback_receiver).where(_c.court == receiver.court, _c.name == receiver.name, KNOWN).values(**values)
    )


def _entered(connection: Connection, wanted: Receiver, sealed: bytes) -> tuple[Receiver, bool]:
    """The receiver as it stands now, and whether its secret is the new one."""
    values = {column.name: getattr(wanted, column.name) for column in callback_receiver.columns}
    values |= {"state": wanted.state.value, "secrets": sealed}
    if wanted.preferred:
        others = update(callback_receiver).where(_c.court == wanted.court, _c.client == wanted.client)
        connection.execute(others.where(_c.name != wanted.name).values(preferred=False))
    fresh = insert(callback_receiver).values(values).on_conflict_do_nothing().returning(_c.name)
    if connection.execute(fresh).first() is not None:
        return receiver_of(connection.execute(_which(wanted)).one()), True
    row = connection.execute(_which(wanted).with_for_update()).one()
    again = row.state == ReceiverState.REMOVED.value
    if not again:
        # Its secret, and whether it is paused, stay as they are.
        del values["secrets"], values["state"]
    connection.execute(update(callback_receiver).where(_c.court == wanted.court, _c.name == wanted.name).values(values))
    return receiver_of(connection.execute(_which(wanted)).one()), again


def _which(receiver: Receiver) -> Any:
    return select(callback_receiver).where(_c.court == receiver.court, _c.name == receiver.name)


def _one(connection: Connection, court: str, name: str) -> Receiver | None:
    row = connection.execute(select(callback_receiver).where(_c.court == court, _c.name == name)).one_or_none()
    return None if row is None else receiver_of(row)


def _all(connection: Connection, court: str, client: str | None) -> list[Receiver]:
    query = select(callback_receiver).where(_c.court == court, KNOWN).order_by(_c.name)
    if client is not None:
        query = query.where(_c.client == client)
    return [receiver_of(row) for row in connection.execute(query)]


def _only_administrators(actor: Member) -> None:
    if Role.SYSTEM_ADMINISTRATOR not in actor.roles:
        raise CallbackRefused(CallbackRule.ADMINISTRATORS_ONLY)


def _plain(receiver: Receiver) -> dict[str, object]:
    names = ("name", "client", "url", "internal", "preferred", "state")
    return {name: getattr(receiver, name) for name in names}


def _context(court: str, name: str) -> str:
    return f"callback receiver|{court}|{name}"
