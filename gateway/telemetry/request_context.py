"""
The call that is being answered: its trace id, and the refusal that ended it.

Kept in a context variable, so that a refusal needs no reference to the request.  Of what a caller sends, only the
two numbers of `traceparent` are taken (W3C Trace Context): `tracestate` and `baggage` are free text and go nowhere.
"""

import random
import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)

# Ids are no secrets; a generator of its own disturbs no other seed and, unlike the system's, never lets go of the
# interpreter.
_IDS: Final = random.Random()  # noqa: S311


@dataclass(slots=True)
class RequestContext:
    """
    One call.  `trace_id` is 32 and `parent` 16 lower-case hex digits; `parent` is the caller's span, if it told one,
    and `sampled` whether the caller records its own trace.  `problem` and `rule` are words of ours.
    """

    trace_id: str
    parent: str | None = None
    sampled: bool = False
    problem: str = ""
    rule: str = ""

    @classmethod
    def begin(cls, traceparent: str | None) -> "RequestContext":
        """The call that came with this header; without a valid one it begins a trace of its own."""
        told = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
        # The first version of the format is whole; a later one may add to it.
        if told is None or (told[4] is not None and told[0].startswith("00-")):
            return cls(f"{_IDS.getrandbits(128) | 1:032x}")
        return cls(told[1], parent=told[2], sampled=bool(int(told[3], 16) & 1))


CURRENT: ContextVar[RequestContext | None] = ContextVar("shuniu_exchange", default=None)
"""The call whose task this is; None outside of any."""


def fresh_span_id() -> str:
    """16 lower-case hex digits, not all zero."""
    return f"{_IDS.getrandbits(64) | 1:016x}"
