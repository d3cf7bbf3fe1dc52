"""
A snapshot of a caller's rights: the work order, its grant about the party, the caller's position in the court's tree,
delegations, confirmations.  One statement, read fresh for every decision.

Usage counters: the questions of each grant, and the refusals of a caller by rules that a guess would meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import Connection, text

from audit.format.event import PurposeOfUse
from gateway.database import Database, batching
from gateway.database.batching import BlobArray, IntegerArray, TextArray
from gateway.database.locks import Lease, Leases, person_lock, work_order_lock
from schemas.work_order import WorkOrderStatus

# Refusals of guesses after which a caller is refused, and the time within which they are counted.
MAX_REFUSALS: Final = 20
REFUSALS_WITHIN: Final = timedelta(hours=1)

PURPOSE: Final = "service_of_process"

# The columns of `GrantedWorkOrder.from_row`, of the table `work_order w`.
WORK_ORDER_COLUMNS: Final = (
    "w.court, w.id, w.version, w.status, w.kind, w.case_number, w.holder, w.recorded, w.document"
)


class AccessRequest(NamedTuple):
    """Who asks, under which work order, about which party (by its blind index)."""

    court: str
    user: str
    work_order: str
    party: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedWorkOrder:
    """
    A work order in its present version.  Particulars of holder and parties stay encrypted until `WorkOrders.document`.
    """

    court: str
    id: str
    version: int
    status: WorkOrderStatus
    kind: str
    case_number: str
    holder: str
    recorded: bool
    document: bytes = field(repr=False)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Self:
        """Builds one from a row that begins with `WORK_ORDER_COLUMNS`."""
        court, work_order, version, status, kind, case_number, holder, recorded, document = row[:9]
        return cls(
            court=court,
            id=work_order,
            version=version,
            status=WorkOrderStatus(status),
            kind=kind,
            case_number=case_number,
            holder=holder,
            recorded=recorded,
            document=bytes(document),
        )

    def purpose(self, policy: str, *, decision: str = "permit", rules: tuple[str, ...] = ()) -> PurposeOfUse:
        """The work order in an audit event, with the decision about it."""
        return PurposeOfUse(
            work_order=self.id,
            version=self.version,
            kind=self.kind,
            case_number=self.case_number,
            purpose=PURPOSE,
            policy=policy,
            rules=rules,
            decision=decision,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow:
    """The right to ask about one party; `position` is the party's place in the statement."""

    id: UUID
    position: int
    begun: bool
    ended: bool
    asked: int
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSnapshot:
    """
    The rights behind one request.  `sealed_person` is encrypted; `confirmed_by` confirmed the version in force.
    """

    order: GrantedWorkOrder | None
    grant: GrantRow | None
    member: bool
    roles: tuple[str, ...]
    sealed_person: bytes = field(repr=False)
    delegation: UUID | None
    confirmed_by: str | None
    refused_too_often: bool


AccessLease = Lease[AccessSnapshot]


def access_leases(database: Database) -> Leases[AccessRequest, AccessSnapshot]:
    """Leases on the rights of a caller under a work order: neither can end while the lease is valid."""
    return Leases(
        database,
        names=lambda request: (
            work_order_lock(request.court, request.work_order),
            person_lock(request.court, request.user),
        ),
        read=read_snapshots,
    )


READ: Final = f"""
    SELECT a.n, {WORK_ORDER_COLUMNS},
        g.id, g.position, g.starts_at <= t.now, g.ends_at <= t.now, g.asked, g.allowed,
        coalesce(p.active, false), p.roles, p.sealed,
        (SELECT d.id FROM delegation d WHERE d.court = a.court AND d.deputy = a."user" AND d.absent = w.holder
            AND d.starts_at <= t.now AND d.ends_at > t.now AND d.ended_at IS NULL LIMIT 1),
        c.confirmed_by, coalesce(r.count >= %s AND r.since > t.now - %s, false)
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[]) WITH ORDINALITY
        AS a (court, "user", work_order, party, n)
    CROSS JOIN (SELECT access_now() AS now) t
    LEFT JOIN work_order w ON w.court = a.court AND w.id = a.work_order
    LEFT JOIN access_grant g ON g.court = w.court AND g.work_order = w.id AND g.party = a.party
    LEFT JOIN org_person p ON p.court = a.court AND p."user" = a."user"
    LEFT JOIN confirmation c ON c.court = w.court AND c.work_order = w.id AND c.version = w.version
    LEFT JOIN refusal r ON r.court = a.court AND r."user" = a."user"
"""  # noqa: S608 - constants of this file


