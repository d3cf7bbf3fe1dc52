"""
What the log keeps sealed beside a record of administration: who was concerned, whole.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from audit.format.event import SealedPayload

# Who changed which account stays readable as long as the record of it may be asked for (PIPL 56: three years).
KEPT_DAYS: Final = 3 * 366


def sealed_payload(kind: str, at: datetime, value: Any) -> SealedPayload:
    """A value of plain JSON, to be sealed with its record."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return SealedPayload(kind=kind, body=body, expires_at=at + timedelta(days=KEPT_DAYS))
