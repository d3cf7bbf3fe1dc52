"""
The stage of the contract suite: scenarios, what is kept of each play, and who plays.
"""

import importlib
import logging
import traceback
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx

from adapters.contract import Adapter, AnswerEvidence, Interpretation, Question
from adapters.errors import AgencyError, AgencyRefused, UnsupportedLookup
from adapters.wire.reqwest_transport import ReqwestTransport
from mock_agencies.clock import MockClock
from mock_agencies.population import Population, SyntheticOrganization, SyntheticPerson
from schemas.codes import AnswerState, IdType, Reason, SubjectKind
from schemas.subject import Matter, Official, Subject

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "gateway/demo/agencies.toml"
ADAPTERS: dict[str, type[Adapter]] = {point.name: point.load() for point in entry_points(group="shuniu.agencies")}
LOOKUPS = [(agency, name) for agency, adapter in ADAPTERS.items() for name in adapter.capabilities]

# Ways in which a fault can be asked for beside its plain form.
VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "throttled": ({"form": "date"},),
    "server_error": ({"status": 503},),
    "fault": ({"status": 200},),
    "provider_envelope": ({"form": "success"},),
    "unknown_envelope_code": ({"at": "head"},),
    "no_record": tuple({"form": form} for form in ("null", "text", "list", "list_text", "object")),
}

# Faults that end only with the deadline, which is short for them: states are compared, never times.
ENDLESS = frozenset({"hang", "hang_mid_body", "drip"})
SHORT, LONG = 0.4, 20.0

OFFICIAL = Official(
    user="li.ting",
    name="历承办",
    id_number="330802198506150014",
    unit_code="11330800DEM000196R",
    unit_name="示例市示例区人民法院",
    terminal="10.0.0.21",
)
MATTER = Matter(work_order="WO-2026-000815", kind="service", case_number="（2026）浙0802民初815号", court="浙0802")


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    One question to one agency while its server has a fault on `operation`: the lookup itself, or one that it needs.
    """

    agency: str
    capability: str
    fault: str = ""
    operation: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        where = "" if self.operation in {"", self.capability} else f"@{self.operation}"
        return "-".join(
            [f"{self.agency}.{self.capability}", f"{self.fault}{where}", *(f"{v}" for _, v in self.options)]
        )


@dataclass(slots=True)
class Play:
    """
    What came of a scenario: the state as the hub would report it, what was read, and everything that was left behind.

    `sent` is how often the server saw each operation, `wire` the whole bodies that came back, `transcript` every log
    line, exception text and representation.
    """

    state: AnswerState
    reason: Reason | None
    reading: Interpretation | None
    error: Any
    evidence: AnswerEvidence
    sent: dict[str, int]
    wire: list[bytes]
    requests: list[dict[str, Any]]
    transcript: str

    @property
    def records(self) -> list[tuple[Any, dict[str, str]]]:
        """The normalized records with the path of each field."""
        return [
            (holding.record, {name: origin.path for name, origin in holding.origins.items()})
            for holding in (self.reading.records if self.reading else ())
        ]

    @property
    def drift(self) -> tuple[str, ...]:
        """The paths that nobody knew."""
        return self.reading.drift if self.reading else ()

    @property
    def leaves(self) -> list[str]:
        """What the agency wrote in every leaf that was read."""
        holdings = self.reading.records if self.reading else ()
        return [str(origin.raw) for holding in holdings for origin in holding.origins.values()]


def operations(agency: str) -> dict[str, frozenset[str]]:
    """The operations of an agency's mock server and the faults that apply to each."""
    server = importlib.import_module(f"mock_agencies.{agency}").create(Population(1), MockClock())
    return {name: operation.faults for name, operation in server.operations.items()}


def scenarios() -> Iterator[Scenario]:
    """Every installed agency, lookup, operation that it may need, and fault."""
    for agency, capability in LOOKUPS:
        lookups = ADAPTERS[agency].capabilities
        for operation, faults in operations(agency).items():
            if operation == capability or operation not in lookups:
                for fault in sorted(faults):
                    for options in ({}, *VARIANTS.get(fault, ())):
                        yield Scenario(agency, capability, fault, operation, tuple(options.items()))


