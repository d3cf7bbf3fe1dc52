"""
Toxics: network faults that act on bytes on their way.

Each toxic takes a piece and passes on the changed piece, or ends the connection by raising `ConnectionCut`.  Toxics
work in the order in which they were added; each gets the output of the one before it.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from enum import Enum
from random import Random
from typing import Any, ClassVar, Final, Protocol


class Direction(Enum):
    """`up` is towards the server (questions), `down` is back to the client (answers)."""

    UP = "up"
    DOWN = "down"


class ConnectionCut(Exception):
    """The connection ends here: in an orderly way (FIN), or with a RST."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class ToxicContext(Protocol):
    """
    The context of a toxic in one direction of one connection.  `passed` counts the bytes that it has seen, `arrived` is
    the time of the current piece.  Every wait raises `ConnectionCut` as soon as the client is gone.
    """

    random: Random
    passed: int
    arrived: float

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Waits until a moment of the same clock as `arrived`."""
        ...

    async def hang(self) -> None:
        """Discards all input until the client disconnects."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxic:
    """
    One toxic.  `name` (by default the kind's) tells it from others; `share` is the part of the connections that it
    concerns, drawn once for each.  Sizes are in bytes, times in seconds.
    """

    kind: ClassVar[str]

    name: str = ""
    direction: Direction = Direction.DOWN
    share: float = 1.0

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.kind)
        if not 0 <= self.share <= 1:
            raise ValueError("share is a part of the connections, from 0 to 1")
        for number in fields(self)[2:]:
            value = getattr(self, number.name)
            if not isinstance(value, int if isinstance(number.default, int) else (int, float)):
                raise TypeError(f"{number.name} is a number, of bytes a whole one")
            if value < 0:
                raise ValueError(f"{number.name} is not negative")

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - for those who wait
        """Yields the changed piece.  May raise `ConnectionCut`."""
        yield data

    async def close(self, context: ToxicContext) -> None:
        """Runs when the sender has closed, before the other side is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Toxic):
    """Every piece comes `seconds` later, give or take `jitter`; the order stays."""

    kind = "latency"
    seconds: float = 0.1
    jitter: float = 0.0

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        await context.sleep_until(context.arrived + self.seconds + context.random.uniform(-self.jitter, self.jitter))
        yield data


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth(Toxic):
    """No more than `rate` bytes a second, in twenty pieces or as single bytes."""

    kind = "bandwidth"
    rate: int = 1_000

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        size = max(1, self.rate // 20)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            await context.sleep(len(piece) / max(1, self.rate))
            yield piece


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowClose(Toxic):
    """The end of the connection comes `seconds` late."""

    kind = "slow_close"
    seconds: float = 1.0

    async def close(self, context: ToxicContext) -> None:
        await context.sleep(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout(Toxic):
    """After `after` bytes nothing comes any more; `seconds` later the connection is closed, with 0 never."""

    kind = "timeout"
    seconds: float = 0.0
    after: int = 0

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        head, rest = _split(data, context, self.after)
        if head:
            yield head
        if rest:
            if self.seconds == 0:
                await context.hang()
            await context.sleep(self.seconds)
            raise ConnectionCut(reset=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Toxic):
    """After `after` bytes, and `seconds` more, the connection ends with a RST on both sides."""

    kind = "reset"
    seconds: float = 0.0
    after: int = 0

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        head, rest = _split(data, context, self.after)
        if head:
            yield head
        if rest:
            await context.sleep(self.seconds)
            raise ConnectionCut(reset=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slicer(Toxic):
    """Pieces of `size` bytes, give or take `vary`, with `seconds` between them."""

    kind = "slicer"
    size: int = 16
    vary: int = 0
    seconds: float = 0.0

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        start = 0
        while start < len(data):
            end = start + max(1, self.size + context.random.randint(-self.vary, self.vary))
            await context.sleep(self.seconds)
            yield data[start:end]
            start = end


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitData(Toxic):
    """The connection is closed after `size` bytes."""

    kind = "limit_data"
    size: int = 100

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        head, _ = _split(data, context, self.size)
        if head:
            yield head
        if context.passed >= self.size:
            raise ConnectionCut(reset=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbage(Toxic):
    """After `after` bytes, `size` bytes are replaced by as many random ones; with 0 there is no beginning of HTTP."""

    kind = "garbage"
    after: int = 0
    size: int = 64

    async def act(self, data: bytes, context: ToxicContext) -> AsyncGenerator[bytes, None]:
        first = min(max(0, self.after - context.passed), len(data))
        last = min(max(0, self.after + self.size - context.passed), len(data))
        context.passed += len(data)
        yield data[:first] + context.random.randbytes(last - first) + data[last:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Toxic):
    """New connections are refused, as without a listener; with a smaller `share`, reset as soon as they stand."""

    kind = "refuse"


KINDS: Final = {
    kind.kind: kind for kind in (Latency, Bandwidth, SlowClose, Timeout, Reset, Slicer, LimitData, Garbage, Refuse)
}


def from_json(document: dict[str, Any]) -> Toxic:
    """A toxic from the JSON of the control API.  Raises `ValueError`, `TypeError`, `KeyError`."""
    options = dict(document)
    kind = KINDS[options.pop("kind")]
    if "direction" in options:
        options["direction"] = Direction(options["direction"])
    return kind(**options)


def as_json(toxic: Toxic) -> dict[str, Any]:
    """The JSON of a toxic."""
    values = {field.name: getattr(toxic, field.name) for field in fields(toxic)}
    return {"kind": toxic.kind, **values, "direction": toxic.direction.value}


def _split(data: bytes, context: ToxicContext, limit: int) -> tuple[bytes, bytes]:
    """The part within the first `limit` bytes of the connection, and the rest."""
    left = max(0, limit - context.passed)
    context.passed += len(data)
    return data[:left], data[left:]
