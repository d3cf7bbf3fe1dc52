"""
`python -m mock_agencies serve|proxy|ticket-system|ledger|cast|credentials`: serves the mock agencies or a fault proxy,
runs a ticket system, compares its ledger with the hub, or prints the cast or the credentials.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import uvloop

from mock_agencies import credentials
from mock_agencies.fault_proxy import FaultProxy, serve_control_api
from mock_agencies.population import Population, SyntheticPerson
from mock_agencies.serving import SERVERS, serving
from mock_agencies.ticket_system import cli
from mock_agencies.ticket_system.load_generator import party_reference


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mock_agencies", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve agencies, each on its own port, in one process")
    serve.add_argument("servers", nargs="+", choices=SERVERS)
    serve.add_argument("--port", type=int, default=0, help="port of the first server; 0 lets the system choose")
    serve.add_argument("--seed", type=int, default=1, help="seed of the population")
    serve.add_argument("--precomputed", action="store_true", help="write each answer once (for benchmarks)")
    serve.add_argument("--until-stdin-closes", action="store_true", help="end when stdin closes")
    serve.add_argument(
        "--certificate", type=Path, metavar="FILE", help="sign the population base's replies; its certificate goes here"
    )
    proxy = commands.add_parser("proxy", help="serve a TCP proxy that injects network faults, with a control API")
    proxy.add_argument("--to", required=True, type=_host_and_port, metavar="HOST:PORT", help="the server behind it")
    proxy.add_argument("--port", type=int, default=0, help="port of the proxy; 0 lets the system choose")
    proxy.add_argument("--control-port", type=int, default=0, help="port of its control API")
    proxy.add_argument("--seed", type=int, default=1, help="seed of what is drawn")
    proxy.add_argument("--until-stdin-closes", action="store_true", help="end when stdin closes")
    cli.add_commands(commands)
    cast = commands.add_parser("cast", help="print the named special cases")
    cast.add_argument("--json", action="store_true", dest="as_json")
    cast.add_argument("--seed", type=int, default=1)
    commands.add_parser("credentials", help="print the demo's credentials.toml")
    options = parser.parse_args(arguments)
    match options.command:
        case "serve":
            uvloop.run(_serve(options))
        case "proxy":
            uvloop.run(_proxy(options))
        case "ticket-system":
            return uvloop.run(_work(options))
        case "ledger":
            return uvloop.run(cli.check_ledger(options))
        case "cast":
            _print_cast(Population(options.seed), as_json=options.as_json)
        case "credentials":
            sys.stdout.write(credentials.as_toml())
    return 0


async def _serve(options: argparse.Namespace) -> None:
    over = _over(options)
    async with serving(
        options.servers,
        port=options.port,
        seed=options.seed,
        precomputed=options.precomputed,
        certificate=options.certificate,
    ) as servers:
        for server in servers.values():
            sys.stdout.write(json.dumps({"server": server.name, "address": server.address}) + "\n")
        sys.stdout.flush()
        await over.wait()


async def _proxy(options: argparse.Namespace) -> None:
    over = _over(options)
    async with (
        FaultProxy.running(options.to, port=options.port, seed=options.seed) as proxy,
        serve_control_api(proxy, port=options.control_port) as control,
    ):
        sys.stdout.write(json.dumps({"server": "proxy", "address": proxy.address, "control": control}) + "\n")
        sys.stdout.flush()
        await over.wait()


async def _work(options: argparse.Namespace) -> int:
    return await cli.run_ticket_system(options, _over(options))


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError
    return host.strip("[]"), int(port)


def _over(options: argparse.Namespace) -> asyncio.Event:
    """The event that is set by SIGTERM, SIGINT or the end of stdin."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, over.set)
    if options.until_stdin_closes:
        threading.Thread(target=_await_end_of_stdin, args=(loop, over), daemon=True).start()
    return over


def _await_end_of_stdin(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    # Not through sys.stdin: its lock would be held when the interpreter ends first.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(over.set)


def _print_cast(population: Population, *, as_json: bool) -> None:
    if as_json:
        shown = {role: party_reference(party) | asdict(party) for role, party in population.cast.items()}
        sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1, default=str) + "\n")
        return
    for role, party in population.cast.items():
        number = party.id_number if isinstance(party, SyntheticPerson) else party.uscc or party.registration_number
        sys.stdout.write(f"{role:32} {number:20} {party.name}\n")


if __name__ == "__main__":
    raise SystemExit(main())