async def read_snapshots(
    connection: batching.Connection, requests: list[AccessRequest]
) -> dict[AccessRequest, AccessSnapshot]:
    """The snapshot of each request, all of one moment."""
    courts, users, orders, parties = zip(*requests, strict=True)
    cursor = await connection.execute(
        READ,
        (MAX_REFUSALS, REFUSALS_WITHIN, TextArray(courts), TextArray(users), TextArray(orders), BlobArray(parties)),
        binary=True,
    )
    return {requests[row[0] - 1]: _as_snapshot(row) for row in await cursor.fetchall()}


def _as_snapshot(row: tuple[Any, ...]) -> AccessSnapshot:
    order, grant, rest = row[1:10], row[10:16], row[16:]
    member, roles, person, delegation, confirmed_by, refused = rest
    return AccessSnapshot(
        order=None if order[0] is None else GrantedWorkOrder.from_row(order),
        grant=None if grant[0] is None else GrantRow(
            id=grant[0], position=grant[1], begun=grant[2], ended=grant[3], asked=grant[4], allowed=grant[5]
        ),
        member=member,
        roles=tuple(sorted(roles or ())),
        sealed_person=person or b"",
        delegation=delegation,
        confirmed_by=confirmed_by,
        refused_too_often=refused,
    )  # fmt: skip


class UsageKey(NamedTuple):
    """One question to count under a grant; `number` makes each unique."""

    court: str
    work_order: str
    party: bytes
    number: int


# Several questions of one grant at once are counted in one step; the rows are locked in one order everywhere.
_COUNT: Final = """
    WITH asked AS (
        SELECT * FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::int[]) AS a (court, work_order, party, wanted)
    ), before AS (
        SELECT g.court, g.work_order, g.party, g.asked, a.wanted FROM access_grant g JOIN asked a
            USING (court, work_order, party) ORDER BY g.court, g.work_order, g.party FOR UPDATE OF g
    )
    UPDATE access_grant g SET asked = least(g.allowed, b.asked + b.wanted) FROM before b
    WHERE (g.court, g.work_order, g.party) = (b.court, b.work_order, b.party)
    RETURNING g.court, g.work_order, g.party, g.asked - b.asked
"""

_REFUSED: Final = text("""
    INSERT INTO refusal AS r (court, "user", since, count) VALUES (:court, :user, access_now(), 1)
    ON CONFLICT (court, "user") DO UPDATE SET
        since = CASE WHEN r.since > access_now() - :within THEN r.since ELSE access_now() END,
        count = CASE WHEN r.since > access_now() - :within THEN r.count + 1 ELSE 1 END
""")


class UsageCounters:
    """
    The counters, in PostgreSQL and shared by all replicas.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # The record of the question is what must be durable; of the count a crash may lose the last milliseconds.
        self._counts = batching.BatchedStatement(database, _count, options="-c synchronous_commit=off")
        self._numbers = 0

    async def consume(self, court: str, work_order: str, party: bytes) -> bool:
        """
        Counts one more question of a grant; False if it has none left.  Raises `DatabaseUnavailable`.
        """
        self._numbers += 1
        return bool(await self._counts.run(UsageKey(court, work_order, party, self._numbers)))

    async def count_refusal(self, court: str, user: str) -> None:
        """Counts a refusal.  Raises `DatabaseUnavailable`."""
        await self._database.run(_refused, court, user)

    async def aclose(self) -> None:
        """Gives the connection back."""
        await self._counts.aclose()


async def _count(connection: batching.Connection, questions: list[UsageKey]) -> dict[UsageKey, bool]:
    grants: dict[tuple[str, str, bytes], list[UsageKey]] = {}
    for question in questions:
        grants.setdefault((question.court, question.work_order, question.party), []).append(question)
    courts, orders, parties = zip(*grants, strict=True)
    wanted = IntegerArray(len(same_grant) for same_grant in grants.values())
    cursor = await connection.execute(
        _COUNT, (TextArray(courts), TextArray(orders), BlobArray(parties), wanted), binary=True
    )
    counted: dict[UsageKey, bool] = {}
    for court, order, party, given in await cursor.fetchall():
        counted |= {question: place < given for place, question in enumerate(grants[court, order, bytes(party)])}
    return counted


def _refused(connection: Connection, court: str, user: str) -> Any:
    connection.execute(_REFUSED, {"court": court, "user": user, "within": REFUSALS_WITHIN})