class Recorder(httpx.AsyncBaseTransport):
    """The real engine, with every whole body kept as it came off the wire."""

    def __init__(self) -> None:
        self.engine = ReqwestTransport(connections=4, https_only=False)
        self.bodies: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.engine.handle_async_request(request)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)
        return httpx.Response(response.status_code, headers=response.headers, stream=_Kept(stream, self.bodies))

    async def aclose(self) -> None:
        await self.engine.aclose()


@dataclass(slots=True)
class _Kept(httpx.AsyncByteStream):
    stream: httpx.AsyncByteStream
    bodies: list[bytes]
    pieces: list[bytes] = field(default_factory=list)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self.stream:
            self.pieces.append(piece)
            yield piece
        self.bodies.append(b"".join(self.pieces))

    async def aclose(self) -> None:
        await self.stream.aclose()


@dataclass(slots=True)
class ControlClient:
    """The control desks of the mock agencies."""

    addresses: Mapping[str, str]
    client: httpx.Client

    def clear(self, agency: str) -> None:
        """Ends every fault and forgets every request."""
        for ledger in ("faults", "ledger"):
            self._call("DELETE", agency, ledger)

    def arm(self, scenario: Scenario) -> None:
        """Arms the scenario's fault on its operation until it is cleared."""
        order = {"fault": scenario.fault, "operation": scenario.operation, "options": dict(scenario.options)}
        self._call("POST", scenario.agency, "faults", order)

    def ledger(self, agency: str) -> dict[str, int]:
        """How often the server saw each operation."""
        return {name: seen for name, seen in self._call("GET", agency, "ledger").items() if seen}

    def journal(self, agency: str) -> list[dict[str, Any]]:
        """The requests that the server saw, whole."""
        return list(self._call("GET", agency, "journal")["entries"])

    def _call(self, method: str, agency: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, f"{self.addresses[agency]}/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def subject_of(agency: str, capability: str, id_type: IdType | None = None) -> Subject:
    """Somebody of the cast whom every agency holds, by the given or the first declared type of identifier."""
    cast = Population(1).cast
    id_type = id_type or ADAPTERS[agency].capabilities[capability].by[0]
    roles = {
        IdType.RESIDENT_ID: "moved",
        IdType.RESIDENCE_PERMIT: "permit_hong_kong",
        IdType.PERMANENT_RESIDENCE: "foreigner",
    }
    party = cast[roles.get(id_type, "company_active")]
    if isinstance(party, SyntheticPerson):
        return Subject(kind=SubjectKind.PERSON, id_type=id_type, id_number=party.id_number, name=party.name)
    assert isinstance(party, SyntheticOrganization)
    number = party.uscc if id_type is IdType.USCC else party.registration_number
    return Subject(kind=SubjectKind.ORGANIZATION, id_type=id_type, id_number=str(number), name=party.name)


def question(subject: Subject, *, seconds: float = LONG) -> Question:
    """A question about a subject by the suite's official, due in so many seconds."""
    return Question(
        lookup="00000000-0000-4000-8000-000000000815",
        subject=subject,
        official=OFFICIAL,
        matter=MATTER,
        deadline=get_running_loop().time() + seconds,
    )


async def outcome(
    question: Awaitable[Interpretation],
) -> tuple[AnswerState, Reason | None, Interpretation | None, BaseException | None]:
    # As the hub turns errors into values; an exception that is not ours stays one and fails whoever looks.
    try:
        reading = await question
    except UnsupportedLookup as error:
        return AnswerState.NOT_ASKED, error.reason, None, error
    except AgencyRefused as error:
        return AnswerState.REFUSED, error.reason, None, error
    except AgencyError as error:
        return AnswerState.UNAVAILABLE, error.reason, None, error
    return reading.state, reading.reason, reading, None


def texts(error: BaseException | None) -> list[str]:
    return ["".join(traceback.format_exception(error)), repr(error), str(error)] if error else []


class transcribed(logging.Handler):  # noqa: N801  # reads as a word where it is used
    """Everything that anybody logs inside the block, formatted as a log file would have it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def __enter__(self) -> list[str]:
        self.level_before = logging.root.level
        logging.root.addHandler(self)
        logging.root.setLevel(logging.DEBUG)
        return self.lines

    def __exit__(self, *_: object) -> None:
        logging.root.removeHandler(self)
        logging.root.setLevel(self.level_before)


Ask = Callable[..., Awaitable[Play]]
