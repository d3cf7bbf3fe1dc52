"""
The hub's way to PostgreSQL: one function is one transaction is one hop to a worker thread.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseUnavailable(Exception):
    """The database did not do as asked, or not in time; nothing may be answered on its behalf."""


class Database:
    """
    Runs plain functions over a SQLAlchemy connection, each in one transaction on a worker thread.

    A function sees READ COMMITTED and a statement limit.  Any database error, and any silence longer than `timeout`
    seconds, is `DatabaseUnavailable`; the pool reconnects by itself when the database is back.  `conninfo` is the same
    database for a connection of another kind; `running` counts the functions that were begun and have not ended.
    """

    def __init__(self, url: str, *, timeout: float = 2.0, connections: int = 8) -> None:
        milliseconds = int(timeout * 1000)
        limits = " ".join(
            f"-c {name}={milliseconds}"
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        )
        settings: dict[str, Any] = {
            "connect_timeout": max(2, int(timeout)),
            "options": limits,
            "application_name": "shuniu hub",
        }
        self.timeout = timeout
        self.connections = connections
        self.running = 0
        self.conninfo = make_conninfo(url.replace("postgresql+psycopg://", "postgresql://", 1), **settings)
        self._engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=timeout,
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args=settings,
        )
        self._threads = ThreadPoolExecutor(max_workers=connections, thread_name_prefix="database")

    async def run(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """
        Runs `work(connection, …)` in one transaction and commits it.  Raises `DatabaseUnavailable`.
        """
        loop = asyncio.get_running_loop()
        self.running += 1
        try:
            async with asyncio.timeout(2 * self.timeout):
                return await loop.run_in_executor(self._threads, lambda: self._once(work, *args, **kwargs))
        except (SQLAlchemyError, TimeoutError):
            # Database errors quote values; the class alone is told, outside of this block.
            pass
        finally:
            self.running -= 1
        raise DatabaseUnavailable

    def _once(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection, *args, **kwargs)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # A pooled connection that died while idle is no news about the database: one fresh attempt.
        with self._engine.begin() as connection:
            return work(connection, *args, **kwargs)

    async def check(self) -> None:
        """Raises `DatabaseUnavailable` unless a transaction can be had."""
        await self.run(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def close(self) -> None:
        """Gives all connections back, once what is under way has ended: a statement's limit is the longest wait."""
        self._threads.shutdown(cancel_futures=True)
        self._engine.dispose()
