"""
The agencies of this hub: found by entry point, checked, and connected as agencies.toml says.

An agency is a class under the entry-point group `shuniu.agencies`, named by the agency's id.  One that the
configuration does not mention is there all the same and says of every question that it is not connected.
"""

import asyncio
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from adapters.call_policy import AgencyPolicy
from adapters.contract import Adapter, Wire
from adapters.errors import ConfigurationError
from adapters.wire.clock import CorrectedClock
from adapters.wire.configuration import FAMILIES, Site, read_sites
from adapters.wire.reqwest_transport import ReqwestTransport
from adapters.wire.route import AnyRoute
from adapters.wire.secrets import ProcessStore, SecretStore
from adapters.wire.tls import Expiry
from adapters.wire.transport import AgencyTransport

GROUP: Final = "shuniu.agencies"


class Agencies(Mapping[str, Adapter]):
    """
    The connected agencies by id.  Whoever loads them closes them.
    """

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        routes: Mapping[tuple[str, str], AnyRoute],
        ports: Mapping[str, AgencyTransport],
        policies: Mapping[str, AgencyPolicy],
        expiries: Mapping[str, tuple[Expiry, ...]],
    ) -> None:
        self._adapters = adapters
        self._ports = ports
        self.routes = routes
        self.policies = policies
        self.expiries = expiries

    def __getitem__(self, agency: str) -> Adapter:
        return self._adapters[agency]

    def __iter__(self) -> Iterator[str]:
        return iter(self._adapters)

    def __len__(self) -> int:
        return len(self._adapters)

    def route(self, agency: str, capability: str) -> AnyRoute | None:
        """How a capability is reached; None if it is not connected."""
        return self.routes.get((agency, capability))

    async def aclose(self) -> None:
        """Closes every connection to every agency."""
        await asyncio.gather(*(port.aclose() for port in self._ports.values()))


def load_agencies(
    path: Path,
    credentials_path: Path,
    *,
    addresses: Mapping[str, str] | None = None,
    clock: CorrectedClock | None = None,
    store: SecretStore | None = None,
    transports: Mapping[str, httpx.AsyncBaseTransport] | None = None,
    classes: Mapping[str, type[Adapter]] | None = None,
) -> Agencies:
    """
    Connects every agency of the configuration, or raises `ConfigurationError` naming file, key, rule and fix.

    `addresses` (agency to base address) takes the place of what the file says; `transports` mounts something else
    than the engine; `classes` takes the place of the installed agencies.
    """
    classes = installed() if classes is None else classes
    for name, adapter in classes.items():
        _check(name, adapter)
    clock = clock or CorrectedClock()
    store = store or ProcessStore()
    sites = read_sites(path, credentials_path, classes, addresses)
    ports = {
        site.agency: AgencyTransport((transports or {}).get(site.agency) or _engine(site), address=site.address)
        for site in sites
    }
    wires: dict[str, dict[str, Wire]] = {name: {} for name in (*(site.agency for site in sites), *classes)}
    for route in (route for site in sites for route in site.routes):
        family = FAMILIES[route.family]
        wires[route.agency][route.capability] = family(route, ports[route.agency], clock=clock, store=store)
    return Agencies(
        adapters={name: classes[name](own) for name, own in wires.items()},
        routes={(route.agency, route.capability): route for site in sites for route in site.routes},
        ports=ports,
        expiries={site.agency: site.trust.expiries() if site.trust else () for site in sites},
        policies={site.agency: site.policy for site in sites},
    )


def installed() -> Mapping[str, type[Adapter]]:
    """The installed agencies by id.  Raises `ConfigurationError`."""
    found = {}
    for entry in entry_points(group=GROUP):
        loaded = entry.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Adapter)):
            raise ConfigurationError(f"entry point {GROUP}: {entry.name}: is no Adapter; fix: point it at the class")
        found[entry.name] = loaded
    return found


def _check(name: str, adapter: type[Adapter]) -> None:
    agency = adapter.agency
    rules = (
        (agency.id == name, "its id is not the entry point's name", "give both the same name"),
        (agency.service, "its data may not be used for service of process", "remove it from this hub"),
        (bool(agency.legal_basis.strip()), "it states no legal basis", "name the statute and article"),
        ({"zh", "en"} <= set(agency.names), "it lacks a Chinese or English name", "write both names"),
        (agency.retention_days > 0, "it keeps raw answers for no day at all", "write retention_days"),
        (bool(adapter.capabilities), "it declares no lookup", "declare one with @lookup"),
    )
    for holds, rule, fix in rules:
        if not holds:
            raise ConfigurationError(f"agency {name}: {rule}; fix: {fix}")


def _engine(site: Site) -> ReqwestTransport:
    encrypted = bool(site.routes) and all(route.encrypted for route in site.routes)
    return ReqwestTransport(connections=site.connections, https_only=encrypted, trust=site.trust, resolve=_pinned(site))


def _pinned(site: Site) -> tuple[str, str] | None:
    return (urlsplit(site.address).hostname or "", site.resolve) if site.resolve else None
