"""
The hub's own tables.  Personal data is encrypted, or a blind index (see `gateway.field_encryption`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import ARRAY, UUID

metadata = MetaData()

work_order = Table(
    "work_order",
    metadata,
    Column("court", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("case_number", Text, nullable=True),
    Column("holder", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="mark of the whole document, to tell a repeat"),
    Column("document", LargeBinary, nullable=False, comment="sealed: holder and parties"),
    Column("recorded", Boolean, nullable=False, comment="this version stands in the audit log"),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

access_grant = Table(
    "access_grant",
    metadata,
    Column("court", Text, primary_key=True),
    Column("work_order", Text, primary_key=True),
    Column("party", LargeBinary, primary_key=True, comment="mark of the party's identifier"),
    Column("id", UUID, nullable=False, comment="stands in the audit log"),
    Column("position", SmallInteger, nullable=False, comment="place of the party in the statement"),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("allowed", Integer, nullable=False, comment="questions about this party"),
    Column("asked", Integer, nullable=False),
)

confirmation = Table(
    "confirmation",
    metadata,
    Column("court", Text, primary_key=True),
    Column("work_order", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
)

org_unit = Table(
    "org_unit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("parent", Text, nullable=True),
    Column("kind", Text, nullable=False, comment="region, court, centre or group"),
    Column("court", Text, nullable=True, comment="court code; none for a region"),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("path", ARRAY(Text), nullable=False, comment="ids from the root to this unit, both included"),
)

org_person = Table(
    "org_person",
    metadata,
    Column("court", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: name, and what agencies demand of an official"),
)

delegation = Table(
    "delegation",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("court", Text, nullable=False),
    Column("absent", Text, nullable=False),
    Column("deputy", Text, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ended_at", DateTime(timezone=True), nullable=True),
)

review = Table(
    "review",
    metadata,
    Column("court", Text, primary_key=True),
    Column("work_order", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("reviewed_by", Text, nullable=True),
    Column("reviewed_at", DateTime(timezone=True), nullable=True),
    Column("finding", Text, nullable=True),
)

callback_receiver = Table(
    "callback_receiver",
    metadata,
    Column("court", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("client", Text, nullable=False, comment="the ticket system that may name it"),
    Column("url", Text, nullable=False),
    Column("internal", Boolean, nullable=False, comment="an administrator allowed an address inside the court"),
    Column("preferred", Boolean, nullable=False, comment="used where a request names none"),
    Column("state", Text, nullable=False, comment="active, paused, gone or removed"),
    Column("secrets", LargeBinary, nullable=False, comment="sealed: signing secrets and until when each is used"),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

callback_delivery = Table(
    "callback_delivery",
    metadata,
    Column("id", Text, primary_key=True, comment="webhook-id, the same in every attempt"),
    Column("court", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it tells of: an id of ours"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: the bytes of the body, the same in every attempt"),
    Column("state", Text, nullable=False, comment="waiting, delivered, cancelled or dead_lettered"),
    Column("reason", Text, nullable=True, comment="why it ended, or why the last attempt failed"),
    Column("attempts", Integer, nullable=False),
    Column("version", BigInteger, nullable=False, comment="grows with every claim: a late writer is refused"),
    Column("claimed", Boolean, nullable=False, comment="some replica is at it, until due_at"),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("deadline", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True), nullable=True),
)

search_handle = Table(
    "search_handle",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="SHA-256 of the token in the address of a page"),
    Column("court", Text, nullable=False),
    Column("user", Text, nullable=False, comment="the only one for whom it works"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: what is searched for, and why people are shown"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

subject_report = Table(
    "subject_report",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("court", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", DateTime(timezone=True), nullable=False),
    Column("below", BigInteger, nullable=False, comment="size of the log that it tells of"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed: to whom, and what is withheld"),
    Column("released_by", Text, nullable=True),
    Column("released_at", DateTime(timezone=True), nullable=True),
)

use_review = Table(
    "use_review",
    metadata,
    Column("record", UUID, primary_key=True, comment="exchange of its record in the log"),
    Column("court", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("person", LargeBinary, nullable=False, comment="mark of whose use it was"),
    Column("rules", ARRAY(Text), nullable=False, comment="rules that pointed to it; none: drawn at random"),
    Column("outcome", Text, nullable=False),
    Column("reviewed_by", Text, nullable=False),
    Column("reviewed_at", DateTime(timezone=True), nullable=False),
)

agency_secret = Table(
    "agency_secret",
    metadata,
    Column("key", Text, primary_key=True, comment="digest of who we are at which address"),
    Column("number", BigInteger, nullable=False, comment="grows with every renewal; 0 before the first"),
    Column("sealed", LargeBinary, nullable=True),
    Column("renewed_at", DateTime(timezone=True), nullable=True),
    Column("turn", UUID, nullable=True, comment="of the hub that renews it now"),
    Column("turn_ends_at", DateTime(timezone=True), nullable=True),
)

lookup_made = Table(
    "lookup_made",
    metadata,
    Column("id", UUID, primary_key=True, comment="of the lookup"),
    Column("court", Text, nullable=False),
    Column("work_order", Text, nullable=False),
    Column("party", LargeBinary, nullable=False, comment="mark of the party's identifier"),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("used", SmallInteger, nullable=True, comment="place of the address that was taken, from 0"),
    Column("used_at", DateTime(timezone=True), nullable=True),
    Column("used_record", BigInteger, nullable=True, comment="index of the record that says so"),
)
