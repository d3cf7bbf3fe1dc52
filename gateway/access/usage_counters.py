"""
Usage counters: the questions of each grant, and the refusals of a caller by rules that a guess would meet.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from gateway.access.snapshot import REFUSALS_WITHIN
from gateway.database import Database, batching
from gateway.database.batching import BlobArray, IntegerArray, TextArray


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
