"""
Who looks on while a request travels to an agency: the port between the wire families and the hub's traces.

What is told holds nothing about a person: an address without a query, a status, the class of a failure.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol, Self

import httpx

Headers = Sequence[tuple[bytes, bytes]]


class RequestSpan(AbstractContextManager["RequestSpan", None], Protocol):
    """One request under way; leaving the block ends it, an error that leaves the block is its outcome."""

    @property
    def headers(self) -> Headers:
        """What goes with the request: `traceparent` for an agency that takes it, else nothing."""
        ...

    def received(self, status: int) -> None:
        """The agency's HTTP status is known."""
        ...


class QuestionSpan(AbstractContextManager["QuestionSpan", None], Protocol):
    """One question under way; leaving the block ends it."""

    def finished(self, state: str, reason: str | None) -> None:
        """What came of it, in words of ours."""
        ...


class Trace(Protocol):
    """The trace that questions belong to.  Its calls are cheap and never raise."""

    def question_span(self, agency: str, capability: str) -> QuestionSpan:
        """A question is about to be asked, in as many requests as it takes."""
        ...

    def request_span(self, url: httpx.URL, *, announced: bool) -> RequestSpan:
        """A request is about to leave; `announced` says that the agency is to be told of the trace."""
        ...


class _Unseen:
    headers: Headers = ()

    def received(self, status: int) -> None:
        """Nobody wants to know."""

    def finished(self, state: str, reason: str | None) -> None:
        """Nobody wants to know."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nobody wants to know."""


class _Untraced:
    def __init__(self) -> None:
        self._unseen = _Unseen()

    def question_span(self, agency: str, capability: str) -> QuestionSpan:  # noqa: ARG002 - the port's shape
        return self._unseen

    def request_span(self, url: httpx.URL, *, announced: bool) -> RequestSpan:  # noqa: ARG002 - the port's shape
        return self._unseen


UNTRACED: Trace = _Untraced()
"""Nobody looks on."""
