"""
Request, answer and delivery of one HTTP exchange at a mock server.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Protocol
from urllib.parse import parse_qsl

JSON = "application/json;charset=UTF-8"
XML = "text/xml;charset=UTF-8"


class ResponseSocket(Protocol):
    """
    The socket of one exchange, for deliveries with faults.  Every wait on it ends when the other side hangs up.
    """

    def write(self, piece: bytes) -> None:
        """Hands bytes to the socket."""
        ...

    def close(self) -> None:
        """Ends the connection in an orderly way (FIN) after what was written."""
        ...

    def reset(self) -> None:
        """Ends the connection at once with RST; unsent bytes are dropped."""
        ...

    async def drain(self) -> None:
        """Waits until the socket takes more bytes.  Raises `ConnectionResetError` if the other side is gone."""
        ...

    async def pause(self, seconds: float | None) -> None:
        """Waits, for ever if None.  Raises `ConnectionResetError` as soon as the other side is gone."""
        ...


Delivery = Callable[[ResponseSocket, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MockRequest:
    """A whole request.  Header names are in lower case; the body is capped by the connection."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def parameters(self) -> dict[str, str]:
        """Returns the parameters of the query and, for a form, of the body; names keep their case."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        if self.media_type == "application/x-www-form-urlencoded":
            pairs += parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict(pairs)

    def texts(self) -> dict[str, str] | None:
        """Returns the JSON object of the body if all its values are texts, else None."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict) or not all(isinstance(text, str) for text in body.values()):
            return None
        return body


@dataclass(frozen=True)
class MockResponse:
    """
    A whole answer.  With `deliver`, its bytes do not simply follow the request but travel as that says.
    """

    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    deliver: Delivery | None = None

    @cached_property
    def wire(self) -> bytes:
        """The answer as bytes of HTTP/1.1."""
        fields = [("content-type", self.content_type), ("content-length", str(len(self.body))), *self.headers]
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", *(f"{name}: {of}" for name, of in fields)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class OperationRefused(Exception):
    """
    An operation refused a request; `why` is one word for the journal, never on the wire.
    """

    def __init__(self, why: str, answer: MockResponse) -> None:
        super().__init__(why)
        self.why = why
        self.answer = answer
