"""
Delegations: a deputy acts for an absent person of the same group, for at most thirty days.

A deputy may do under the absent person's work orders what that person may.  Delegations are not transitive.  The
database's clock decides when one begins and ends.
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
    """Why a delegation is refused."""

    NOT_YOURS = (
        "delegation_not_yours",
        "只有组长可以为本组人员安排代理，本人可以为自己安排。请联系组长。",
        "A group leader names deputies in the group, and people name their own. Ask your group leader.",
    )
    GROUP = (
        "delegation_group",
        "双方须为本组在岗人员。请在本组内选择代理人；跨组的，由组长在工单系统转派工单。",
        "Both must be active people of your own group. Name a person of the group, or have the work orders "
        "transferred in the ticket system.",
    )
    SELF = (
        "delegation_self",
        "不能代理自己。请选择本组另一人。",
        "People are not their own deputies. Name another person of the group.",
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
        "That person has a deputy within this time, and a delegation is not passed on. Name another person of the "
        "group.",
    )


class DelegationRefused(Exception):
    """A rule refuses a delegation."""

    def __init__(self, rule: DelegationRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A deputy for an absent person, and the time.  `ended_at`: when it was ended before `ends_at`."""

    id: UUID
    court: str
    absent: str = field(repr=False)
    deputy: str = field(repr=False)
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delegations:
    """
    Creates and ends delegations, each recorded before it takes effect.
    """

    database: Database
    log: Log
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def create(
        self, actor: Member, who: Actor, *, absent: str, deputy: str, starts_at: datetime, ends_at: datetime
    ) -> tuple[Delegation, int]:
        """
        Makes `deputy` the deputy of `absent`; returns the index of the record too.

        Raises `DelegationRefused`, `AuditUnavailable`, `DatabaseUnavailable`.
        """
        wanted = Delegation(
            id=uuid4(), court=actor.court, absent=absent, deputy=deputy, starts_at=starts_at, ends_at=ends_at
        )
        await self.database.run(_check, actor, wanted)
        index = await self._record(who, wanted, "changed")
        await self.database.run(_create, actor, wanted)
        return wanted, index

    async def end(self, actor: Member, who: Actor, name: UUID) -> bool:
        """
        Ends one before its time; False if there is none that `actor` may end.  Safe to repeat.

        When it returns, no answer is released to the deputy under it any more.  Raises `AuditUnavailable`,
        `DatabaseUnavailable`.
        """
        ending = await self.database.run(_endable, actor, name)
        if ending is None:
            return False
        if ending.ended_at is None:
            await self._record(who, ending, "ended")
            await self.database.run(_end, ending)
        return True

    async def list_for(self, actor: Member) -> list[Delegation]:
        """Those that are not over and concern `actor`, or people of the group that they lead."""
        return await self.database.run(_concerning, actor)

    async def _record(self, who: Actor, subject: Delegation, outcome: str) -> int:
        at = self.clock()
        event = Event(
            type=EventType.ADMIN_CHANGED,
            exchange=uuid4(),
            at=at,
            who=who,
            outcome=outcome,
            detail={"delegation": str(subject.id)},
        )
        people = {"absent": subject.absent, "deputy": subject.deputy}
        times = {"starts_at": subject.starts_at.isoformat(), "ends_at": subject.ends_at.isoformat()}
        return await self.log.append(event, payloads=[sealed_payload("delegation", at, people | times)])


def end_delegations(connection: Connection, court: str, user: str) -> None:
    """Ends the delegations from and to a person who moves or leaves, within that transaction."""
    c = delegation.c
    query = select(c.id, c.deputy).where(_open(), c.court == court, or_(c.absent == user, c.deputy == user))
    for row in connection.execute(query.order_by(c.deputy)).all():
        locks.lock_exclusively(connection, locks.person_lock(court, row.deputy))
        connection.execute(update(delegation).where(c.id == row.id).values(ended_at=func.access_now()))


def _open() -> Any:
    return and_(delegation.c.ended_at.is_(None), delegation.c.ends_at > func.access_now())


def _check(connection: Connection, actor: Member, wanted: Delegation) -> None:
    if wanted.absent != actor.user and Role.GROUP_LEADER not in actor.roles:
        raise DelegationRefused(DelegationRule.NOT_YOURS)
    if wanted.absent == wanted.deputy:
        raise DelegationRefused(DelegationRule.SELF)
    both = [store.get_member(connection, actor.court, user) for user in (wanted.absent, wanted.deputy)]
    if actor.group is None or any(member is None or member.group != actor.group for member in both):
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


def _create(connection: Connection, actor: Member, wanted: Delegation) -> None:
    # Checked again, because the tree may have changed while the record was written.
    store.lock_tree(connection)
    now = store.get_member(connection, actor.court, actor.user)
    if now is None:
        raise DelegationRefused(DelegationRule.NOT_YOURS)
    _check(connection, now, wanted)
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
    ending = _as_delegation(row)
    if actor.user in {ending.absent, ending.deputy}:
        return ending
    people = [store.get_member(connection, ending.court, user) for user in (ending.absent, ending.deputy)]
    leads = Role.GROUP_LEADER in actor.roles and any(member and member.group == actor.group for member in people)
    return ending if leads else None


def _end(connection: Connection, ending: Delegation) -> None:
    locks.lock_exclusively(connection, locks.person_lock(ending.court, ending.deputy))
    open_row = update(delegation).where(delegation.c.id == ending.id, delegation.c.ended_at.is_(None))
    connection.execute(open_row.values(ended_at=func.access_now()))


def _concerning(connection: Connection, actor: Member) -> list[Delegation]:
    c = delegation.c
    rows = connection.execute(select(delegation).where(_open(), c.court == actor.court).order_by(c.starts_at, c.id))
    people = {actor.user} | (set(_group(connection, actor)) if Role.GROUP_LEADER in actor.roles else set())
    return [_as_delegation(row) for row in rows if {row.absent, row.deputy} & people]


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
