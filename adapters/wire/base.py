"""
What all families share: one attempt under its deadline, the raw answer kept before it is read, the official named.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sized
from typing import Any, ClassVar, Final, Generic, TypeVar

from adapters.config_file import Mistake
from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import AnswerUnreadable, UnsupportedLookup
from adapters.wire import status
from adapters.wire.clock import CorrectedClock
from adapters.wire.route import C, O, Route, RouteCredentials, RouteOptions
from adapters.wire.secrets import ProcessStore, SecretStore
from adapters.wire.transport import AgencyTransport, Headers
from schemas.codes import Reason

S = TypeVar("S", bound=Sized)

# What neither JSON nor XML can carry to everyone: control characters, half a surrogate pair, non-characters; and what
# would end a CDATA section.
_UNWRITABLE: Final = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|]]>")

# Larger answers are read in a thread, so that one flooding agency does not hold up the event loop for the others.
THREAD_ABOVE: Final = 65_536


class WireFamily(ABC, Generic[O, C]):
    """
    One route to an agency, base of the four families.  Its address never holds anything about a person.
    """

    options_form: ClassVar[type[RouteOptions]]
    credentials_form: ClassVar[type[RouteCredentials]]

    def __init__(
        self,
        route: Route[O, C],
        port: AgencyTransport,
        *,
        clock: CorrectedClock | None = None,
        store: SecretStore | None = None,
    ) -> None:
        self.route = route
        self.transport = port
        self.clock = clock or CorrectedClock()
        self.store = store or ProcessStore()
        self.url = route.url()
        self._options = route.options
        self._configure()

    @classmethod
    def check_parameters(cls, parameters: Mapping[str, str]) -> list[Mistake]:  # noqa: ARG003 - most take any
        """Which parameters cannot be spelled like this in the family's format."""
        return []

    @abstractmethod
    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        """
        Asks once, with the agency's own bounded repetitions.  Raises `AgencyError`; `UnsupportedLookup` if the
        question cannot be put in this route's format, and then nothing was sent.
        """

    @abstractmethod
    def _configure(self) -> None:
        """Prepares what every question of this route needs, once, at start."""

    def _agency_terms(self, question: Question, terms: Mapping[str, str]) -> dict[str, str]:
        """
        The terms in the agency's names, once it is sure that the question can be sent as it stands.
        """
        official = question.official
        official_values = (
            official.name,
            official.id_number,
            official.unit_code,
            official.unit_name,
            official.terminal,
            question.matter.work_order,
        )
        if not all(official_values):
            raise UnsupportedLookup(Reason.OFFICIAL_INCOMPLETE)
        if _UNWRITABLE.search(" ".join((*official_values, *terms.values()))):
            raise UnsupportedLookup(Reason.NOT_EXPRESSIBLE)
        return self.route.in_agency_terms(terms)

    def _attempt_deadline(self, question: Question) -> float:
        """When this attempt ends, on the event loop's clock."""
        return min(asyncio.get_running_loop().time() + self.route.timeout, question.deadline)

    async def _send(
        self, question: Question, capability: str, headers: Headers, body: bytes, until: float
    ) -> RawAnswer:
        """
        One business attempt: counted before it leaves, its answer kept as it came.  Only status 200 is returned.
        """
        evidence = question.evidence
        await question.permit()
        asked_at = self.clock.now()
        evidence.attempts += 1
        with question.trace.request_span(self.url, announced=self.route.trace) as span:
            reply = await self.transport.send(self.url, (*headers, *span.headers), body, until)
            span.received(reply.status)
        raw = RawAnswer(
            agency=self.route.agency,
            capability=capability,
            asked_at=asked_at,
            answered_at=self.clock.now(),
            status=reply.status,
            content_type=reply.content_type,
            body=reply.body,
        )
        evidence.answers.append(raw)
        if reply.status != 200:
            self._check_error_body(raw)
            raise status.error_for_status(reply.status, reply.retry_after, raw.answered_at)
        return raw

    async def _decoded(self, raw: RawAnswer) -> Any:
        """What `_decode` makes of the answer, off the event loop if it is large."""
        if len(raw.body) > THREAD_ABOVE:
            return await asyncio.to_thread(self._decode, raw)
        return self._decode(raw)

    @abstractmethod
    def _decode(self, raw: RawAnswer) -> Any:
        """Decodes and checks the envelope.  Pure; raises `AgencyError`."""

    def _check_row_limit(self, rows: S) -> S:
        """The rows, unless they are more than agreed: then the answer is unreadable, and none of them is read."""
        if len(rows) > self._options.most_rows:
            raise AnswerUnreadable(at="records")
        return rows

    def _check_error_body(self, raw: RawAnswer) -> None:
        """Raises if an answer with an error status says more than its status does; most formats do not."""


def json_headers(*more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Headers of a JSON request."""
    return [(b"Content-Type", b"application/json; charset=UTF-8"), *more]


def matter_code(matters: Mapping[str, str], kind: str) -> str:
    """
    The registered code (权力事项) of a kind of matter; `*` stands for every kind that is not listed.
    """
    code = matters.get(kind) or matters.get("*")
    if not code:
        raise UnsupportedLookup(Reason.NOT_CONFIGURED)
    return code
