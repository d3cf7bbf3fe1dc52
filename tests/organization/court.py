"""
A hub of its own whose people a test invents: real PostgreSQL, real HTTP, and an issuer that signs for anybody.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

import httpx
import psycopg
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.application import HubServer
from gateway.database.embedded_server import EmbeddedServer
from gateway.demo import world
from gateway.provisioning import APPLICATION_ROLE, create_keys, create_tables
from gateway.server import bind
from gateway.settings import Settings

Answer = httpx.Response
ORIGIN: Final = "demo.shuniu.example/audit/1"


class Issuer:
    """A sign-on server that knows everybody."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Published, self))
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def token(self, user: str, court: str, **changes: Any) -> str:
        """A good access token of somebody at a court.  What it says of roles must not matter."""
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": user,
            "aud": "shuniu",
            "client_id": "shuniu-pages",
            "iat": now,
            "exp": now + 600,
            "jti": f"{user}-{now}",
            "scope": "lookups",
            "name": "某人",
            "court": court,
            "unit": "某部门",
            "roles": ["administrator"],
        }
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "test"}, claims | changes, self.key)


class _Published(BaseHTTPRequestHandler):
    def __init__(self, issuer: Issuer, *rest: Any) -> None:
        self._issuer = issuer
        super().__init__(*rest)

    def do_GET(self) -> None:
        """Discovery and keys."""
        issuer = self._issuer
        keys = {"keys": [issuer.key.as_dict(private=False)]}
        document: Any = (
            keys if self.path == "/jwks" else {"issuer": issuer.address, "jwks_uri": f"{issuer.address}/jwks"}
        )
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationCourt:
    """A running hub and its issuer."""

    address: str
    issuer: Issuer
    settings: Settings
    owner: str

    def call(self, who: str, method: str, path: str, body: Any = None, *, court: str = "浙0802") -> Answer:
        """A call as somebody."""
        return self.call_with(self.issuer.token(who, court), method, path, body)

    def call_with(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        """A call with a token of the test's own."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, self.address + path, json=body, headers=headers, timeout=30, trust_env=False)

    def put_person(self, who: str, user: str, *, by_court: str = "浙0802", **body: Any) -> Answer:
        """Enters or changes a person."""
        return self.call(who, "PUT", f"/v1/organization/people/{user}", body, court=by_court)

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in the database, as its owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def advance(self, interval: str) -> None:
        """Moves the clock of access on; it never goes back."""
        self.query("UPDATE access_clock SET latest = access_now() + %s::interval", interval)

    def admin_changes(self) -> list[dict[str, Any]]:
        """The leaves of every change of administration, oldest first."""
        rows = self.query("SELECT body FROM audit.entry ORDER BY idx")
        leaves = [json.loads(bytes(row[0])) for row in rows]
        return [leaf for leaf in leaves if leaf["type"] == "admin.changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """An installation with its tree, to be copied: a database without anybody connected, and a folder with its keys."""

    postgres: EmbeddedServer
    database: str
    folder: Path

    @classmethod
    def create(
        cls, postgres: EmbeddedServer, folder: Path, database: str, settle: Callable[[Settings], object]
    ) -> Self:
        """A new installation whose tree `settle` has filled."""
        postgres.create(database)
        nowhere = world.World(addresses=dict.fromkeys(world.AGENCIES, "http://127.0.0.1:9"), issuer="http://127.0.0.1")
        settings = world.settings_of(nowhere, folder, database_url=postgres.url(database, user=APPLICATION_ROLE))
        create_keys(settings)
        create_tables(postgres.url(database), origin=settings.origin, application=APPLICATION_ROLE)
        settle(settings)
        return cls(postgres=postgres, database=database, folder=folder)

    @contextmanager
    def running(self, folder: Path, name: str) -> Iterator[OrganizationCourt]:
        """A hub on a copy of it."""
        shutil.copytree(self.folder, folder)
        self.postgres.create(name, template=self.database)
        with ExitStack() as stack:
            issuer = Issuer()
            serving = {"poll_interval": 0.02}
            threading.Thread(target=issuer.server.serve_forever, kwargs=serving, daemon=True).start()
            stack.callback(issuer.server.server_close)
            stack.callback(issuer.server.shutdown)
            settings = Settings(
                folder=folder,
                agencies=folder / "agencies.toml",
                credentials=folder / "credentials.toml",
                database_url=self.postgres.url(name, user=APPLICATION_ROLE),
                sign_on_issuer=issuer.address,
                origin=ORIGIN,
                deadline=2.0,
            )
            listener = stack.enter_context(bind(settings.host, 0))
            server = HubServer(settings)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="hub")
            thread.start()
            address = f"http://{settings.host}:{listener.getsockname()[1]}"
            # The socket listens already; the answer comes once the hub stands.
            httpx.get(f"{address}/healthz", timeout=30, trust_env=False)
            owner = self.postgres.conninfo(name)
            try:
                yield OrganizationCourt(address=address, issuer=issuer, settings=settings, owner=owner)
            finally:
                server.should_exit = True
                thread.join()
