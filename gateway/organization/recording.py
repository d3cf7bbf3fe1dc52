"""
Sealed payloads of administrative records: who was concerned, in full.
"""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from audit.format.event import SealedPayload

# A payload stays readable for as long as its record may be requested (PIPL 56: three years).
RETENTION_DAYS: Final = 3 * 366


def sealed_payload(kind: str, at: datetime, value: Any) -> SealedPayload:
    """A JSON value, to be sealed with its record."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return SealedPayload(kind=kind, body=body, expires_at=at + timedelta(days=RETENTION_DAYS))
