"""
Status pages: kinds of work order of this court, agencies with their drift, the log's anchors and keys.

Read-only: kinds, agencies and keys are changed in files on the hub's host (docs/access.md, docs/audit.md).
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
from gateway.web.administration.common import AdministrationPage, OfTheTree, navigation
from gateway.web.labels import ANCHOR_KINDS
from schemas.codes import Code, Want

router = APIRouter(prefix="/administration", include_in_schema=False)

# Files of the key folder whose age is shown.
KEY_FILES: Final = ("hub.key", "audit.keys", "audit.guard", "witness.key")


class BreakerLabel(Code):
    """The state of a breaker: a closed one lets questions through."""

    CLOSED = "closed", "正常", "In use"
    OPEN = "open", "暂停查询", "Given a rest"
    HALF_OPEN = "half_open", "试探中", "Being tried again"


class CertificateOwner(Code):
    """The owner of the certificates in a file of an agency's connection."""

    ROOTS = "roots", "信任的根证书", "Roots that we trust"
    IDENTITY = "identity", "本院证书", "The court's own certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A file of certificates: its expiry, and the number of whole days left (negative once expired)."""

    owner: CertificateOwner
    until: datetime
    days: int

    @property
    def urgent(self) -> bool:
        """Whether the next one must be requested now."""
        return self.days < WARN_DAYS


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A file of the key folder and its age."""

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
        navigation=navigation(page),
        kinds=[kind for kind in mine if kind is not None],
        digest=catalogue.digest[:16],
    )


@router.get("/agencies")
async def agencies(page: OfTheTree, hub: TheHub) -> Response:
    """Every agency: its certificates, and each lookup with its state in this process."""
    now = datetime.now(UTC)
    standings = {(state.agency, state.capability): standing_view(state, now) for state in hub.guards.states()}
    return page.show(
        "administration/agencies.html",
        current=AdministrationPage.AGENCIES,
        navigation=navigation(page),
        agencies=[agency_view(hub.agencies, name, standings) for name in hub.agencies],
        certificates={name: certificates(hub.agencies.expiries.get(name, ()), now) for name in hub.agencies},
        lines={line.value: line for line in BreakerLabel},
        wants={want.value: want for want in Want},
    )


@router.get("/health")
async def health(page: OfTheTree, hub: TheHub) -> Response:
    """The signed and anchored size of the log, and the age of each key."""
    head = await asyncio.to_thread(hub.log.reader.head)
    return page.show(
        "administration/health.html",
        navigation=navigation(page),
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
    """The certificates of an agency; `now` is aware."""
    return [
        Certificate(CertificateOwner(expiry.file), expiry.expires_at, (expiry.expires_at - now).days)
        for expiry in expiries
    ]


def key_ages(folder: Path, now: datetime) -> Sequence[KeyAge]:
    """The age of every existing key."""
    ages = []
    for name in KEY_FILES:
        path = folder / name
        if path.exists():
            since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            ages.append(KeyAge(name, since, max((now - since).days, 0)))
    return ages
