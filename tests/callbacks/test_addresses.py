"""
A callback goes to no place inside that no administrator has let in, by whatever name or spelling.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks.address_policy import AddressRefused, checked, pinned, verdict
from gateway.callbacks.states import CallbackRule, Failure
from tests.callbacks.fakes import CallbackService
from tests.callbacks.receiver import Receiver

pytestmark = pytest.mark.anyio

INSIDE = (
    "127.0.0.1",
    "127.255.0.9",
    "10.0.0.17",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.7.7",
    "198.18.0.1",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12::9",
)
NEVER = (
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "240.0.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fd00:ec2::254",
    "::",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
)
OUTSIDE = ("8.8.8.8", "223.5.5.5", "2400:3200::1")


@pytest.mark.parametrize("address", INSIDE)
def test_inside_needs_an_administrator(address: str) -> None:
    """Loopback, link-local, private and shared addresses."""
    assert verdict(address, internal=False) is CallbackRule.ADDRESS_FORBIDDEN
    assert verdict(address, internal=True) is None


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_no_receiver_at_all(address: str) -> None:
    """Whoever registers them: multicast, unspecified, metadata, and IPv6 that carries IPv4."""
    assert verdict(address, internal=False) is CallbackRule.ADDRESS_NEVER
    assert verdict(address, internal=True) is CallbackRule.ADDRESS_NEVER


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_allowed(address: str) -> None:
    """Of either family."""
    assert verdict(address, internal=False) is None


@given(st.ip_addresses())
def test_without_an_administrator_only_global_addresses_are_allowed(ip: Any) -> None:
    """Whatever the table says: nothing that is not global gets through."""
    allowed = verdict(str(ip), internal=False) is None

    assert not allowed or (ip.is_global and not ip.is_multicast)


@given(st.ip_addresses(v=4))
def test_no_ipv6_spelling_of_an_ipv4_address_is_allowed(ip: ipaddress.IPv4Address) -> None:
    """Mapped, compatible, NAT64, 6to4."""
    number = int(ip)
    spelt = [(0xFFFF << 32) | number, number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)]

    for one in spelt:
        assert verdict(str(ipaddress.IPv6Address(one)), internal=False) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://tickets.example/hooks",
        "http://10.0.0.17/hooks",
        "ftp://tickets.example/",
        "https:///hooks",
        "//tickets.example/hooks",
        "https://user@tickets.example/hooks",
        "https://user:secret@tickets.example/hooks",
        "https://tickets.example/hooks?for=1",
        "https://tickets.example/hooks#part",
        "https://tickets.example\\@10.0.0.17/",
        "https://tickets.example/ho oks",
        "https://tickets.example/\nHost: other",
        "https://票.example/hooks",
        "https://" + "a" * 600,
        "javascript:alert(1)",
        "https://[::1/",
        "https://tickets.example:port/",
    ],
)
@pytest.mark.parametrize("internal", [False, True])
def test_a_url_that_is_not_plain_is_refused(url: str, internal: bool) -> None:
    """By its form, before any name is looked up."""
    with pytest.raises(AddressRefused) as caught:
        checked(url, internal=internal)
    assert caught.value.rule is CallbackRule.URL_FORM


def test_http_is_for_this_machine_alone() -> None:
    """And only where an administrator has registered it as internal."""
    assert checked("http://127.0.0.1:8080/hooks", internal=True).port == 8080
    assert checked("http://localhost/hooks", internal=True).host == "localhost"
    with pytest.raises(AddressRefused):
        checked("http://localhost/hooks", internal=False)
    with pytest.raises(AddressRefused):
        checked("https://localhost/hooks", internal=False)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost.", "0"])
async def test_odd_spellings_lead_where_they_lead(host: str) -> None:
    """The system's own look-up says what they mean, and that is judged."""
    try:
        url = checked(f"https://{host}/hooks", internal=False)
        await pinned(url, internal=False)
    except (AddressRefused, OSError) as error:
        refused = error
    assert isinstance(refused, AddressRefused | OSError)


async def test_every_address_of_a_name_must_be_allowed() -> None:
    """One that leads inside refuses them all."""

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        return ["8.8.8.8", "10.0.0.17"]

    with pytest.raises(AddressRefused):
        await pinned(httpx.URL("https://tickets.example/"), internal=False, lookup=lookup)
    assert await pinned(httpx.URL("https://tickets.example/"), internal=True, lookup=lookup) == "8.8.8.8"


async def test_a_name_that_was_rebound_after_registration_gets_nothing(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """Public when it was registered, inside when it is sent to: the attempt fails, and nothing has left."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]

    async def lookup(_host: str, _port: int) -> Sequence[str]:
        return answers.pop(0)

    callbacks.callbacks.receivers._lookup = lookup
    callbacks.callbacks.sender._errands._lookup = lookup
    await callbacks.register("forms", f"https://tickets.example:{tickets.port}/hooks", internal=False)
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert tickets.calls == []
    assert await callbacks.states() == {"a-1": ("waiting", Failure.ADDRESS_FORBIDDEN.value)}


async def test_the_connection_goes_to_the_address_that_was_judged(
    callbacks: CallbackService, tickets: Receiver
) -> None:
    """The name is looked up once; a second answer is never asked for."""
    asked: list[str] = []

    async def lookup(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    await callbacks.register("forms", f"http://localhost:{tickets.port}/hooks")
    callbacks.callbacks.sender._errands._lookup = lookup
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert asked == ["localhost"]
    assert [call.headers["host"] for call in tickets.calls] == [f"localhost:{tickets.port}"]


@pytest.mark.parametrize("url", ["https://10.0.0.17/hooks", "https://[fe80::1]/hooks", "https://[::ffff:10.0.0.1]/"])
async def test_an_address_inside_is_refused_at_registration(callbacks: CallbackService, url: str) -> None:
    """With the rule, before anything is recorded or kept."""
    with pytest.raises(AddressRefused):
        await callbacks.register("forms", url, internal=False)

    assert callbacks.query("SELECT count(*) FROM callback_receiver") == [(0,)]
    assert callbacks.query("SELECT count(*) FROM audit.entry") == [(0,)]


async def test_a_proxy_of_the_environment_is_not_used(
    callbacks: CallbackService, tickets: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets the hub's environment does not read its callbacks."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await callbacks.register("forms", tickets.url)
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert len(tickets.calls) == 1
