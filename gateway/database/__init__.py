"""
Access to PostgreSQL: a function over a connection runs as one transaction on a worker thread.
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
    """The database failed, or did not answer in time."""


class Database:
    """
    Runs plain functions over a SQLAlchemy connection, each in one transaction on a worker thread.

    A function runs at READ COMMITTED with a statement limit.  Any database error, and no answer within `timeout`
    seconds, is `DatabaseUnavailable`; the pool reconnects by itself.  `conninfo` is for connections outside the pool;
    `running` counts the functions that are running.
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
            # Database errors quote values, so another error is raised, outside of this block.
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
        # The pooled connection may have died while idle: one attempt on a new one.
        with self._engine.begin() as connection:
            return work(connection, *args, **kwargs)

    async def check(self) -> None:
        """Raises `DatabaseUnavailable` unless a transaction is possible."""
        await self.run(lambda connection: connection.execute(text("SELECT 1")).scalar_one())

    def close(self) -> None:
        """Closes all connections, after the running functions; the statement limit bounds the wait."""
        self._threads.shutdown(cancel_futures=True)
        self._engine.dispose()
