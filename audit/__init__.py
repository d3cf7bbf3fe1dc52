"""
The audit log: a tamper-evident transparency log in C2SP formats, stored in PostgreSQL.

Rooms, from the bottom: `format` (pure), `sealing`, `store`, `anchor`, `verify`, `export`.
"""
