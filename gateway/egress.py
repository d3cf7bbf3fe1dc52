"""
The egress list of a hub, for the firewall: every host and port that it connects to.

It comes from the same files and settings that the hub starts with.  Receivers of callbacks are not in it: they are
registered while the hub runs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from adapters.config_file import ConfigTable, read_config
from adapters.errors import ConfigurationError
from gateway.anchors.configuration import read_anchors
from gateway.settings import Settings

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, order=True)
class Destination:
    """
    One host and port, and what for: `agency …`, `sign-on`, `timestamp …`, `witness …`, `traces`, `database`.

    `address` is the network address that is connected to, where it does not have to be asked for.
    """

    purpose: str
    host: str
    port: int
    protocol: str
    address: str | None = None

    @property
    def target(self) -> str:
        """The address, or else the name."""
        return self.address or self.host


class _AgencyPlace(ConfigTable, extra="ignore"):
    address: str
    resolve: str | None = None


def destinations(settings: Settings) -> tuple[Destination, ...]:
    """
    Every place that a hub with these settings connects to, each once.  Reads no credential.

    Raises `ConfigurationError`.
    """
    return tuple(dict.fromkeys([*_agencies(settings), *_services(settings), *_databases(settings)]))


def _agencies(settings: Settings) -> Iterator[Destination]:
    places = read_config(
        settings.agencies, dict[str, _AgencyPlace], fix="name yours with SHUNIU_AGENCIES=…/agencies.toml"
    )
    for name, place in places.items():
        yield _of(f"agency {name}", place.address, place.resolve)


def _services(settings: Settings) -> Iterator[Destination]:
    yield _of("sign-on", settings.sign_on_issuer)
    anchors = read_anchors(settings.anchors)
    for authority in anchors.timestampers:
        yield _of(f"timestamp {authority.name}", authority.url)
    for witness in anchors.witnesses:
        yield _of(f"witness {witness.name}", witness.url)
    if settings.otlp_endpoint:
        yield _of("traces", settings.otlp_endpoint)


def _databases(settings: Settings) -> Iterator[Destination]:
    for url in (settings.database_url, settings.owner_url, settings.eraser_url):
        if url is None:
            continue
        parts: dict[str, Any] = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))
        hosts, ports = (str(parts.get(key) or "").split(",") for key in ("host", "port"))
        for number, host in enumerate(hosts):
            # A folder is a socket of this machine.
            if host and not host.startswith("/"):
                port = ports[number] if len(ports) == len(hosts) else ports[0]
                yield Destination("database", host, int(port or 5432), "postgresql", _literal(host))


def _of(purpose: str, url: str, resolve: str | None = None) -> Destination:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    if not host or not port:
        raise ConfigurationError(f"{purpose}: its address names no host and port; fix: write https://<host>:<port>")
    return Destination(purpose, host, port, parts.scheme, resolve or _literal(host))


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None
