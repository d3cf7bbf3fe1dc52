"""
Synthetic parties and officials, a clock that tests turn by hand, mounted agencies, and a raw server that misbehaves.

Nobody here exists.  The values named CANARIES must never be found in an error, a log or an address.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from adapters.contract import Adapter, Agency, Interpretation, Question, lookup
from adapters.wire.base import WireFamily
from adapters.wire.clock import CorrectedClock
from adapters.wire.configuration import FAMILIES, read_sites
from adapters.wire.route import AnyRoute
from adapters.wire.secrets import SecretStore
from adapters.wire.transport import AgencyTransport
from schemas.codes import AnswerState, IdType, SubjectKind
from schemas.subject import Matter, Official, Subject

ADDRESS = "http://127.0.0.1:9"
START = datetime.fromtimestamp(1_700_000_000, UTC)

PATHS = {
    "irs": "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm",
    "national": "/sysapi/enterprise/positions",
    "population": "/gk/services/population",
    "rbsp": "/rbsp/request",
}
PARAMETERS = {
    "irs": {"id_number": "AAC002", "name": "aac003"},
    "national": {"id_number": "cerno", "name": "name"},
    "population": {"id_number": "GMSFHM", "name": "XM"},
    "rbsp": {"id_number": "SFZH"},
}
HEAD = {
    "QQBWDM": "GJXXZX",
    "QQBWMC": "信息中心",
    "SJLYXTDM": "330800",
    "SJLYXTMC": "衢州",
    "QQYWLXDM": "01",
    "QQYWLXMC": "送达",
    "QQYWXTDM": "02",
    "QQYWXTMC": "枢纽",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "irs": {"matters": {"*": "许可0000-00"}},
    "national": {"matters": {"*": "许可0000-00"}},
    "population": {"head": HEAD},
    "rbsp": {
        "service_id": "S10-00000001",
        "requester_id": "C330800-00000001",
        "required_items": ["GMSFHM", "XM", "ZZXZ"],
    },
}
CREDENTIALS = {
    "irs": {"app_key": "DEMO_APP_KEY", "app_secret": "demo_app_secret"},
    "national": {"app_key": "demo_app_key", "sid": "s_1200000900000_2108"},
    "population": {
        "app_key": "demo_app_key",
        "sid": "s_1200000900000_2108",
        "user": "demo_user",
        "password": "demo_password",
    },
    "rbsp": {},
}

SUBJECT = Subject(kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number="33080219900307123X", name="甲某某")
OFFICIAL = Official(
    user="li.ting",
    name="李某婷",
    id_number="330802198506181225",
    unit_code="11330800MB0000000X",
    unit_name="某区人民法院",
    terminal="10.8.0.7",
)
MATTER = Matter(work_order="WO-2026-1", kind="service", case_number="（2026）浙0802民初1号", court="浙0802")


class Synthetic(Adapter):
    """The agency that every route of these tests belongs to."""

    agency = Agency(id="synthetic", names={}, legal_basis="", repeatable=True, retention_days=1)

    @lookup("lookup", subject=SubjectKind.PERSON, by=(IdType.RESIDENT_ID,), serves=frozenset())
    async def lookup(self, question: Question) -> Interpretation:
        """No test asks through the adapter."""
        return Interpretation(state=AnswerState.NOT_FOUND, answered_at=START)


def toml(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


class Hands:
    """A clock's hands: time passes on both clocks, or the time of day jumps alone."""

    def __init__(self) -> None:
        self.now = START
        self.monotonic = 1000.0
        self.clock = CorrectedClock(now=lambda: self.now, monotonic=lambda: self.monotonic)

    def forward(self, **time: float) -> None:
        """Lets time pass."""
        self.now += timedelta(**time)
        self.monotonic += timedelta(**time).total_seconds()

    def jump(self, **time: float) -> None:
        """Sets the time of day alone."""
        self.now += timedelta(**time)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What a family is tested on: one mounted agency, one clock, routes as the configuration would give them."""

    hands: Hands
    agency: respx.Router
    folder: Path
    subject: Subject = SUBJECT
    official: Official = OFFICIAL
    matter: Matter = MATTER
    paths: Mapping[str, str] = field(default_factory=lambda: PATHS)
    terms: Mapping[str, str] = field(
        default_factory=lambda: {"id_number": SUBJECT.id_number, "name": SUBJECT.name or ""}
    )

    def route(
        self,
        family: str,
        *,
        options: Mapping[str, Any] | None = None,
        credentials: Mapping[str, Any] | None = None,
        address: str = ADDRESS,
        trace: bool = False,
        **changes: Any,
    ) -> AnyRoute:
        """The route of a family as its files say, with some options or keys changed."""
        table = {
            "family": family,
            "path": PATHS[family],
            "parameters": PARAMETERS[family],
            "options": {**OPTIONS[family], **(options or {})},
            "credentials": "synthetic",
            **changes,
        }
        agencies, secrets = self.folder / "agencies.toml", self.folder / "credentials.toml"
        agencies.write_text(f"synthetic = {toml({'address': address, 'trace': trace, 'lookup': table})}", "utf-8")
        secrets.touch(mode=0o600)
        secrets.write_text(f"synthetic = {toml(CREDENTIALS[family] if credentials is None else credentials)}", "utf-8")
        (site,) = read_sites(agencies, secrets, {"synthetic": Synthetic})
        return site.routes[0]

    def wire(
        self, family: str, *, store: SecretStore | None = None, port: AgencyTransport | None = None, **changes: Any
    ) -> WireFamily[Any, Any]:
        """A family on this agency."""
        mounted = port or AgencyTransport(httpx.MockTransport(self.agency.async_handler))
        return FAMILIES[family](self.route(family, **changes), mounted, clock=self.hands.clock, store=store)

    def question(self, *, seconds: float = 5, **changes: Any) -> Question:
        """A fresh question that must be answered within `seconds`."""
        whole = {"subject": self.subject, "official": self.official, "matter": self.matter, **changes}
        deadline = asyncio.get_running_loop().time() + seconds
        return Question(lookup="lookup-1", deadline=deadline, **whole)

    def milliseconds(self, **later: float) -> int:
        """The agency's time of day in milliseconds, some time from now."""
        return round((self.hands.now + timedelta(**later)).timestamp() * 1000)

    def grant_platform_secret(self) -> respx.Route:
        """Lets the national platform hand out its secret, which is `demo_app_secret`."""
        secret = {"secret": "H6FhzsPyBrdHSiftdQY7Nw==", "secretEndTime": self.milliseconds(minutes=15)}
        return self.agency.post(f"{ADDRESS}/sysapi/auth/refreshappsecret").mock(
            return_value=httpx.Response(200, json={"code": "0", "message": "ok", "data": secret})
        )

    def grant_irs_secrets(self) -> respx.Route:
        """Lets the IRS platform hand out its two secrets for the application secret."""
        return self.agency.post(f"{ADDRESS}/gateway/app/refreshTokenByKey.htm").mock(
            return_value=self.irs_secrets("fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef")
        )

    def irs_secrets(self, request: str, refresh: str, *, off: timedelta = timedelta(0)) -> httpx.Response:
        """An answer with two secrets, from an agency whose clock is off by so much."""
        datas = {
            "refreshSecret": refresh,
            "refreshSecretEndTime": self.milliseconds(hours=48, seconds=off.total_seconds()),
            "requestSecret": request,
            "requestSecretEndTime": self.milliseconds(minutes=15, seconds=off.total_seconds()),
        }
        return self.irs_answer(datas)

    def irs_answer(self, datas: Any, code: str = "00", **more: Any) -> httpx.Response:
        """An answer of the IRS platform."""
        envelope = {"code": code, "msg": "", "data": "", "datas": datas, "requestId": "0" * 32, **more}
        return httpx.Response(200, json=envelope)

    def answers(self, family: str, *responses: httpx.Response | type[Exception] | Exception) -> respx.Route:
        """Scripts the business answers of a family, the last one for ever; its secrets are there."""
        if family == "irs":
            self.grant_irs_secrets()
        elif family != "rbsp":
            self.grant_platform_secret()
        route = self.agency.post(f"{ADDRESS}{PATHS[family]}")
        if len(responses) == 1 and isinstance(responses[0], httpx.Response):
            return route.mock(return_value=responses[0])
        return route.mock(side_effect=list(responses) if len(responses) > 1 else responses[0])


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


class RawServer:
    """
    A server that reads whole requests and then does what a test says with the bare connection.

    `behaviour` returns whether it will read another request from the same connection.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.requests: list[bytes] = []
        self.open = 0
        self._behaviour = behaviour
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds about the requests read and the connections open."""
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serves on a free port; yields the base address."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self._changed.set()
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"0")
                    self.requests.append(head + await reader.readexactly(length))
                    self._changed.set()
                    if not await self._behaviour(reader, writer):
                        break
        finally:
            self.open -= 1
            self._changed.set()
            writer.close()


@pytest.fixture
def hands() -> Hands:
    """A clock that only the test turns."""
    return Hands()


@pytest.fixture
def bench(hands: Hands, tmp_path: Path) -> Bench:
    """One mounted agency of every family."""
    return Bench(hands=hands, folder=tmp_path, agency=respx.Router(assert_all_called=False))


@pytest.fixture
def raw_server() -> type[RawServer]:
    """Makes servers that misbehave on the bare connection."""
    return RawServer
