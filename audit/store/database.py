"""
The log's schema in PostgreSQL: its creation, connection strings, and checks of server and role.
"""

from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from audit.errors import LogConfigurationError

SCHEMA = "audit"
APPEND_ROLE = "shuniu_audit_append"
READ_ROLE = "shuniu_audit_read"
ERASE_ROLE = "shuniu_audit_erase"

DURABLE = ("on", "remote_apply")

# A dead network or a dead replica is noticed by the kernel within seconds, on both ends.
_LIVENESS = {
    "connect_timeout": 2,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}

# Built in two steps, since a role is the cluster's and another database may be making it at this moment.
_ROLE = """
DO $$ BEGIN
    CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$
"""


def create(connection: psycopg.Connection[Any], origin: str, *, schema: str = SCHEMA, application: str = "") -> bool:
    """
    Makes the tables of a new log inside the caller's transaction, as their owner; says whether it was new.

    `application` is the login role of the hub, which becomes a member of the group that may append.
    """
    create_roles(connection)
    if application:
        grant(connection, APPEND_ROLE, application)
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone():
        return False
    names = {"schema": schema, "keys": keys_schema(schema)}
    names |= {"append": APPEND_ROLE, "read": READ_ROLE, "erase": ERASE_ROLE}
    script = files("audit").joinpath("sql/0001_log.sql").read_text(encoding="utf-8")
    connection.execute(sql.SQL(script).format(**{name: sql.Identifier(value) for name, value in names.items()}))
    insert = sql.SQL("INSERT INTO {}.head (origin) VALUES (%s)").format(sql.Identifier(schema))
    connection.execute(insert, (origin,))
    return True


def create_roles(connection: psycopg.Connection[Any]) -> None:
    """Makes the group roles, which every log of the cluster shares, unless they are there."""
    for role in (APPEND_ROLE, READ_ROLE, ERASE_ROLE):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
            connection.execute(sql.SQL(_ROLE).format(role=sql.Identifier(role)))


def grant(connection: psycopg.Connection[Any], group: str, login: str) -> None:
    """Makes a login role a member of a group."""
    connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(login)))


def keys_schema(schema: str) -> str:
    """The schema of the wrapped keys of the log in `schema`."""
    return f"{schema}_keys"


def conninfo(dsn: str, *, timeout: float, purpose: str = "append") -> str:
    """
    A connection string for the log: no statement and no lock waits longer than `timeout` seconds.
    """
    # SQLAlchemy's spelling of the same address.
    plain = dsn.replace("postgresql+psycopg://", "postgresql://", 1)
    milliseconds = int(timeout * 1000)
    limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    options = " ".join(f"-c {name}={milliseconds}" for name in limits)
    given = conninfo_to_dict(plain).get("options") or ""
    name = f"shuniu audit {purpose}"
    return make_conninfo(plain, **_LIVENESS, application_name=name, options=f"{given} {options}".strip())


def check(connection: psycopg.Connection[Any], origin: str, *, schema: str = SCHEMA) -> None:
    """
    Checks the settings and rights on which durability and immutability depend, for this connection.

    Raises `LogConfigurationError` with the statement that mends it.
    """
    for name, allowed in (("fsync", ("on",)), ("full_page_writes", ("on",)), ("synchronous_commit", DURABLE)):
        row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in allowed:
            raise LogConfigurationError(
                f"PostgreSQL has {name} = {row and row[0]}, so an acknowledged record could be lost; remove it from "
                f"roles and databases, and run as superuser: ALTER SYSTEM SET {name} = 'on'; SELECT pg_reload_conf()"
            )
    _check_tables(connection, schema)
    _check_role(connection, schema)
    head = sql.SQL("SELECT origin FROM {}.head").format(sql.Identifier(schema))
    row = connection.execute(head).fetchone()
    if row is None or row[0] != origin:
        raise LogConfigurationError(
            f"the log in this database is {row and row[0]}, not {origin}: "
            "set SHUNIU_ORIGIN and the key folder to that log's, or use another database"
        )


def _check_tables(connection: psycopg.Connection[Any], schema: str) -> None:
    rows = connection.execute(
        "SELECT relname, relpersistence FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE nspname = ANY (%s) AND relkind IN ('r', 'p')",
        ([schema, keys_schema(schema)],),
    ).fetchall()
    if not rows:
        raise LogConfigurationError(_no_log(schema))
    for name, persistence in rows:
        # "char" comes as bytes.
        if persistence not in {"p", b"p"}:
            raise LogConfigurationError(f"a crash would empty {name}; run: ALTER TABLE {schema}.{name} SET LOGGED")


def _no_log(schema: str) -> str:
    mend = "make one with: shuniu init" if schema == SCHEMA else "set SHUNIU_AUDIT_SCHEMA to the schema that holds it"
    return f"this database holds no audit log ({schema}); {mend}"


def _check_role(connection: psycopg.Connection[Any], schema: str) -> None:
    row = connection.execute(
        "SELECT current_user, rolsuper, pg_has_role(relowner, 'USAGE'), "
        "has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, INSERT'), "
        "has_schema_privilege(n.oid, 'CREATE') "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace, pg_roles r "
        "WHERE nspname = %s AND relname = 'entry' AND r.rolname = current_user",
        (schema,),
    ).fetchone()
    if row is None:
        raise LogConfigurationError(_no_log(schema))
    role, superuser, owner, writes, creates = row
    if superuser or owner or writes or creates:
        raise LogConfigurationError(
            f"role {role} could alter the audit log; connect as a role of its own: "
            f"CREATE ROLE shuniu_app LOGIN; GRANT {APPEND_ROLE} TO shuniu_app"
        )
