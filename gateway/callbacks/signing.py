"""
Signing secrets of receivers (Standard Webhooks): made here, shown once, kept sealed, rotated with a time of grace.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

GRACE: Final = timedelta(hours=24)
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningSecrets:
    """
    The secrets of one receiver, the newest first.  Each has the time until which it signs; the newest signs for good.
    """

    all: tuple[tuple[str, datetime | None], ...] = field(repr=False)

    @classmethod
    def fresh(cls) -> "SigningSecrets":
        """One new secret."""
        return cls(((_made(), None),))

    @property
    def newest(self) -> str:
        """What is shown once, after it was made."""
        return self.all[0][0]

    def rotated(self, now: datetime, grace: timedelta = GRACE) -> "SigningSecrets":
        """A new secret; the last one signs beside it for the time of grace, older ones no more."""
        return SigningSecrets(((_made(), None), (self.newest, now + grace)))

    def signatures(self, webhook_id: str, at: datetime, body: bytes) -> str:
        """The `webhook-signature` of a body: one signature for each secret in force, with spaces between."""
        text = body.decode()
        valid = [secret for secret, until in self.all if until is None or at < until]
        # The library reads the time as UTC whatever its zone says.
        return " ".join(Webhook(secret).sign(webhook_id, at.astimezone(UTC), text) for secret in valid)

    def dump(self) -> bytes:
        """As it is sealed."""
        return json.dumps([[secret, until and until.isoformat()] for secret, until in self.all]).encode()

    @classmethod
    def load(cls, kept: bytes) -> "SigningSecrets":
        """Reads what `dump` wrote."""
        return cls(tuple((secret, until and datetime.fromisoformat(until)) for secret, until in json.loads(kept)))


def _made() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
