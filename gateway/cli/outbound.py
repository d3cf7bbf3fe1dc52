"""
`shuniu agencies hosts` and `check`: where the hub connects to, and what would stop it from doing so.
"""

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from adapters.registry import installed
from adapters.wire.configuration import read_sites
from adapters.wire.tls import WARN_DAYS
from gateway.cli.console import Exit, as_document, show
from gateway.cli.options import Json
from gateway.egress import Destination, destinations
from gateway.settings import Settings

outbound_app = typer.Typer()

_CHAIN: Final = "SHUNIU-OUT"
_NAMES: Final = "# A name is looked up when the rules are loaded: load them again when an agency moves.\n"


class OutputFormat(StrEnum):
    """How the list of hosts is written."""

    PLAIN = "plain"
    NFTABLES = "nftables"
    IPTABLES = "iptables"
    CSV = "csv"
    JSON = "json"


@outbound_app.command("hosts")
def agencies_hosts(
    *,
    form: Annotated[OutputFormat, typer.Option(help="how the list is written")] = OutputFormat.PLAIN,
    user: Annotated[str, typer.Option(help="login of the hub's service, in firewall rules")] = "shuniu",
) -> None:
    """
    Print every host and port that the hub connects to, as a list or as rules of a firewall.  Connects to nothing.

    Example: shuniu agencies hosts --form nftables
    """
    found = destinations(Settings())
    if form is OutputFormat.JSON:
        as_document([asdict(one) for one in found])
    else:
        sys.stdout.write(_FORMS[form](found, user))


@outbound_app.command("check")
def agencies_check(*, json_output: Json = False) -> None:
    """
    Check agencies.toml with its credentials and certificates, as the hub does when it starts.  Connects to nothing.

    Example: shuniu agencies check
    """
    settings = Settings()
    now = datetime.now(UTC)
    checked: list[dict[str, Any]] = [
        {
            "agency": site.agency,
            "address": site.address,
            "certificates": [
                {
                    "file": one.file,
                    "expires_at": one.expires_at.isoformat(),
                    "days_left": (one.expires_at - now).days,
                }
                for one in (site.trust.expiries() if site.trust else ())
            ],
        }
        for site in read_sites(settings.agencies, settings.credentials, installed())
    ]
    if json_output:
        as_document(checked)
    else:
        table = Table("agency", "address", "certificates", box=None, header_style="dim")
        for one in checked:
            ends = [f"{file['file']}: {file['days_left']} days left" for file in one["certificates"]]
            table.add_row(one["agency"], one["address"], "\n".join(ends) or "the system's roots, none of ours")
        show.print(table)
    if any(file["days_left"] < WARN_DAYS for one in checked for file in one["certificates"]):
        raise typer.Exit(Exit.FINDINGS)


def _plain(found: Sequence[Destination], _: str) -> str:
    rows = [(one.purpose, one.protocol, one.host, str(one.port), one.address or "by name") for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _csv(found: Sequence[Destination], _: str) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["purpose", "protocol", "host", "port", "address"])
    rows.writerows([one.purpose, one.protocol, one.host, one.port, one.address or ""] for one in found)
    return text.getvalue()


def _nftables(found: Sequence[Destination], user: str) -> str:
    rules = "".join(
        f'    {_family(one)} daddr {one.target} tcp dport {one.port} accept comment "{one.purpose}"\n' for one in found
    )
    return f"""{_NAMES}table inet shuniu {{
  chain outbound {{
    type filter hook output priority filter; policy accept;
    meta skuid != "{user}" accept
    oifname "lo" accept
    ct state established,related accept
    meta l4proto {{ tcp, udp }} th dport 53 accept comment "names"
{rules}    reject
  }}
}}
"""


def _iptables(found: Sequence[Destination], user: str) -> str:
    lines = []
    for command, family in (("iptables", "ip"), ("ip6tables", "ip6")):
        rules = [
            "-o lo -j ACCEPT",
            "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            *(f"-p {protocol} --dport 53 -j ACCEPT" for protocol in ("udp", "tcp")),
            *(
                f'-d {one.target} -p tcp --dport {one.port} -m comment --comment "{one.purpose}" -j ACCEPT'
                for one in found
                if _family(one) == family
            ),
            "-j REJECT",
        ]
        lines += [f"{command} -N {_CHAIN}", *(f"{command} -A {_CHAIN} {rule}" for rule in rules)]
        lines.append(f"{command} -A OUTPUT -m owner --uid-owner {user} -j {_CHAIN}")
    return _NAMES + "\n".join(lines) + "\n"


def _family(one: Destination) -> str:
    return "ip6" if one.address is not None and ip_address(one.address).version == 6 else "ip"


_FORMS: Final[Mapping[OutputFormat, Callable[[Sequence[Destination], str], str]]] = {
    OutputFormat.PLAIN: _plain,
    OutputFormat.CSV: _csv,
    OutputFormat.NFTABLES: _nftables,
    OutputFormat.IPTABLES: _iptables,
}
