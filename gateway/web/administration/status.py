"""
How things stand: kinds of work order as this court has them, agencies with their drift, the log's anchors and keys.

Read-only: a kind is changed in a file, an agency in another, a key on the hub's host (docs/access.md, docs/audit.md).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from adapters.wire.tls import WARN_DAYS, Expiry
from gateway.api.agencies import agency_view, standing_view
from gateway.api.dependencies import TheHub
from gateway.web.administration.common import OfTheTree, Sheet, beside
from gateway.web.labels import ANCHOR_KINDS
from schemas.codes import Code, Want

router = APIRouter(prefix="/administration", include_in_schema=False)

# Files of the key folder whose age is told; what is in them never is.
KEY_FILES: Final = ("hub.key", "audit.keys", "audit.guard", "witness.key")


class StatusLine(Code):
    """What the state of a breaker means to whoever reads it: a closed one lets questions through."""

    CLOSED = "closed", "正常", "In use"
    OPEN = "open", "暂停查询", "Given a rest"
    HALF_OPEN = "half_open", "试探中", "Being tried again"


class Holder(Code):
    """Whose certificates a file of an agency's connection holds."""

    ROOTS = "roots", "信任的根证书", "Roots that we trust"
    IDENTITY = "identity", "本院证书", "The court's own certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A file of certificates: until when it serves, and how many whole days are left, below 0 once it is over."""

    holder: Holder
    until: datetime
    days: int

    @property
    def pressing(self) -> bool:
        """Whether the next one must be asked for now."""
        return self.days < WARN_DAYS


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A file of the key folder: since when it is as it is."""

    name: str
    since: datetime
    days: int


@router.get("/kinds")
async def kinds(page: OfTheTree, hub: TheHub) -> Response:
    """Every kind of work order as the reader's court has it."""
    catalogue = hub.authorizer.catalogue
    mine = [catalogue.kind(page.member.court, name) for name in catalogue.kinds]
    return page.show(
        "administration/kinds.html",
        beside=beside(page),
        kinds=[kind for kind in mine if kind is not None],
        digest=catalogue.digest[:16],
    )


@router.get("/agencies")
async def agencies(page: OfTheTree, hub: TheHub) -> Response:
    """Every agency: its certificates, and each lookup with its state as this process sees it."""
    now = datetime.now(UTC)
    standings = {(state.agency, state.capability): standing_view(state, now) for state in hub.guards.states()}
    return page.show(
        "administration/agencies.html",
        sheet=Sheet.AGENCIES,
        beside=beside(page),
        agencies=[agency_view(hub.agencies, name, standings) for name in hub.agencies],
        certificates={name: certificates(hub.agencies.expiries.get(name, ()), now) for name in hub.agencies},
        lines={line.value: line for line in StatusLine},
        wants={want.value: want for want in Want},
    )


@router.get("/health")
async def health(page: OfTheTree, hub: TheHub) -> Response:
    """How far the log is signed and anchored, and how old each key is."""
    head = await asyncio.to_thread(hub.log.reader.head)
    return page.show(
        "administration/health.html",
        beside=beside(page),
        origin=hub.log.origin,
        vkey=hub.log.keys.signer.vkey.encode(),
        size=head.size,
        signed=hub.log.checkpoint_size,
        age=round(hub.log.signer.age, 1),
        broken=None if hub.log.signer.broken is None else str(hub.log.signer.broken),
        orphans=hub.anchoring.open_orphans,
        anchors=await hub.anchoring.report(),
        anchor_kinds=ANCHOR_KINDS,
        keys=await asyncio.to_thread(key_ages, hub.settings.key_folder, datetime.now(UTC)),
    )


def certificates(expiries: Sequence[Expiry], now: datetime) -> list[Certificate]:
    """What is told of an agency's certificates; `now` is aware."""
    return [Certificate(Holder(expiry.file), expiry.expires_at, (expiry.expires_at - now).days) for expiry in expiries]


def key_ages(folder: Path, now: datetime) -> Sequence[KeyAge]:
    """The age of every key that is there."""
    ages = []
    for name in KEY_FILES:
        path = folder / name
        if path.exists():
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            ages.append(KeyAge(name, since, max((now - since).days, 0)))
    return ages
