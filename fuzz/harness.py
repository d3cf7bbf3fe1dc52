"""
A harness for hostile answers: one mock agency in this process, with other bytes in place of its answer.

The adapter, its wire family and its port are the real ones, and so is the hub's translation into the six states.
All persons are synthetic.
"""

import asyncio
import importlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx

from adapters.contract import Adapter, Capability, Interpretation, Question
from adapters.registry import load_agencies
from adapters.wire import clock as wire
from adapters.wire.secrets import ProcessStore
from gateway.lookup import fan_out
from gateway.lookup.fan_out import AgencyReply, PlannedQuestion
from mock_agencies import credentials
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.exchange import MockRequest
from mock_agencies.faults.delivery import DELIVERIES
from mock_agencies.population import Population, SyntheticOrganization, SyntheticPerson
from mock_agencies.public_security.signing import SoapSigner
from schemas.codes import IdType, SubjectKind
from schemas.subject import Matter, Official, Subject

ROOT: Final = Path(__file__).parents[1]
# Kept inputs: a folder for each target, a file for each, named after the state and reason that it ends in.
CORPUS: Final = ROOT / "fuzz/corpus"
SECONDS: Final = 5.0

OFFICIAL: Final = Official(
    user="li.ting",
    name="历承办",
    id_number="330802198506150014",
    unit_code="11330800DEM000196R",
    unit_name="示例市示例区人民法院",
    terminal="10.0.0.21",
)
MATTER: Final = Matter(
    work_order="WO-2026-000815", kind="service", case_number="（2026）浙0802民初815号", court="浙0802"
)

_IRS: Final = "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm"
_COUNTY: Final = "/dataSharing/socialPersonalParticipationInfo"
_COUNTY_ROUTE: Final = ((_IRS, _COUNTY), ('style = "form"', 'style = "form"\nsecrets = "county"'))
_HEAD: Final = "[public_security.identity.options.head]"
_SIGNED_ROUTE: Final = ((_HEAD, f'[public_security.identity.options]\nsigned_by = "agency.pem"\n\n{_HEAD}'),)
_NAME: Final = re.compile(rb"[A-Za-z-]+")
# Faults that are no other bytes in one answer, or too many of them for a seed.
_NO_SEED: Final = frozenset({*DELIVERIES, "gzip_bomb", "deep_json", "deep_xml"})


@dataclass(frozen=True, slots=True)
class Target:
    """
    One reader of foreign bytes: the lookup that leads to it, the paths whose answers it reads, how the demo's
    configuration is changed for it, whether it reads a secret, which is then fetched for every question, and whether
    the agency signs.
    """

    agency: str
    capability: str
    paths: tuple[str, ...]
    changes: tuple[tuple[str, str], ...] = ()
    secret: bool = False
    signed: bool = False


