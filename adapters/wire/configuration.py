"""
agencies.toml, the only place that says where an agency is, and credentials.toml, which only its owner may read.

    [public_security]                          address, resolve, connections, plain_http, trace, tls, in_flight, queue,
                                               longest_wait, hours
    [public_security.tls]                      roots, system_roots, identity (`Trust`)
    [public_security.identity]                 family, path, credentials, and how it is asked (`CallPolicy`)
    [public_security.identity.parameters]      our terms in their spelling
    [public_security.identity.options]         what the family asks for (its `options_form`)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo, create_model, field_validator

from adapters import config_file
from adapters.call_policy import AgencyPolicy, BreakerPolicy, CallPolicy, Hours
from adapters.config_file import ConfigFile, ConfigTable, Flag, Integer, Number, Text, broken_rule, broken_rules
from adapters.contract import Adapter
from adapters.errors import ConfigurationError
from adapters.wire.base import WireFamily
from adapters.wire.irs import IrsWire
from adapters.wire.national import NationalWire
from adapters.wire.population import PopulationWire
from adapters.wire.rbsp import RbspWire
from adapters.wire.route import AnyRoute, Route, UrlPath
from adapters.wire.tls import Trust

FAMILIES: Final[Mapping[str, type[WireFamily[Any, Any]]]] = {
    "irs": IrsWire,
    "national": NationalWire,
    "population": PopulationWire,
    "rbsp": RbspWire,
}

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_AGENCY: Final = AgencyPolicy()
_CALL: Final = CallPolicy()


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
    routes: tuple[AnyRoute, ...]
    policy: AgencyPolicy = field(default_factory=AgencyPolicy)
    connections: int = 10
    trust: Trust | None = None


def _base_address(address: str, info: ValidationInfo) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise broken_rule("is not an http or https address", 'write address = "https://<host>:<port>"')
    if parts.query or parts.fragment or parts.username or parts.path.endswith("/"):
        raise broken_rule("holds more than scheme, host, port and path", "leave out user, query and final slash")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not info.data.get("plain_http"):
        raise broken_rule(
            "is not encrypted",
            "write an https address, or plain_http = true in the agency's table if the network itself is closed",
        )
    return address


def _network_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    raise broken_rule("is no network address", 'write resolve = "10.0.0.5"')


def _within_connections(in_flight: int, info: ValidationInfo) -> int:
    if in_flight > info.data.get("connections", in_flight):
        raise broken_rule("is more than its connections", f"write connections = {in_flight} as well")
    return in_flight


class RouteTable(ConfigTable):
    """`[agency.lookup]`: the route and the call policy of one capability."""

    family: str
    path: UrlPath
    credentials: Text
    parameters: Annotated[Mapping[str, Text], Field(min_length=1)]
    options: Mapping[str, Any] = Field(default_factory=dict, validate_default=True)
    timeout: Annotated[Number, Field(ge=0.1, le=30)] = _CALL.timeout
    attempts: Annotated[Integer, Field(ge=1, le=3)] = _CALL.attempts
    per_minute: Annotated[Integer, Field(ge=1)] | None = None
    per_day: Annotated[Integer, Field(ge=1)] | None = None
    fresh_for: Annotated[Number, Field(ge=0, le=86_400)] = _CALL.fresh_for
    breaker: BreakerPolicy = _CALL.breaker
    hours: Hours | None = None

    @field_validator("family")
    @classmethod
    def _known(cls, family: str) -> str:
        if family not in FAMILIES:
            raise broken_rule("is no wire family", f"write one of {', '.join(FAMILIES)}")
        return family

    @field_validator("parameters")
    @classmethod
    def _spellable(cls, parameters: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        if "family" in info.data and (mistakes := FAMILIES[info.data["family"]].check_parameters(parameters)):
            raise broken_rules(mistakes)
        return parameters

    @field_validator("options")
    @classmethod
    def _of_the_family(cls, options: Mapping[str, Any], info: ValidationInfo) -> Any:
        family = FAMILIES.get(info.data.get("family", ""))
        return options if family is None else family.options_form.model_validate(options, context=info.context)


class AgencyTable(ConfigTable):
    """`[agency]`: where an agency is, and what its capabilities share."""

    plain_http: Flag = False
    address: Annotated[str, AfterValidator(_base_address)]
    resolve: Annotated[str, AfterValidator(_network_address)] | None = None
    connections: Annotated[Integer, Field(ge=1, le=10_000)] = 10
    trace: Flag = False
    tls: Trust | None = None
    in_flight: Annotated[Integer, Field(ge=1, le=10_000), AfterValidator(_within_connections)] | None = None
    queue: Annotated[Integer, Field(ge=0, le=10_000)] = _AGENCY.queue
    longest_wait: Annotated[Number, Field(ge=0, le=30)] = _AGENCY.longest_wait
    hours: Hours | None = None


def read_sites(
    path: Path,
    credentials_path: Path,
    classes: Mapping[str, type[Adapter]],
    addresses: Mapping[str, str] | None = None,
) -> tuple[Site, ...]:
    """
    Every agency of the file in its order; `addresses` takes the place of the addresses written there.

    `classes` are the installed agencies.  Raises `ConfigurationError`, which holds no credential.
    """
    file = ConfigFile.read(path, "write a table [agency] for each agency that this court is connected to")
    if violation := config_file.privacy_violation(credentials_path):
        raise ConfigurationError(f"{credentials_path}: {violation[0]}; fix: {violation[1]}")
    credentials = ConfigFile.read(credentials_path, f"touch {credentials_path} && chmod 600 {credentials_path}")
    for agency, address in (addresses or {}).items():
        if agency not in file.document:
            file.add((agency,), "has an address given and no table", f"write [{agency}] or give no address")
        elif isinstance(file.document[agency], dict):
            file.document[agency]["address"] = address
    tables: Any = file.parse(_form(classes))
    sites = []
    if not (file.problems or credentials.problems):
        sites = [_site(agency, getattr(tables, agency), file, credentials, classes[agency]) for agency in file.document]
    config_file.require_sound(file, credentials)
    return tuple(sites)


def _form(classes: Mapping[str, type[Adapter]]) -> type[ConfigTable]:
    """The form of agencies.toml: a table for each installed agency, in it one for each of its lookups."""
    agencies: dict[str, Any] = {}
    for name, adapter in classes.items():
        lookups: dict[str, Any] = dict.fromkeys(adapter.capabilities, (RouteTable | None, None))
        agencies[name] = (create_model(name, __base__=AgencyTable, **lookups) | None, None)
    return create_model("AgenciesFile", __base__=ConfigTable, **agencies)


def _site(agency: str, table: AgencyTable, file: ConfigFile, credentials: ConfigFile, adapter: type[Adapter]) -> Site:
    lookups: dict[str, RouteTable] = {
        name: getattr(table, name) for name in file.document[agency] if name in adapter.capabilities
    }
    return Site(
        agency=agency,
        address=table.address,
        resolve=table.resolve,
        routes=tuple(
            Route(
                agency=agency,
                capability=name,
                family=lookup.family,
                address=table.address,
                path=lookup.path,
                parameters=lookup.parameters,
                options=lookup.options,
                credentials=_credentials(credentials, lookup, f"{agency}.{name}"),
                timeout=lookup.timeout,
                trace=table.trace,
            )
            for name, lookup in lookups.items()
        ),
        policy=AgencyPolicy(
            in_flight=table.in_flight or table.connections,
            queue=table.queue,
            longest_wait=table.longest_wait,
            calls={name: _call(lookup, table, adapter) for name, lookup in lookups.items()},
        ),
        connections=table.connections,
        trust=table.tls,
    )


def _call(lookup: RouteTable, table: AgencyTable, adapter: type[Adapter]) -> CallPolicy:
    """How one capability is asked; hours that it does not state are the agency's."""
    stated = {one.name: getattr(lookup, one.name) for one in fields(CallPolicy)}
    stated["hours"] = lookup.hours or table.hours or _CALL.hours
    # Only the agency's facts can say that a repeated question is harmless.
    return CallPolicy(**stated if adapter.agency.repeatable else stated | {"attempts": 1})


def _credentials(file: ConfigFile, lookup: RouteTable, route_name: str) -> Any:
    keys = lookup.credentials.split(".")
    table: Any = file.document
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        file.add(tuple(keys), f"is missing, and {route_name} refers to it", f"write [{lookup.credentials}]")
        return None
    return file.parse(FAMILIES[lookup.family].credentials_form, at=keys)
