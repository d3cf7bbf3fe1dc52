"""
`shuniu agencies hosts` and `check`: the hosts that the hub connects to, and its agency configuration checked.
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

from adapters.registry import installed
from adapters.wire.configuration import read_sites
from adapters.wire.tls import WARN_DAYS
from gateway.cli.console import Exit, as_document, show
from gateway.cli.folding_table import FoldingTable
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
    hosts = destinations(Settings())
    if form is OutputFormat.JSON:
        as_document([asdict(host) for host in hosts])
    else:
        sys.stdout.write(_FORMS[form](hosts, user))


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
                    "file": certificate.file,
                    "expires_at": certificate.expires_at.isoformat(),
                    "days_left": (certificate.expires_at - now).days,
                }
                for certificate in (site.trust.expiries() if site.trust else ())
            ],
        }
        for site in read_sites(settings.agencies, settings.credentials, installed())
    ]
    if json_output:
        as_document(checked)
    else:
        table = FoldingTable("agency", "address", "certificates")
        for agency in checked:
            ends = [f"{file['file']}: {file['days_left']} days left" for file in agency["certificates"]]
            table.add_row(agency["agency"], agency["address"], "\n".join(ends) or "the system's roots, none of ours")
        show.print(table)
    if any(file["days_left"] < WARN_DAYS for agency in checked for file in agency["certificates"]):
        raise typer.Exit(Exit.FINDINGS)


def _plain(hosts: Sequence[Destination], _: str) -> str:
    rows = [(host.purpose, host.protocol, host.host, str(host.port), host.address or "by name") for host in hosts]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in rows
    )


def _csv(hosts: Sequence[Destination], _: str) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["purpose", "protocol", "host", "port", "address"])
    rows.writerows([host.purpose, host.protocol, host.host, host.port, host.address or ""] for host in hosts)
    return text.getvalue()


def _nftables(hosts: Sequence[Destination], user: str) -> str:
    rules = "".join(
        f'    {_family(host)} daddr {host.target} tcp dport {host.port} accept comment "{host.purpose}"\n'
        for host in hosts
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


def _iptables(hosts: Sequence[Destination], user: str) -> str:
    lines = []
    for command, family in (("iptables", "ip"), ("ip6tables", "ip6")):
        rules = [
            "-o lo -j ACCEPT",
            "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            *(f"-p {protocol} --dport 53 -j ACCEPT" for protocol in ("udp", "tcp")),
            *(
                f'-d {host.target} -p tcp --dport {host.port} -m comment --comment "{host.purpose}" -j ACCEPT'
                for host in hosts
                if _family(host) == family
            ),
            "-j REJECT",
        ]
        lines += [f"{command} -N {_CHAIN}", *(f"{command} -A {_CHAIN} {rule}" for rule in rules)]
        lines.append(f"{command} -A OUTPUT -m owner --uid-owner {user} -j {_CHAIN}")
    return _NAMES + "\n".join(lines) + "\n"


def _family(host: Destination) -> str:
    return "ip6" if host.address is not None and ip_address(host.address).version == 6 else "ip"


_FORMS: Final[Mapping[OutputFormat, Callable[[Sequence[Destination], str], str]]] = {
    OutputFormat.PLAIN: _plain,
    OutputFormat.CSV: _csv,
    OutputFormat.NFTABLES: _nftables,
    OutputFormat.IPTABLES: _iptables,
}
