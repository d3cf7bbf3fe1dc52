"""
The worklist of a person: their open work orders and those they hold as deputy, by deadline.

It grants nothing: every lookup is decided on its own.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, text

from gateway.access.snapshot import WORK_ORDER_COLUMNS, GrantedWorkOrder
from gateway.access.work_orders import WorkOrders
from gateway.database import Database
from schemas.work_order import WorkOrderStatement, WorkOrderStatus

PAGE: Final = 25


class Cursor(NamedTuple):
    """The position after which the next page begins."""

    ends_at: datetime
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistItem:
    """
    One work order of the list.  `ends_at`: when its right to ask ends; `as_deputy`: whether another person holds it.
    """

    order: GrantedWorkOrder
    statement: WorkOrderStatement = field(repr=False)
    ends_at: datetime
    as_deputy: bool

    @property
    def cursor(self) -> Cursor:
        """Its position in the list."""
        return Cursor(self.ends_at, self.order.id)


# A person's own work orders, and those of the people for whom they are the deputy now.
_HELD: Final = """
    (w.holder = :user OR w.holder IN (
        SELECT d.absent FROM delegation d WHERE d.court = :court AND d.deputy = :user AND d.ended_at IS NULL
            AND d.starts_at <= access_now() AND d.ends_at > access_now()))
"""
_FROM: Final = f"""
    SELECT {WORK_ORDER_COLUMNS}, g.ends_at, w.holder <> :user AS stands_in
    FROM work_order w CROSS JOIN LATERAL (
        SELECT max(ends_at) AS ends_at FROM access_grant g WHERE g.court = w.court AND g.work_order = w.id) g
    WHERE w.court = :court AND w.recorded AND {_HELD}
"""  # noqa: S608 - constants of this file
_OPEN: Final = [status.value for status in WorkOrderStatus if status.open]

# Brackets of a case number are typed in either width.
_LIST: Final = text(f"""
    {_FROM} AND w.status = ANY (:open) AND g.ends_at > access_now()
        AND (:kind = '' OR w.kind = :kind)
        AND (:search = '' OR strpos(upper(w.id), upper(:search)) > 0
            OR strpos(translate(w.case_number, '()', '（）'), translate(:search, '()', '（）')) > 0)
        AND (CAST(:after_at AS timestamptz) IS NULL OR (g.ends_at, w.id) > (:after_at, :after_id))
    ORDER BY g.ends_at, w.id LIMIT :most
""")
_ONE: Final = text(f"{_FROM} AND w.id = :id")


@dataclass(frozen=True, slots=True)
class Worklist:
    """
    Reads worklists, fresh every time.
    """

    database: Database
    work_orders: WorkOrders

    async def list_open(
        self, court: str, user: str, *, kind: str = "", search: str = "", after: Cursor | None = None
    ) -> tuple[list[WorklistItem], Cursor | None]:
        """
        One page of a person's open work orders, the next to end first, and the cursor of the next page.

        `said` is a part of a number or of a case number.  Raises `DatabaseUnavailable`.
        """
        rows = await self.database.run(_list, {
            "court": court, "user": user, "open": _OPEN, "kind": kind, "search": search.strip(),
            "after_at": None if after is None else after.ends_at, "after_id": "" if after is None else after.id,
            "most": PAGE + 1,
        })  # fmt: skip
        items = [self._item(row) for row in rows[:PAGE]]
        return items, items[-1].cursor if len(rows) > PAGE else None

    async def get(self, court: str, user: str, name: str) -> WorklistItem | None:
        """
        A work order of the person, open or not; None for any other.

        Raises `DatabaseUnavailable`.
        """
        rows = await self.database.run(_one, {"court": court, "user": user, "id": name})
        return self._item(rows[0]) if rows else None

    def _item(self, row: Row[Any]) -> WorklistItem:
        order = GrantedWorkOrder.from_row(row)
        statement = self.work_orders.document(order)
        return WorklistItem(order=order, statement=statement, ends_at=row.ends_at, as_deputy=row.stands_in)


def _list(connection: Connection, values: dict[str, Any]) -> list[Row[Any]]:
    return list(connection.execute(_LIST, values))


def _one(connection: Connection, values: dict[str, Any]) -> list[Row[Any]]:
    return list(connection.execute(_ONE, values))
