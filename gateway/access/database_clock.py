"""
The clock of access.  Whatever is bounded in time is bounded by PostgreSQL's clock, and never by a time earlier than one
that was seen before: setting a clock back brings no ended right to life, on no replica.

`access_now()` in SQL is that time; here it is only made to advance.
"""

from typing import Final

from sqlalchemy import Connection, text

# Seconds.  An expiry that was seen by anybody for this long is final, whatever happens to the server's clock.
ADVANCE_EVERY: Final = 5.0

_ADVANCE: Final = text("UPDATE access_clock SET latest = clock_timestamp() WHERE latest < clock_timestamp()")


def advance(connection: Connection) -> None:
    """Remembers the latest time."""
    connection.execute(_ADVANCE)
