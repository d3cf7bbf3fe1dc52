"""
Socket faults: disturbed deliveries of a right answer.
"""

from collections.abc import Callable
from typing import Final

from mock_agencies.exchange import Delivery, ResponseSocket
from mock_agencies.faults.script import Options

_CHUNK: Final = bytes(64 * 1024)
_HUGE: Final = 64 * 1024 * 1024


def _middle(wire: bytes) -> int:
    head = wire.index(b"\r\n\r\n") + 4
    return head + (len(wire) - head) // 2


def _latency(options: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        await line.pause(float(options.get("seconds", 0.3)))
        line.write(wire)

    return deliver


def _hang(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, _wire: bytes) -> None:
        await line.pause(None)

    return deliver


def _hang_mid_body(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        line.write(wire[: _middle(wire)])
        await line.pause(None)

    return deliver


def _drip(options: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        for position in range(len(wire)):
            line.write(wire[position : position + 1])
            await line.pause(float(options.get("interval", 0.05)))

    return deliver


def _reset(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, _wire: bytes) -> None:
        line.reset()

    return deliver


def _reset_mid_body(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        line.write(wire[: _middle(wire)])
        await line.pause(0.05)  # the half must have left before RST drops it
        line.reset()

    return deliver


def _close_after_read(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, _wire: bytes) -> None:
        line.close()

    return deliver


def _truncated(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        line.write(wire[: _middle(wire)])
        line.close()

    return deliver


def _not_http(_: Options) -> Delivery:
    async def deliver(line: ResponseSocket, _wire: bytes) -> None:
        line.write(b"\x16\x03\x01\x02\x00 ORA-12541: TNS:no listener\r\n\r\n")
        line.close()

    return deliver


def _huge_body(options: Options) -> Delivery:
    async def deliver(line: ResponseSocket, wire: bytes) -> None:
        size = int(options.get("size", _HUGE))
        head = wire[: wire.index(b"\r\n\r\n")]
        fields = [field for field in head.split(b"\r\n") if not field.lower().startswith(b"content-length:")]
        line.write(b"\r\n".join([*fields, f"content-length: {size}".encode(), b"", b""]))
        body = wire[len(head) + 4 :][:size]
        line.write(body)
        left = size - len(body)
        while left > 0:
            await line.drain()
            line.write(_CHUNK[:left])
            left -= len(_CHUNK)

    return deliver


DELIVERIES: Final[dict[str, Callable[[Options], Delivery]]] = {
    "latency": _latency,
    "hang": _hang,
    "hang_mid_body": _hang_mid_body,
    "drip": _drip,
    "reset": _reset,
    "reset_mid_body": _reset_mid_body,
    "close_after_read": _close_after_read,
    "truncated": _truncated,
    "not_http": _not_http,
    "huge_body": _huge_body,
}
