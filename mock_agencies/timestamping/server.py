"""
The endpoints: the timestamp, the root certificate, and a control API for faults.

    POST anywhere            application/timestamp-query
    GET  /ca.pem             the root certificate
    POST /_control/fault     {"fault": one of FAULTS, or null}
    GET  /_control/ledger    how many requests came
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from mock_agencies.timestamping.authority import TimestampAuthority

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
_HUGE = 8 * 1024 * 1024
# DER of two algorithms; the second stands for one that this authority does not grant (MD5).
_UNKNOWN_DIGEST = bytes.fromhex("06092a864886f70d020509")
_SHA256 = bytes.fromhex("0609608648016503040201")

_INSTEAD: Mapping[str, Callable[[], Response]] = {
    "garbage": lambda: Response(b"\x30\x03\x02\x01\x00", media_type=REPLY),
    "html": lambda: PlainTextResponse("<html>maintenance</html>", media_type="text/html"),
    "redirect": lambda: RedirectResponse("/elsewhere", 307),
    "error": lambda: PlainTextResponse("down", 503),
    "huge": lambda: Response(bytes(_HUGE), media_type=REPLY),
}
FAULTS = ("hang", "refuse", "stale", "chain", *_INSTEAD)


def create() -> Starlette:
    """A fresh authority with fresh certificates."""
    desk = _TimestampEndpoints()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        desk.authority.close()

    routes = [
        Route("/ca.pem", desk.roots),
        Route("/_control/fault", desk.arm, methods=["POST"]),
        Route("/_control/ledger", desk.ledger),
        Route("/{path:path}", desk.stamp, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class _TimestampEndpoints:
    def __init__(self) -> None:
        self.authority = TimestampAuthority()
        self._fault: str | None = None
        self._requests = 0
        self._first: bytes | None = None

    async def stamp(self, request: Request) -> Response:
        self._requests += 1
        query = await request.body()
        if self._fault == "hang":
            # Until the caller gives up.
            while (await request.receive())["type"] != "http.disconnect":
                pass
        instead = _INSTEAD.get(self._fault or "")
        if instead is not None:
            return instead()
        if self._fault == "refuse":
            query = query.replace(_SHA256, _UNKNOWN_DIGEST)
        if request.headers.get("content-type") != QUERY:
            return PlainTextResponse("send a timestamp query", 415)
        return await self._replied(query)

    async def _replied(self, query: bytes) -> Response:
        if self._fault == "stale" and self._first is not None:
            return Response(self._first, media_type=REPLY)
        try:
            reply = await self.authority.reply(query, chain=self._fault == "chain")
        except ValueError:
            return PlainTextResponse("not a timestamp query", 400)
        if self._fault != "refuse":
            self._first = self._first or reply
        return Response(reply, media_type=REPLY)

    async def roots(self, _request: Request) -> Response:
        return PlainTextResponse(self.authority.roots.read_text(), media_type="application/x-pem-file")

    async def arm(self, request: Request) -> Response:
        fault = (await request.json()).get("fault")
        if fault not in {None, *FAULTS}:
            return JSONResponse({"faults": FAULTS}, 422)
        self._fault = fault
        return JSONResponse({"fault": fault})

    async def ledger(self, _request: Request) -> Response:
        return JSONResponse({"stamp": self._requests})
