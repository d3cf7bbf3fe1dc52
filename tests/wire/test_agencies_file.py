"""
agencies.toml and credentials.toml: what a hub is told about its agencies, and what stops its start.
"""

import asyncio
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters import registry
from adapters.call_policy import AgencyPolicy, BreakerPolicy, CallPolicy, Hours
from adapters.contract import Adapter, Agency, Interpretation, Question, lookup
from adapters.errors import AgencyFault, ConfigurationError, UnsupportedLookup
from adapters.registry import load_agencies
from adapters.wire.configuration import FAMILIES
from adapters.wire.transport import AgencyTransport
from schemas.codes import AnswerState, IdType, Reason, SubjectKind, Want
from tests.wire.certificates import Authority

AGENCIES = """
[registry_office]
address = "https://agency.example:8443"
connections = 3

[registry_office.identity]
family = "irs"
path = "/gateway/api/x.htm"
credentials = "registry_office.irs"
timeout = 2.5
per_minute = 60

[registry_office.identity.parameters]
id_number = "AAC002"

[registry_office.identity.options.matters]
"*" = "许可0000-00"
"""
CREDENTIALS = """
[registry_office.irs]
app_key = "A330800000000001"
app_secret = "SECRET-CANARY"
"""


class RegistryOffice(Adapter):
    """A synthetic agency with two lookups, of which one is connected."""

    agency = Agency(
        id="registry_office",
        names={"zh": "登记机关", "en": "Registry office"},
        legal_basis="民事诉讼法第七十条",
        repeatable=True,
        retention_days=30,
    )

    @lookup("identity", subject=SubjectKind.PERSON, by=(IdType.RESIDENT_ID,), serves=frozenset({Want.IDENTITY}))
    async def identity(self, question: Question) -> Interpretation:
        """Who it is."""
        rows = await self.wires["identity"].ask(question, "identity", {"id_number": question.subject.id_number})
        state = AnswerState.FOUND if rows.records else AnswerState.NOT_FOUND
        return Interpretation(state=state, answered_at=rows.answered_at)

    @lookup("addresses", subject=SubjectKind.PERSON, by=(IdType.RESIDENT_ID,), serves=frozenset({Want.ADDRESSES}))
    async def addresses(self, question: Question) -> Interpretation:
        """Where it is; no test asks."""
        return Interpretation(state=AnswerState.NOT_FOUND, answered_at=datetime.now(UTC))


CLASSES: dict[str, type[Adapter]] = {"registry_office": RegistryOffice}

