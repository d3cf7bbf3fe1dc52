"""
Static assets (styles, scripts, pictures): in memory, addressed by their content, and so cached by browsers for good.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

STATIC: Final = Path(__file__).parent / "static"
PREFIX: Final = "/assets"
HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}
SERVED: Final = frozenset({".css", ".js", ".svg"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One file.  `address` changes with its content."""

    address: str
    media_type: str
    content: bytes = field(repr=False)
    packed: bytes = field(repr=False)


def _load() -> dict[str, Asset]:
    assets: dict[str, Asset] = {}
    for path in sorted(STATIC.rglob("*")):
        if path.suffix in SERVED:
            content, name = path.read_bytes(), path.relative_to(STATIC).as_posix()
            digest = hashlib.sha256(content).hexdigest()[:16]
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            assets[name] = Asset(f"{PREFIX}/{digest}/{name}", kind, content, gzip.compress(content, mtime=0))
    return assets


ASSETS: Final = _load()
_BY_ADDRESS: Final = {asset.address: asset for asset in ASSETS.values()}


def address(name: str) -> str:
    """The current address of a file.  Raises `KeyError` for a missing one."""
    return ASSETS[name].address


async def serve(request: Request) -> Response:
    """One file; an address of outdated content is not found."""
    asset = _BY_ADDRESS.get(request.url.path)
    if asset is None:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, media_type=asset.media_type, headers={**HEADERS, "Content-Encoding": "gzip"})
    return Response(asset.content, media_type=asset.media_type, headers=HEADERS)
