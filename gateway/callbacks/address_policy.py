"""
Where a callback may go: never, by whatever name or spelling, to a place inside that no administrator has let in.

A URL is judged when it is registered; the address to which its name leads is judged at every sending, and the
connection goes to exactly that address (no second look-up for a rebound name to answer).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from gateway.callbacks.states import CallbackRule

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

LONGEST_URL: Final = 500

# Where clouds tell a machine its secrets.  One of them is an ordinary public address.
_METADATA: Final = frozenset(
    ip_address(one)
    for one in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.0.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
# IPv6 addresses that carry an IPv4 address lead elsewhere than they look: mapped, compatible and NAT64 (all in ::/8),
# 6to4, Teredo.
_CARRIERS: Final = tuple(map(IPv6Network, ("::/8", "2002::/16", "2001::/32")))
_THIS_NETWORK: Final = IPv4Network("0.0.0.0/8")
_LOOPBACK: Final = IPv6Address("::1")


class AddressRefused(Exception):
    """A receiver's URL, or the address behind it, breaks a rule."""

    def __init__(self, rule: CallbackRule) -> None:
        super().__init__(f"refused by rule {rule.value}")
        self.rule = rule


def verdict(address: str, *, internal: bool) -> CallbackRule | None:
    """
    The rule that keeps a callback from this IP address, or None.  `internal`: an administrator has let this host in.
    """
    ip = ip_address(address.partition("%")[0])
    if ip.is_multicast or ip.is_unspecified or ip in _METADATA or _misleads(ip):
        return CallbackRule.ADDRESS_NEVER
    return None if ip.is_global or internal else CallbackRule.ADDRESS_FORBIDDEN


def _misleads(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return ip.is_reserved or ip in _THIS_NETWORK
    return ip != _LOOPBACK and any(ip in carrier for carrier in _CARRIERS)


def checked(url: str, *, internal: bool) -> httpx.URL:
    """
    The parsed URL of a receiver.  Raises `AddressRefused`; names are not looked up here.
    """
    parsed = None
    if len(url) <= LONGEST_URL and url.isascii() and url.isprintable() and not set(url) & set(" \\?#@"):
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = None
    if parsed is None or not parsed.host or parsed.scheme not in {"https", "http"}:
        raise AddressRefused(CallbackRule.URL_FORM)
    if parsed.scheme == "http" and not (internal and _is_loopback(parsed.host)):
        raise AddressRefused(CallbackRule.URL_FORM)
    if parsed.host.rstrip(".").lower() == "localhost" and not internal:
        raise AddressRefused(CallbackRule.ADDRESS_FORBIDDEN)
    if _is_literal(parsed.host):
        _require(parsed.host, internal=internal)
    return parsed


async def pinned(url: httpx.URL, *, internal: bool, lookup: Lookup | None = None) -> str:
    """
    The address to connect to.  Every address of the name must be allowed: one that is not refuses all.

    Raises `AddressRefused`, and `OSError` if the name leads nowhere.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = [url.host] if _is_literal(url.host) else await (lookup or _look_up)(url.host, port)
    if not addresses:
        raise OSError("the name leads nowhere")
    for address in addresses:
        _require(address, internal=internal)
        # In clear only on this machine, wherever the name leads by now.
        if url.scheme == "http" and not ip_address(address.partition("%")[0]).is_loopback:
            raise AddressRefused(CallbackRule.ADDRESS_FORBIDDEN)
    return addresses[0]


async def _look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


def _require(address: str, *, internal: bool) -> None:
    rule = verdict(address, internal=internal)
    if rule is not None:
        raise AddressRefused(rule)


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_literal(host) and ip_address(host).is_loopback)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