Write = Callable[..., tuple[Path, Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes both files, the second for its owner alone."""

    def written(agencies: str = AGENCIES, credentials: str = CREDENTIALS, mode: int = 0o600) -> tuple[Path, Path]:
        paths = tmp_path / "agencies.toml", tmp_path / "credentials.toml"
        for path, content in zip(paths, (agencies, credentials), strict=True):
            path.write_text(content, encoding="utf-8")
        paths[1].chmod(mode)
        return paths

    return written


def changed(old: str, new: str) -> str:
    """The agencies file with one thing changed."""
    assert old in AGENCIES
    return AGENCIES.replace(old, new)


@pytest.mark.anyio
async def test_an_agency_is_connected_as_the_file_says(write: Write, bench: Any) -> None:
    """Address, path, quota, timeout and credentials come from the two files and from nowhere else."""
    bench.agency.post("https://agency.example:8443/gateway/app/refreshTokenByKey.htm").mock(
        return_value=bench.irs_secrets("a" * 32, "b" * 32)
    )
    bench.agency.post("https://agency.example:8443/gateway/api/x.htm").mock(return_value=bench.irs_answer([{"a": 1}]))
    agencies = load_agencies(
        *write(),
        classes=CLASSES,
        clock=bench.hands.clock,
        transports={"registry_office": httpx.MockTransport(bench.agency.async_handler)},
    )

    reading = await agencies["registry_office"].ask("identity", bench.question())
    route = agencies.route("registry_office", "identity")
    await agencies.aclose()

    assert reading == Interpretation(state=AnswerState.FOUND, answered_at=bench.hands.now)
    assert (list(agencies), len(agencies)) == (["registry_office"], 1)
    assert route is not None
    call = agencies.policies["registry_office"].calls["identity"]
    assert (route.name, route.timeout, call.per_minute, call.per_day) == ("registry_office.identity", 2.5, 60, None)


def test_an_agency_is_asked_as_the_file_says(write: Write) -> None:
    """What a capability does not say itself, its agency says; what neither says has the usual value."""
    text = changed("connections = 3", 'connections = 3\nqueue = 7\nhours = { days = ["mon"], opens = 09:00:00 }')
    text = text.replace("per_minute = 60", "per_minute = 60\nfresh_for = 90\nbreaker.failures = 3")
    policy = load_agencies(*write(text), classes=CLASSES).policies["registry_office"]

    assert policy == AgencyPolicy(
        in_flight=3,
        queue=7,
        calls={
            "identity": CallPolicy(
                timeout=2.5,
                attempts=3,
                per_minute=60,
                fresh_for=90.0,
                breaker=BreakerPolicy(failures=3),
                hours=Hours(days=frozenset({"mon"}), opens=time(9)),
            )
        },
    )


@pytest.mark.anyio
async def test_a_lookup_that_is_not_configured_says_so(write: Write, bench: Any) -> None:
    """And so does an agency that the file does not mention."""
    connected = load_agencies(*write(), classes=CLASSES)
    absent = load_agencies(*write("", ""), classes=CLASSES)

    for agencies, capability in ((connected, "addresses"), (absent, "identity")):
        with pytest.raises(UnsupportedLookup) as caught:
            await agencies["registry_office"].ask(capability, bench.question())
        assert caught.value.reason is Reason.NOT_CONFIGURED
        assert agencies.route("registry_office", capability) is None
        await agencies.aclose()


@pytest.mark.anyio
async def test_a_composition_may_say_where_an_agency_is(write: Write) -> None:
    """As the demo does, whose servers take whatever port is free."""
    agencies = load_agencies(*write(), classes=CLASSES, addresses={"registry_office": "http://127.0.0.1:9"})

    route = agencies.route("registry_office", "identity")
    await agencies.aclose()

    assert route is not None
    assert str(route.url()) == "http://127.0.0.1:9/gateway/api/x.htm"


@pytest.mark.anyio
async def test_a_connection_is_pinned_to_the_agency_s_address(write: Write, bench: Any) -> None:
    """A mistake in a route, or in whatever makes addresses, does not lead a question elsewhere."""
    mounted = httpx.MockTransport(bench.agency.async_handler)
    agencies = load_agencies(*write(), classes=CLASSES, transports={"registry_office": mounted})
    wires: Any = agencies["registry_office"].wires

    with pytest.raises(AgencyFault) as caught:
        await wires["identity"].transport.send(httpx.URL("https://agency.example:8444/x"), [], b"", float("inf"))
    await agencies.aclose()

    assert (caught.value.reason, bench.agency.calls.call_count) == (Reason.NOT_CONFIGURED, 0)


@pytest.mark.anyio
async def test_how_long_certificates_serve_is_known_of_every_agency(write: Write, tmp_path: Path) -> None:
    """For whoever watches; an agency without files of its own has none."""
    authority = Authority(tmp_path, "government")
    own = changed("connections = 3", f'tls.roots = "{authority.roots.name}"')
    with_files, without = load_agencies(*write(own), classes=CLASSES), load_agencies(*write(), classes=CLASSES)
    await asyncio.gather(with_files.aclose(), without.aclose())

    assert [one.file for one in with_files.expiries["registry_office"]] == ["roots"]
    assert without.expiries["registry_office"] == ()


@pytest.mark.anyio
async def test_wires_of_one_agency_share_their_connections_and_secrets(write: Write) -> None:
    """One application key, one refresher."""
    more = AGENCIES + AGENCIES.partition("connections = 3")[2].replace(".identity", ".addresses")
    agencies = load_agencies(*write(more), classes=CLASSES)

    wires: Any = agencies["registry_office"].wires
    await agencies.aclose()

    assert wires["identity"].transport is wires["addresses"].transport
    assert wires["identity"].store is wires["addresses"].store
    assert isinstance(wires["identity"].transport, AgencyTransport)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_credentials_that_others_can_reach_stop_the_start(write: Write, mode: int) -> None:
    """The text holds the command that mends it."""
    paths = write(mode=mode)

    with pytest.raises(ConfigurationError, match=re.escape(f"fix: chmod 600 {paths[1]}")):
        load_agencies(*paths, classes=CLASSES)


WRONG = [
    (
        changed('"https://agency.example:8443"', '"ftp://agency.example"'),
        "agencies.toml, line 3: registry_office.address: is not an http or https address; "
        'fix: write address = "https://<host>:<port>"',
    ),
    (
        changed("https://agency", "http://agency"),
        "agencies.toml, line 3: registry_office.address: is not encrypted; "
        "fix: write an https address, or plain_http = true in the agency's table if the network itself is closed",
    ),
    (
        changed(":8443", ":8443/"),
        "agencies.toml, line 3: registry_office.address: holds more than scheme, host, port and path; "
        "fix: leave out user, query and final slash",
    ),
    (
        changed("agency.example", "user:SECRET-CANARY@agency.example"),
        "agencies.toml, line 3: registry_office.address: holds more than scheme, host, port and path; "
        "fix: leave out user, query and final slash",
    ),
    (
        changed('address = "https://agency.example:8443"\n', ""),
        "agencies.toml, line 2: registry_office.address: is missing; fix: write address = …",
    ),
    (
        changed("connections = 3", "connections = 0"),
        "agencies.toml, line 4: registry_office.connections: is less than 1; fix: write at least 1",
    ),
    (
        changed("connections = 3", 'plain_http = "yes"'),
        "agencies.toml, line 4: registry_office.plain_http: is neither true nor false; "
        "fix: write true or false, without quotes",
    ),
    (
        changed("connections = 3", 'trace = "yes"'),
        "agencies.toml, line 4: registry_office.trace: is neither true nor false; "
        "fix: write true or false, without quotes",
    ),
    (
        changed("connections = 3", 'conections = "3"'),
        "agencies.toml, line 4: registry_office.conections: is not known here; fix: write connections, or remove it",
    ),
    (
        changed('"/gateway', '"gateway'),
        "agencies.toml, line 8: registry_office.identity.path: has not the agreed form; "
        "fix: write a path that begins with a slash",
    ),
    (
        changed('family = "irs"', 'family = "soap"'),
        "agencies.toml, line 7: registry_office.identity.family: is no wire family; "
        "fix: write one of irs, national, population, rbsp",
    ),
    (
        changed('family = "irs"\n', ""),
        "agencies.toml, line 6: registry_office.identity.family: is missing; fix: write family = …",
    ),
    (
        changed("timeout = 2.5", "timeout = 60"),
        "agencies.toml, line 10: registry_office.identity.timeout: is more than 30; fix: write at most 30",
    ),
    (
        changed("timeout = 2.5", 'timeout = "2"'),
        "agencies.toml, line 10: registry_office.identity.timeout: is not a number; "
        "fix: write a number, without quotes",
    ),
    (
        changed("per_minute = 60", "per_minute = 0"),
        "agencies.toml, line 11: registry_office.identity.per_minute: is less than 1; fix: write at least 1",
    ),
    (
        changed("per_minute = 60", "per_minute = true"),
        "agencies.toml, line 11: registry_office.identity.per_minute: is not a whole number; "
        "fix: write a whole number, without quotes",
    ),
    (
        changed("per_minute", "per_second"),
        "agencies.toml, line 11: registry_office.identity.per_second: is not known here; "
        "fix: write one of family, path, credentials, parameters, options, timeout, attempts, per_minute, "
        "per_day, fresh_for, breaker, hours; or remove it",
    ),
    (
        changed("per_minute = 60", "attempts = 4"),
        "agencies.toml, line 11: registry_office.identity.attempts: is more than 3; fix: write at most 3",
    ),
    (
        changed("per_minute = 60", "fresh_for = -1"),
        "agencies.toml, line 11: registry_office.identity.fresh_for: is less than 0; fix: write at least 0",
    ),
    (
        changed("per_minute = 60", "breaker.rest = 5"),
        "agencies.toml, line 11: registry_office.identity.breaker.rest: is not known here; "
        "fix: write one of failures, calls, failing, slow, open_for, longest; or remove it",
    ),
    (
        changed("per_minute = 60", "breaker.failing = 2.0"),
        "agencies.toml, line 11: registry_office.identity.breaker.failing: is more than 1; fix: write at most 1",
    ),
    (
        changed("per_minute = 60", 'hours.days = ["monday"]'),
        "agencies.toml, line 11: registry_office.identity.hours.days: is none of the choices; "
        "fix: write one of 'mon', 'tue', 'wed', 'thu', 'fri', 'sat' or 'sun'",
    ),
    (
        changed("per_minute = 60", 'hours.opens = "9:00"'),
        "agencies.toml, line 11: registry_office.identity.hours.opens: is not a time of day; "
        "fix: write a time such as 09:00:00, without quotes",
    ),
    (
        changed("per_minute = 60", 'hours.zone = "Asia/Hangzhou"'),
        "agencies.toml, line 11: registry_office.identity.hours.zone: is no time zone; "
        'fix: write zone = "Asia/Shanghai"',
    ),
    (
        changed("per_minute = 60", 'hours.holidays = ["2026-10-01"]'),
        "agencies.toml, line 11: registry_office.identity.hours.holidays: is not a day; "
        "fix: write a day such as 2026-10-01, without quotes",
    ),
    (
        changed("per_minute = 60", "hours.maintenance = [2026-10-01]"),
        "agencies.toml, line 11: registry_office.identity.hours.maintenance: is not a list; "
        "fix: write maintenance = […], or [[maintenance]] before each table",
    ),
    (
        changed("connections = 3", "connections = 3\nin_flight = 4"),
        "agencies.toml, line 5: registry_office.in_flight: is more than its connections; "
        "fix: write connections = 4 as well",
    ),
    (
        changed("connections = 3", "queue = -1"),
        "agencies.toml, line 4: registry_office.queue: is less than 0; fix: write at least 0",
    ),
    (
        changed('id_number = "AAC002"', "id_number = 1"),
        "agencies.toml, line 14: registry_office.identity.parameters.id_number: is not a text; "
        'fix: write id_number = "…"',
    ),
    (
        changed('id_number = "AAC002"', ""),
        "agencies.toml, line 13: registry_office.identity.parameters: is empty; fix: write at least one",
    ),
    (
        changed("registry_office.irs", "registry_office.other"),
        "credentials.toml, line 2: registry_office.other: is missing, and registry_office.identity refers to it; "
        "fix: write [registry_office.other]",
    ),
    (
        changed("registry_office.identity", "registry_office.photo"),
        "agencies.toml, line 6: registry_office.photo: is not known here; "
        "fix: write one of plain_http, address, resolve, connections, trace, tls, in_flight, queue, "
        "longest_wait, hours, identity, addresses; or remove it",
    ),
    (
        changed("[registry_office", "[other_office"),
        "agencies.toml, line 2: other_office: is not known here; fix: write one of registry_office; or remove it",
    ),
    (
        changed("options.matters", "options.maters"),
        "agencies.toml, line 16: registry_office.identity.options.maters: is not known here; "
        "fix: correct its spelling, or remove it\n"
        "agencies.toml, line 16: registry_office.identity.options.matters: is missing; fix: write matters = …",
    ),
    (
        AGENCIES + '\n[registry_office.identity.options]\nx = "y"\n',
        "agencies.toml, line 20: registry_office.identity.options.x: is not known here; "
        "fix: correct its spelling, or remove it",
    ),
    (
        'registry_office = "x"',
        "agencies.toml, line 1: registry_office: is not a table; fix: write [registry_office]",
    ),
    (
        '[registry_office]\naddress "x"',
        "agencies.toml, line 2: is not TOML; fix: correct that line",
    ),
    (
        "[registry_office",
        "agencies.toml, line 1: is not TOML; fix: correct that line",
    ),
    (
        changed("connections = 3", 'tls.root = "a.pem"'),
        "agencies.toml, line 4: registry_office.tls.root: is not known here; fix: write roots, or remove it",
    ),
    (
        changed("connections = 3", "tls.system_roots = 1"),
        "agencies.toml, line 4: registry_office.tls.system_roots: is neither true nor false; "
        "fix: write true or false, without quotes",
    ),
    (
        changed("connections = 3", 'resolve = "agency.example"'),
        'agencies.toml, line 4: registry_office.resolve: is no network address; fix: write resolve = "10.0.0.5"',
    ),
    (
        changed("connections = 3", "resolve = 10"),
        'agencies.toml, line 4: registry_office.resolve: is not a text; fix: write resolve = "…"',
    ),
    (
        changed("connections = 3", 'tls.roots = "a.pem"'),
        "agencies.toml, line 4: registry_office.tls.roots: holds no usable certificate; "
        "fix: write the path of a PEM file",
    ),
    (
        changed("connections = 3", 'tls.roots = "agencies.toml"'),
        "agencies.toml, line 4: registry_office.tls.roots: holds no usable certificate; "
        "fix: write the path of a PEM file",
    ),
    (
        changed("connections = 3", 'tls.identity = "credentials.toml"'),
        "agencies.toml, line 4: registry_office.tls.identity: holds no usable certificate; "
        "fix: write the path of a PEM file",
    ),
    (
        changed("connections = 3", 'tls.identity = "agencies.toml"'),
        "agencies.toml, line 4: registry_office.tls.identity: can be read by others than its owner; "
        "fix: chmod 600 agencies.toml",
    ),
]


@pytest.mark.parametrize(("agencies", "text"), WRONG, ids=[text.partition("; fix")[0] for _, text in WRONG])
def test_a_file_that_cannot_work_stops_the_start(write: Write, agencies: str, text: str) -> None:
    """The text names file, line, key, rule and fix, and holds no credential."""
    paths = write(agencies)

    with pytest.raises(ConfigurationError) as caught:
        load_agencies(*paths, classes=CLASSES)

    assert str(caught.value).replace(f"{paths[0].parent}/", "") == text
    assert "SECRET-CANARY" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_all_mistakes_of_a_file_are_reported_at_once(write: Write) -> None:
    """Each on its own line, those of a family's options too."""
    text = changed("connections = 3", "connections = 0").replace("timeout = 2.5", 'timeout = "2"')
    paths = write(text.replace("options.matters", "options.maters"))

    with pytest.raises(ConfigurationError) as caught:
        load_agencies(*paths, classes=CLASSES)

    assert str(caught.value).replace(f"{paths[0]}, ", "").splitlines() == [
        "line 4: registry_office.connections: is less than 1; fix: write at least 1",
        "line 10: registry_office.identity.timeout: is not a number; fix: write a number, without quotes",
        "line 16: registry_office.identity.options.maters: is not known here; fix: correct its spelling, or remove it",
        "line 16: registry_office.identity.options.matters: is missing; fix: write matters = …",
    ]


@pytest.mark.parametrize(
    ("credentials", "text"),
    [
        (
            "",
            "line 1: registry_office.irs: is missing, and registry_office.identity refers to it; "
            "fix: write [registry_office.irs]",
        ),
        (
            CREDENTIALS.replace('app_key = "A330800000000001"', ""),
            "line 2: registry_office.irs.app_key: is missing; fix: write app_key = …",
        ),
        (
            CREDENTIALS.replace("A330800000000001", "SECRET-CANARY\\n"),
            "line 3: registry_office.irs.app_key: has not the agreed form; "
            "fix: write it exactly as the agency issued it",
        ),
        ('[registry_office.irs]\napp_secret = "SECRET-CANARY', "line 2: is not TOML; fix: correct that line"),
        ("[registry_office.irs]\nSECRET-CANARY", "line 2: is not TOML; fix: correct that line"),
    ],
)
def test_credentials_that_cannot_work_stop_the_start(write: Write, credentials: str, text: str) -> None:
    """A credential is never quoted, however malformed the file."""
    paths = write(credentials=credentials)

    with pytest.raises(ConfigurationError) as caught:
        load_agencies(*paths, classes=CLASSES)

    assert str(caught.value) == f"{paths[1]}, {text}"
    assert "SECRET-CANARY" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_missing_files_stop_the_start(write: Write, tmp_path: Path) -> None:
    """Each with the command that makes it."""
    agencies, credentials = write()

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_agencies(tmp_path / "none.toml", credentials, classes=CLASSES)
    with pytest.raises(ConfigurationError, match=r"cannot be found; fix: touch .* && chmod 600 "):
        load_agencies(agencies, tmp_path / "none.toml", classes=CLASSES)


def test_an_address_for_an_agency_without_a_table_stops_the_start(write: Write) -> None:
    """A composition that names what is not there is mistaken."""
    with pytest.raises(ConfigurationError, match="has an address given and no table"):
        load_agencies(*write(), classes=CLASSES, addresses={"other": "http://127.0.0.1:9"})


def _with(**facts: Any) -> type[Adapter]:
    agency = {
        "id": "registry_office",
        "names": {"zh": "登记机关", "en": "Registry office"},
        "legal_basis": "民事诉讼法第七十条",
        "repeatable": True,
        "retention_days": 30,
        **facts,
    }
    return type("Office", (RegistryOffice,), {"agency": Agency(**agency), "identity": RegistryOffice.identity})


@pytest.mark.parametrize(
    ("adapter", "rule"),
    [
        (_with(id="other"), "its id is not the entry point's name"),
        (_with(service=False), "its data may not be used for service of process"),
        (_with(legal_basis=" "), "it states no legal basis"),
        (_with(names={"zh": "登记机关"}), "it lacks a Chinese or English name"),
        (_with(retention_days=0), "it keeps raw answers for no day"),
        (type("Silent", (RegistryOffice,), {}), "it declares no lookup"),
    ],
)
def test_an_agency_whose_facts_are_not_complete_stops_the_start(
    write: Write, adapter: type[Adapter], rule: str
) -> None:
    """Facts are declared, not found out by calling."""
    with pytest.raises(ConfigurationError, match=re.escape(rule)):
        load_agencies(*write(), classes={"registry_office": adapter})


def test_the_example_file_names_only_installed_agencies_and_known_families() -> None:
    """Whoever copies it has only placeholders to replace."""
    example = Path(registry.__file__).parents[1] / "config" / "agencies.example.toml"
    tables = tomllib.loads(example.read_text(encoding="utf-8"))
    installed = registry.installed()

    assert set(tables) == set(installed)
    for agency, table in tables.items():
        routes = {name: route for name, route in table.items() if isinstance(route, dict) and name != "tls"}
        assert set(routes) == set(installed[agency].capabilities)
        assert {route["family"] for route in routes.values()} <= set(FAMILIES)