TARGETS: Final = {
    "irs": Target("human_resources", "participation", (_IRS,)),
    "county": Target("human_resources", "participation", (_COUNTY,), _COUNTY_ROUTE),
    "national": Target("market_regulation", "registration", ("/sysapi/enterprise/basic",)),
    "population": Target("public_security", "identity", ("/gk/services/population",)),
    "signed": Target("public_security", "identity", ("/gk/services/population",), _SIGNED_ROUTE, signed=True),
    "rbsp": Target("public_security", "addresses", ("/rbsp/request",)),
    "irs_secrets": Target("human_resources", "participation", ("/gateway/app/refreshTokenByKey.htm",), secret=True),
    "county_secrets": Target(
        "human_resources", "participation", ("/appsecert", "/interfaceSecurity"), _COUNTY_ROUTE, secret=True
    ),
    "national_secret": Target("market_regulation", "registration", ("/sysapi/auth/refreshappsecret",), secret=True),
}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP answer: status, headers, body.  As a file: the status, a header a line, an empty line, the body."""

    body: bytes = field(repr=False)
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def from_file(cls, written: bytes) -> "HttpAnswer":
        """The answer of a file.  A head that is none is part of the body, which then comes as it pleases."""
        head, blank, body = written.partition(b"\n\n")
        status, *lines = head.split(b"\n")
        if not (blank and len(status) == 3 and status.isdigit() and b"100" <= status <= b"599"):
            return cls(written)
        headers = (line.partition(b":") for line in lines)
        return cls(
            body, int(status), tuple((name, value.strip()) for name, _, value in headers if _NAME.fullmatch(name))
        )

    def to_file(self) -> bytes:
        """The answer as a file."""
        return b"\n".join([b"%d" % self.status, *(b"%b: %b" % header for header in self.headers), b"", self.body])


class MockAgencyTransport(httpx.AsyncBaseTransport):
    """
    A mock agency as a transport.  On `paths` it answers `replacement` instead, if it is set; `last_answer` is what it
    answered last.
    """

    def __init__(self, agency: MockAgency, paths: tuple[str, ...]) -> None:
        self.agency = agency
        self.replacement: HttpAnswer | None = None
        self.last_answer: HttpAnswer | None = None
        self._paths = paths

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = request.url.path in self._paths
        if chosen and self.replacement is not None:
            answer = self.replacement
        else:
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
            mock_request = MockRequest(
                "POST", request.url.path, request.url.query.decode(), headers, await request.aread()
            )
            response = self.agency.respond(mock_request)
            more = ((name.encode(), value.encode()) for name, value in response.headers)
            content_type = (b"content-type", response.content_type.encode())
            answer = HttpAnswer(response.body, response.status, (content_type, *more))
        if chosen:
            self.last_answer = answer
        return httpx.Response(answer.status, headers=list(answer.headers), stream=httpx.ByteStream(answer.body))


class ResettableSecretStore(ProcessStore):
    """A secret store that can be emptied, so that every question fetches its secrets."""

    def clear(self) -> None:
        """Removes every secret."""
        self._rings.clear()


class PassThroughGuards:
    """Call guards without limits: every question is asked, whatever the last answers were."""

    async def ask(self, adapter: Adapter, capability: Capability, question: Question) -> Interpretation:
        """Asks once."""
        return await adapter.ask(capability.name, question)

    def answered(self, *_: object, **__: object) -> None:
        """Counts nothing."""


class FuzzHarness:
    """
    One target, set up in a folder of its own, on which any number of answers are played.
    """

    def __init__(self, target: Target, folder: Path) -> None:
        signing, clock = _signing(folder) if target.signed else ({}, None)
        server = importlib.import_module(f"mock_agencies.{target.agency}").create(Population(1), MockClock(), **signing)
        self.target = target
        self.transport = MockAgencyTransport(server, target.paths)
        self._store = ResettableSecretStore()
        agencies = load_agencies(
            configuration(target, folder),
            credentials_file(folder),
            transports={target.agency: self.transport},
            store=self._store,
            clock=clock,
        )
        self._adapter = agencies[target.agency]

    async def ask(self, replacement: HttpAnswer | None = None) -> AgencyReply:
        """Asks the target's question; the answer to it is `replacement`, or else the mock agency's own."""
        self.transport.replacement, self.transport.last_answer = replacement, None
        if self.target.secret:
            self._store.clear()
        return await ask(self._adapter, self.target.capability)

    async def seeds(self) -> dict[str, HttpAnswer]:
        """The mock agency's true answer to this question, and its answer under each fault, by name."""
        server = self.transport.agency
        operation = next(
            operation for operation in server.operations.values() if set(operation.paths) & set(self.target.paths)
        )
        seeds = {}
        for fault in ("", *sorted(operation.faults - _NO_SEED)):
            server.script.clear()
            if fault:
                server.arm(fault, operation.name)
            await self.ask()
            if self.transport.last_answer is not None:
                seeds[fault or "true"] = self.transport.last_answer
        server.script.clear()
        return seeds


async def ask(adapter: Adapter, capability: str) -> AgencyReply:
    """Asks about a person that every agency holds; the hub's reply."""
    declared = adapter.capabilities[capability]
    question = Question(
        lookup="00000000-0000-4000-8000-000000000815",
        subject=_subject(declared.subject),
        official=OFFICIAL,
        matter=MATTER,
        deadline=asyncio.get_running_loop().time() + SECONDS,
    )
    guards: Any = PassThroughGuards()
    return await fan_out.ask(PlannedQuestion(adapter=adapter, capability=declared), question, guards)


@cache
def _subject(kind: SubjectKind) -> Subject:
    party = Population(1).cast["moved" if kind is SubjectKind.PERSON else "company_active"]
    if isinstance(party, SyntheticPerson):
        return Subject(kind=kind, id_type=IdType.RESIDENT_ID, id_number=party.id_number, name=party.name)
    assert isinstance(party, SyntheticOrganization)
    return Subject(kind=kind, id_type=IdType.USCC, id_number=str(party.uscc), name=party.name)


def configuration(target: Target, folder: Path) -> Path:
    """The demo's agencies.toml with the target's changes."""
    written = (ROOT / "gateway/demo/agencies.toml").read_text("utf-8")
    for old, new in target.changes:
        if old not in written:
            raise LookupError(f"the demo's configuration has no {old}")
        written = written.replace(old, new)
    path = folder / "agencies.toml"
    path.write_text(written, "utf-8")
    return path


def _signing(folder: Path) -> tuple[dict[str, SoapSigner], wire.CorrectedClock]:
    """A signer whose certificate lies in the folder, and a clock that stands still, or signatures would grow old."""
    signer, now = SoapSigner(), datetime.now(UTC)
    (folder / "agency.pem").write_bytes(signer.pem)
    return {"signer": signer}, wire.CorrectedClock(now=lambda: now)


def credentials_file(folder: Path) -> Path:
    """The mock agencies' credentials, for their owner alone."""
    path = folder / "credentials.toml"
    path.touch(mode=0o600)
    path.write_text(credentials.as_toml(), "utf-8")
    return path
