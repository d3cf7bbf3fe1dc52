# mypy: disallow-untyped-calls=False
"""
The hand-written gateway over the hub's transport, to measure the effect of the transport alone.
"""

import asyncio

import httpx
from zeep.transports import AsyncTransport

from adapters.errors import AgencyError
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.transport import AgencyTransport, WireResponse

TIMEOUT = 4.0
CONNECTIONS = 20  # of each agency, as in the demo's agencies.toml


class HubTransport:
    """One of the hub's transports for each agency, shared by zeep."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.ports = {
            agency: AgencyTransport(ReqwestTransport(connections=CONNECTIONS, https_only=False)) for agency in addresses
        }

    async def post(self, agency: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """The body of a 200 answer."""
        answer = await _sent(self.ports[agency], self.addresses[agency] + path, headers, body)
        if answer.status != httpx.codes.OK:
            raise ValueError("the agency answered with an error status")
        return answer.body

    def soap(self, agency: str) -> AsyncTransport:
        """zeep's transport over the same transport."""
        return ZeepHubTransport(self.ports[agency])

    async def aclose(self) -> None:
        """Closes the transports."""
        for port in self.ports.values():
            await port.aclose()


class ZeepHubTransport(AsyncTransport):
    """Sends zeep's messages over the hub's transport; zeep's own client is not used."""

    def __init__(self, port: AgencyTransport) -> None:
        super().__init__()
        self.port = port

    async def post(self, address: str, message: bytes, headers: dict[str, str]) -> httpx.Response:
        """Sends one envelope and reads the whole answer."""
        answer = await _sent(self.port, address, headers, message)
        return httpx.Response(
            answer.status,
            headers={"content-type": answer.content_type},
            content=answer.body,
            request=httpx.Request("POST", address),
        )


async def _sent(port: AgencyTransport, address: str, headers: dict[str, str], body: bytes) -> WireResponse:
    until = asyncio.get_running_loop().time() + TIMEOUT
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    try:
        return await port.send(httpx.URL(address), raw, body, until)
    except AgencyError as error:
        raise ConnectionError("the agency could not be heard") from error
