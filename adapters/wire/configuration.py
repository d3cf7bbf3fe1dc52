"""
Reads agencies.toml, the only place that says where an agency is, and credentials.toml, which only its owner may read.

    [public_security]                          address, resolve, connections, plain_http, trace, tls
    [public_security.tls]                      roots, system_roots, identity (tls.py)
    [public_security.identity]                 family, path, credentials, and how it is asked (policies.py)
    [public_security.identity.parameters]      our terms in their spelling
    [public_security.identity.options]         what the family asks for
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from adapters.call_policy import AgencyPolicy
from adapters.errors import ConfigurationError
from adapters.wire import policy_config
from adapters.wire.config_file import document, require_private, wrong
from adapters.wire.route import Route
from adapters.wire.tls import Trust, read_trust

_AGENCY_KEYS: Final = (
    frozenset({"address", "resolve", "connections", "plain_http", "trace", "tls"}) | policy_config.AGENCY_KEYS
)
_ROUTE_KEYS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "family": str,
    "path": str,
    "credentials": str,
    "parameters": dict,
    "options": dict,
    **policy_config.ROUTE_KEYS,
}
_NEEDED: Final = ("family", "path", "credentials", "parameters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """
    One agency as configured: its routes, how they are asked, their connections, and whom those trust.

    Nothing but scheme, host and port of `address` is ever connected to; `resolve` is the network address of that host,
    where it is not to be asked for.
    """

    agency: str
    address: str
    resolve: str | None = None
    routes: tuple[Route, ...]
    policy: AgencyPolicy = field(default_factory=AgencyPolicy)
    connections: int = 10
    trust: Trust | None = None


def read_sites(path: Path, credentials_path: Path, addresses: Mapping[str, str]) -> tuple[Site, ...]:
    """
    Every agency of the file in its order; `addresses` takes the place of the addresses written there.

    Raises `ConfigurationError`, which names file, key, rule and fix and holds no credential.
    """
    agencies = document(path, "write a table [agency] for each agency that this court is connected to")
    require_private(credentials_path)
    credentials = document(credentials_path, f"touch {credentials_path} && chmod 600 {credentials_path}")
    for agency in addresses:
        if agency not in agencies:
            raise wrong(path, agency, "has an address given and no table", f"write [{agency}] or give no address")
    return tuple(
        _site(path, credentials_path, credentials, agency, table, addresses.get(agency))
        for agency, table in agencies.items()
    )


def _site(
    path: Path, credentials_path: Path, credentials: Mapping[str, Any], agency: str, table: Any, address: str | None
) -> Site:
    if not isinstance(table, dict):
        raise wrong(path, agency, "stands outside a table", f"write [{agency}]")
    address = address if address is not None else table.get("address")
    if not isinstance(address, str):
        raise wrong(path, f"[{agency}] address", "is missing", 'write address = "https://<host>:<port>"')
    connections = table.get("connections", 10)
    if isinstance(connections, bool) or not isinstance(connections, int) or not 1 <= connections <= 10_000:
        raise wrong(path, f"[{agency}] connections", "is not a whole number from 1 to 10000", "write connections = 10")
    plain_http, trace = (_flag(path, agency, table, key) for key in ("plain_http", "trace"))
    routes = []
    calls = {}
    for capability, settings in table.items():
        if capability in _AGENCY_KEYS:
            continue
        where = f"[{agency}.{capability}]"
        if not isinstance(settings, dict):
            raise wrong(path, f"[{agency}] {capability}", "is no key of an agency", "correct its spelling or remove it")
        _check_keys(path, where, settings)
        reference = settings["credentials"]
        calls[capability] = policy_config.read_call(settings, table, partial(_wrong_key, path, where))
        routes.append(
            Route(
                agency=agency,
                capability=capability,
                family=settings["family"],
                address=address,
                path=settings["path"],
                parameters=_texts(path, f"{where} parameters", settings["parameters"]),
                options=settings.get("options", {}),
                credentials=_credentials(credentials_path, credentials, reference, where),
                credentials_table=reference,
                timeout=calls[capability].timeout,
                plain_http=plain_http,
                trace=trace,
                file=str(path),
                credentials_file=str(credentials_path),
            )
        )
    return Site(
        agency=agency,
        address=address,
        resolve=_resolved(path, agency, table.get("resolve")),
        routes=tuple(routes),
        policy=policy_config.read_agency(table, calls, connections, partial(_wrong_key, path, f"[{agency}]")),
        connections=connections,
        trust=read_trust(table.get("tls"), path, f"[{agency}.tls]"),
    )


def _flag(path: Path, agency: str, table: Mapping[str, Any], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise wrong(path, f"[{agency}] {key}", "is neither true nor false", f"write {key} = true")
    return value


def _resolved(path: Path, agency: str, value: Any) -> str | None:
    if value is None:
        return None
    try:
        return str(ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        pass
    raise wrong(path, f"[{agency}] resolve", "is no network address", 'write resolve = "10.0.0.5"')


def _check_keys(path: Path, where: str, settings: Mapping[str, Any]) -> None:
    for key in _NEEDED:
        if key not in settings:
            raise wrong(path, f"{where} {key}", "is missing", f"write {key}")
    for key, value in settings.items():
        if key not in _ROUTE_KEYS:
            raise wrong(path, f"{where} {key}", "is no key of a route", "correct its spelling or remove it")
        if isinstance(value, bool) or not isinstance(value, _ROUTE_KEYS[key]):
            raise wrong(path, f"{where} {key}", "has the wrong type", "see config/agencies.example.toml for its form")


def _texts(path: Path, key: str, table: Mapping[str, Any]) -> Mapping[str, str]:
    if not all(isinstance(value, str) and value for value in table.values()):
        raise wrong(path, key, "holds something else than texts", 'write id_number = "…"')
    return table


def _credentials(path: Path, credentials: Mapping[str, Any], reference: str, where: str) -> Mapping[str, str]:
    table: Any = credentials
    for step in reference.split("."):
        table = table.get(step) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise wrong(path, f"[{reference}]", f"is missing, and {where} refers to it", f"write [{reference}]")
    return {key: value for key, value in table.items() if isinstance(value, str)}


def _wrong_key(path: Path, where: str, key: str, rule: str, fix: str) -> ConfigurationError:
    return wrong(path, f"{where} {key}", rule, fix)
