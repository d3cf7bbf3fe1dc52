"""
The tables of sessions and pending sign-ins.  Only digests of secrets are stored; personal data is encrypted.
"""

from sqlalchemy import Column, DateTime, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from gateway.database.tables import metadata

session = Table(
    "session",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="SHA-256 of the cookie's secret"),
    Column("exchange", UUID, nullable=False, comment="its name in the audit log"),
    Column("address", LargeBinary, nullable=False, comment="mark of the network address it was made from"),
    Column("caller", LargeBinary, nullable=False, comment="sealed: the person"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("ended", Text, nullable=True, comment="how it ended; the row goes once that is recorded"),
)

sign_in_attempt = Table(
    "sign_in_attempt",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="SHA-256 of the cookie's secret"),
    Column("state", LargeBinary, nullable=False, comment="SHA-256 of the state that the sign-on server returns"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: nonce, PKCE verifier, where to go"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
