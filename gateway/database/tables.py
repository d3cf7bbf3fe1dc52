"""
The hub's own tables.  What they know about people is sealed or marked (see `gateway.vault`).
"""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

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
    Column("parties", ARRAY(LargeBinary), nullable=False, comment="marks of the parties' identifiers"),
    Column("digest", LargeBinary, nullable=False, comment="mark of the whole document, to tell a repeat"),
    Column("document", LargeBinary, nullable=False, comment="sealed: holder and parties"),
    Column("recorded", Boolean, nullable=False, comment="this version stands in the audit log"),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
