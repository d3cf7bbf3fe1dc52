"""
The proxy's control API: JSON over HTTP, on a separate port.

    GET    /toxics          what is active
    POST   /toxics          {"kind": "latency", "seconds": 0.3, …}: one more, as the last
    DELETE /toxics/{name}   one less
    DELETE /toxics          none any more
    GET    /connections     how many are open, and how many there were
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from mock_agencies.connection import Connection
from mock_agencies.exchange import Delivery, MockRequest, MockResponse, ResponseSocket
from mock_agencies.fault_proxy.proxy import FaultProxy
from mock_agencies.fault_proxy.toxics import KINDS, as_json, from_json

_HOST: Final = "127.0.0.1"
_TOXICS: Final = "/toxics"


@asynccontextmanager
async def serve_control_api(proxy: FaultProxy, *, port: int = 0) -> AsyncIterator[str]:
    """Serves the control API of a running proxy until the block ends; yields its base address.  Raises `OSError`."""
    connections: set[Connection] = set()

    def respond(request: MockRequest) -> MockResponse:
        # Toxics come and go in their own time; the answer follows.
        return MockResponse(b"", deliver=_deliver(proxy, request))

    def connect() -> Connection:
        return Connection(respond, connections)

    server = await asyncio.get_running_loop().create_server(connect, _HOST, port)
    try:
        yield f"http://{_HOST}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for connection in tuple(connections):
            connection.abandon()
        # asyncio tells a connection of its end in the next turn of the loop.
        await asyncio.sleep(0)


def _deliver(proxy: FaultProxy, request: MockRequest) -> Delivery:
    async def deliver(line: ResponseSocket, _wire: bytes) -> None:
        line.write((await _answer(proxy, request)).wire)

    return deliver


async def _answer(proxy: FaultProxy, request: MockRequest) -> MockResponse:
    try:
        match request.method, request.path:
            case "GET", "/connections":
                return _json({"open": proxy.open, "seen": proxy.seen})
            case "GET", path if path == _TOXICS:
                pass
            case "POST", path if path == _TOXICS:
                await proxy.add(from_json(json.loads(request.body)))
                return _listed(proxy, status=201)
            case "DELETE", path if path == _TOXICS:
                await proxy.clear()
            case "DELETE", path if path.startswith(f"{_TOXICS}/"):
                await proxy.remove(path.removeprefix(f"{_TOXICS}/"))
            case _:
                return _json({"error": "there is /toxics, /toxics/{name} and /connections"}, status=404)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return _json({"error": f"{type(error).__name__}: {error}", "kinds": sorted(KINDS)}, status=422)
    return _listed(proxy)


def _listed(proxy: FaultProxy, status: int = 200) -> MockResponse:
    return _json({"toxics": [as_json(toxic) for toxic in proxy.toxics]}, status)


def _json(value: Any, status: int = 200) -> MockResponse:
    return MockResponse(json.dumps(value, ensure_ascii=False).encode(), status=status)
