"""
Whole logs in PostgreSQL for tests and benchmarks, filled quickly by the same way as always: sealed, appended, signed.
"""

from uuid import UUID

from audit.format.event import Event
from audit.sealing.keys import Keys
from audit.sealing.sealer import Sealer
from audit.store import database
from audit.store.log import Log
from audit.store.writer import Writer
from tests.audit.sample import intent, outcome

TEMPLATE = "audit_template"
HUB_ROLE, ERASER_ROLE = "audit_test_hub", "audit_test_eraser"
BATCH = 512


def event(index: int) -> Event:
    """What stands at this place of such a log: intents and their outcomes in turn."""
    event = intent(index // 2, UUID(int=index // 2 + 1))
    return outcome(event) if index % 2 else event


def fill(dsn: str, keys: Keys, size: int, *, start: int = 0) -> None:
    """Appends the entries start … size−1."""
    sealer = Sealer(keys, 0)
    writer = Writer(database.conninfo(dsn, timeout=60), keys.origin, database.SCHEMA)
    for first in range(start, size, BATCH):
        writer.append([sealer.seal(event(index)) for index in range(first, min(first + BATCH, size))])
    writer.disconnect()


async def sign(dsn: str, keys: Keys) -> bytes:
    """Signs the log as it stands, and returns the checkpoint."""
    log = await Log.open(dsn, keys, sign_every=None, timeout=60)
    checkpoint = log.checkpoint
    await log.aclose()
    return checkpoint
