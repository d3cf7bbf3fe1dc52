"""
The audit log: a transparency log in C2SP formats that anyone can check and nobody can change.

The pure part (`tree`, `note`, `checkpoint`, `tiles`, `proof`, `commitment`, `leaf`, `verify`) needs neither gateway
nor database; the rest keeps the log in PostgreSQL.
"""
