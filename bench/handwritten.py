# mypy: disallow-untyped-calls=False
"""
A hand-written gateway for comparison: FastAPI, zeep's own async transport, default httpx.

It asks the same four questions about a person as the hub, in parallel, and answers in the same shape.  It caches the
agencies' secrets as the hub does.  It has no access check, no audit and no retry.  The transport is a parameter
(`UpstreamTransport`), so that the same program also runs on the hub's transport (`--net port`).
"""

import argparse
import asyncio
import json
import socket
import time
import tomllib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
import uvicorn
import zeep
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from zeep.transports import AsyncTransport

from bench import handwritten_result as result
from bench.handwritten_result import UpstreamAnswer
from bench.handwritten_upstreams import (
    AddressesUpstream,
    ParticipationUpstream,
    PopulationUpstream,
    PositionsUpstream,
    Row,
    UpstreamTransport,
)
from bench.port_transport import HubTransport

TIMEOUT = 4.0
DEADLINE = 10.0


class SubjectBody(BaseModel):
    """A person, by number and name."""

    id_number: str
    name: str


class LookupBody(BaseModel):
    """One question."""

    subject: SubjectBody


class Upstream(Protocol):
    """One question to one agency: rows, and the agency's reference number."""

    async def ask(self, number: str, name: str) -> tuple[list[Row], str | None]:
        """Asks by number and name."""
        ...


class HttpxTransport:
    """Plain httpx: one client an agency, as it comes; a second one for zeep."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.clients = {
            agency: httpx.AsyncClient(base_url=address, timeout=TIMEOUT) for agency, address in addresses.items()
        }

    async def post(self, agency: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """The body of a 200 answer."""
        answer = await self.clients[agency].post(path, headers=headers, content=body)
        answer.raise_for_status()
        return answer.content

    def soap(self, agency: str) -> AsyncTransport:
        """zeep's own transport over httpx."""
        soap = self.clients[f"{agency} soap"] = httpx.AsyncClient(timeout=TIMEOUT)
        return AsyncTransport(client=soap, wsdl_client=httpx.Client())

    async def aclose(self) -> None:
        """Closes the clients."""
        for client in self.clients.values():
            await client.aclose()


def create_app(addresses: dict[str, str], credentials: Path, net: UpstreamTransport) -> FastAPI:
    """The gateway for agencies at these addresses, with the accounts of a credentials.toml."""
    accounts = tomllib.loads(credentials.read_text(encoding="utf-8"))
    police = accounts["public_security"]
    upstreams: list[tuple[str, str, Upstream]] = [
        ("public_security", "identity", PopulationUpstream(net, addresses["public_security"], police["population"])),
        ("public_security", "addresses", AddressesUpstream(net, police["requests"])),
        ("human_resources", "participation", ParticipationUpstream(net, accounts["human_resources"])),
        ("market_regulation", "positions", PositionsUpstream(net, accounts["market_regulation"])),
    ]

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await net.aclose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/lookups")
    async def look_up(lookup: LookupBody) -> JSONResponse:
        subject = lookup.subject
        answers = await asyncio.gather(*(_asked(index, *each, subject) for index, each in enumerate(upstreams)))
        return JSONResponse(_merged(subject, answers))

    return app


async def _asked(index: int, agency: str, capability: str, upstream: Upstream, subject: SubjectBody) -> UpstreamAnswer:
    began = time.perf_counter()
    rows: list[Row] = []
    reference = None
    try:
        async with asyncio.timeout(DEADLINE):
            rows, reference = await upstream.ask(subject.id_number, subject.name)
        state = "found" if rows else "not_found"
    except (httpx.HTTPError, zeep.exceptions.Error, OSError, ValueError, KeyError, TimeoutError):
        state = "unavailable"
    return UpstreamAnswer(
        index=index,
        agency=agency,
        capability=capability,
        state=state,
        as_of=datetime.now(UTC).isoformat(),
        elapsed_ms=round((time.perf_counter() - began) * 1000),
        rows=rows,
        reference=reference,
    )


def _merged(subject: SubjectBody, answers: list[UpstreamAnswer]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "at": datetime.now(UTC).isoformat(),
        "subject": {"kind": "person", "id_type": "resident_id", "id_number": subject.id_number, "name": subject.name},
        "identity": result.identity(answers),
        "addresses": result.addresses(answers),
        "registrations": result.registrations(answers),
        "legal_basis": result.PROVISIONS,
        "answers": [answer.summary() for answer in answers],
    }


def main() -> None:
    """Serves on a free port, which is printed as a JSON line when it listens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=("httpx", "port"), default="httpx")
    parser.add_argument("--addresses", type=json.loads, required=True, help='JSON: {"public_security": "http://…", …}')
    parser.add_argument("--credentials", type=Path, required=True)
    options = parser.parse_args()
    net: UpstreamTransport = (
        HttpxTransport(options.addresses) if options.net == "httpx" else HubTransport(options.addresses)
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(json.dumps({"address": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    app = create_app(options.addresses, options.credentials, net)
    uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
