"""
Standing in for somebody who is away: inside one group, for at most thirty days, and never passed on.

Who stands in may do under the absent person's work orders what that person may; whose tasks they stand in for
themselves does not come along.  The database's clock decides when it begins and ends.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, and_, func, or_, select, text, update

from audit.format.event import Actor, Event, EventType
from audit.store.log import Log
from gateway.database import Database, locks
from gateway.database.tables import delegation
from gateway.organization import store
from gateway.organization.people import Member
from gateway.organization.recording import sealed_payload
from gateway.organization.roles import Role
from schemas.codes import Code

MAX_DURATION: Final = timedelta(days=30)
NOW: Final = text("SELECT access_now()")


class DelegationRule(Code):
    """Why somebody cannot stand in."""

    NOT_YOURS = (
        "delegation_not_yours",
        "只有组长可以为本组人员安排代理，本人可以为自己安排。请联系组长。",
        "A group leader names who stands in inside the group, and everybody for themselves. Ask your group leader.",
    )
    GROUP = (
        "delegation_group",
        "双方须为本组在岗人员。请在本组内选择代理人；跨组的，由组长在工单系统转派工单。",
        "Both must be active people of your own group. Name somebody of the group, or have the work orders transferred "
        "in the ticket system.",
    )
    SELF = (
        "delegation_self",
        "不能代理自己。请选择本组另一人。",
        "Nobody stands in for themselves. Name another person of the group.",
    )
    PERIOD = (
        "delegation_period",
        "代理期限须在将来结束，且不超过30天。请更正起止时间；需延长的，期满后另行安排。",
        "It must end later than it begins and later than now, and last at most 30 days. Correct the times; make "
        "another one afterwards if need be.",
    )
    DEPUTY_ABSENT = (
        "deputy_absent",
        "该代理人在此期间本人已由他人代理，代理不得转托。请选择本组另一人。",
        "Within this time somebody stands in for that person, and standing in is not passed on. Name another person "
        "of the group.",
    )


class DelegationRefused(Exception):
    """A rule keeps somebody from standing in."""

    def __init__(self, rule: DelegationRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """Who stands in for whom, from when until when.  `ended_at`: before its time."""

    id: UUID
    court: str
    absent: str = field(repr=False)
    deputy: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None


class Delegations:
    """
    Makes and ends them, each recorded before it takes effect.
    """

    def __init__(
        self, database: Database, log: Log, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._log = log
        self._clock = clock

    async def create(
        self, actor: Member, who: Actor, *, absent: str, deputy: str, starts_at: datetime, ends_at: datetime
    ) -> tuple[Delegation, int]:
        """
        Lets `deputy` stand in for `absent`; with the index of its record.

        Raises `DelegationRefused`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        made = Delegation(
            id=uuid4(), court=actor.court, absent=absent, deputy=deputy, starts_at=starts_at, ends_at=ends_at
        )
        await self._database.run(_checked, actor, made)
        index = await self._record(who, made, "changed")
        await self._database.run(_made, actor, made)
        return made, index

    async def end(self, actor: Member, who: Actor, name: UUID) -> bool:
        """
        Ends one before its time; False if there is none that `actor` may end.  Ending it again is harmless.

        When it returns, no answer leaves to the deputy on its strength any more.  Raises `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        found = await self._database.run(_endable, actor, name)
        if found is None:
            return False
        if found.ended_at is None:
            await self._record(who, found, "ended")
            await self._database.run(_ended, found)
        return True

    async def list_for(self, actor: Member) -> list[Delegation]:
        """Those that are not over and concern `actor`, or anybody of the group that they lead."""
        return await self._database.run(_concerning, actor)

    async def _record(self, who: Actor, one: Delegation, outcome: str) -> int:
        at = self._clock()
        event = Event(
            type=EventType.ADMIN_CHANGED,
            exchange=uuid4(),
            at=at,
            who=who,
            outcome=outcome,
            detail={"delegation": str(one.id)},
        )
        people = {"absent": one.absent, "deputy": one.deputy}
        times = {"starts_at": one.starts_at.isoformat(), "ends_at": one.ends_at.isoformat()}
        return await self._log.append(event, keep=[sealed_payload("delegation", at, people | times)])


def end_delegations(connection: Connection, court: str, user: str) -> None:
    """Ends whatever somebody who moves or leaves stands in for, or is stood in for; part of that transaction."""
    c = delegation.c
    query = select(c.id, c.deputy).where(_open(), c.court == court, or_(c.absent == user, c.deputy == user))
    for row in connection.execute(query.order_by(c.deputy)).all():
        locks.lock_exclusively(connection, locks.person_lock(court, row.deputy))
        connection.execute(update(delegation).where(c.id == row.id).values(ended_at=func.access_now()))


def _open() -> Any:
    return and_(delegation.c.ended_at.is_(None), delegation.c.ends_at > func.access_now())


def _checked(connection: Connection, actor: Member, wanted: Delegation) -> None:
    if wanted.absent != actor.user and Role.GROUP_LEADER not in actor.roles:
        raise DelegationRefused(DelegationRule.NOT_YOURS)
    if wanted.absent == wanted.deputy:
        raise DelegationRefused(DelegationRule.SELF)
    both = [store.get_member(connection, actor.court, user) for user in (wanted.absent, wanted.deputy)]
    if actor.group is None or any(one is None or one.group != actor.group for one in both):
        raise DelegationRefused(DelegationRule.GROUP)
    now = connection.execute(NOW).scalar_one()
    if not (wanted.starts_at < wanted.ends_at <= wanted.starts_at + MAX_DURATION and now < wanted.ends_at):
        raise DelegationRefused(DelegationRule.PERIOD)
    c = delegation.c
    away = select(c.id).where(
        _open(),
        c.court == wanted.court,
        c.absent == wanted.deputy,
        c.starts_at < wanted.ends_at,
        c.ends_at > wanted.starts_at,
    )
    if connection.execute(away).first() is not None:
        raise DelegationRefused(DelegationRule.DEPUTY_ABSENT)


def _made(connection: Connection, actor: Member, wanted: Delegation) -> None:
    # What was checked before the record may have changed since: this counts.
    store.lock_tree(connection)
    now = store.get_member(connection, actor.court, actor.user)
    if now is None:
        raise DelegationRefused(DelegationRule.NOT_YOURS)
    _checked(connection, now, wanted)
    row = {
        "id": wanted.id,
        "court": wanted.court,
        "absent": wanted.absent,
        "deputy": wanted.deputy,
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "made_by": actor.user,
    }
    connection.execute(delegation.insert().values(row))


def _endable(connection: Connection, actor: Member, name: UUID) -> Delegation | None:
    query = select(delegation).where(delegation.c.id == name, delegation.c.court == actor.court)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    found = _as_delegation(row)
    if actor.user in {found.absent, found.deputy}:
        return found
    people = [store.get_member(connection, found.court, user) for user in (found.absent, found.deputy)]
    leads = Role.GROUP_LEADER in actor.roles and any(one and one.group == actor.group for one in people)
    return found if leads else None


def _ended(connection: Connection, found: Delegation) -> None:
    locks.lock_exclusively(connection, locks.person_lock(found.court, found.deputy))
    open_one = update(delegation).where(delegation.c.id == found.id, delegation.c.ended_at.is_(None))
    connection.execute(open_one.values(ended_at=func.access_now()))


def _concerning(connection: Connection, actor: Member) -> list[Delegation]:
    c = delegation.c
    rows = connection.execute(select(delegation).where(_open(), c.court == actor.court).order_by(c.starts_at, c.id))
    found = [_as_delegation(row) for row in rows]
    group = set(_group(connection, actor)) if Role.GROUP_LEADER in actor.roles else set()
    return [one for one in found if actor.user in {one.absent, one.deputy} or {one.absent, one.deputy} & group]


def _group(connection: Connection, actor: Member) -> list[str]:
    query = text('SELECT "user" FROM org_person WHERE court = :court AND unit = :unit AND active')
    return list(connection.execute(query, {"court": actor.court, "unit": actor.position.id}).scalars())


def _as_delegation(row: Row[Any]) -> Delegation:
    return Delegation(
        id=row.id,
        court=row.court,
        absent=row.absent,
        deputy=row.deputy,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
    )
