"""
One HTTP request to an outside anchor, bounded in time and in bytes, without redirects.

The protocols authenticate what is said by signatures, not by the connection; so a neighbour may also be asked over
plain HTTP inside a closed network.
"""

import asyncio
import ssl
from dataclasses import dataclass

import httpx

SECONDS = 15.0
MOST_BYTES = 256 * 1024


class AnchoringFailed(Exception):
    """No anchor this time; the text is ours and says why."""


@dataclass(frozen=True, slots=True)
class AnchorResponse:
    """What came back: status, content type, body."""

    status: int
    content_type: str
    body: bytes


async def post(
    url: str, body: bytes, *, content_type: str, tls: ssl.SSLContext, seconds: float = SECONDS
) -> AnchorResponse:
    """
    Posts once and reads at most 256 KiB.  Raises `AnchoringFailed`.
    """
    headers = {"content-type": content_type, "accept-encoding": "identity"}
    why = "could not reach it"
    try:
        # A client of its own for each of these few questions: nothing of a cancelled one is left behind in a pool.
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(trust_env=False, follow_redirects=False, verify=tls, timeout=seconds) as client,
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            read = bytearray()
            async for piece in answer.aiter_raw():
                read += piece
                if len(read) > MOST_BYTES:
                    raise AnchoringFailed("its answer is too long")
            return AnchorResponse(answer.status_code, answer.headers.get("content-type", ""), bytes(read))
    except TimeoutError:
        why = "no answer in time"
    except httpx.TimeoutException:
        why = "no answer in time"
    except httpx.HTTPError:
        # The library's texts quote the address; ours say no more than this.
        pass
    raise AnchoringFailed(why)
