"""
`python -m mock_agencies ticket-system` and `… ledger check`.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from mock_agencies.connection import Connection
from mock_agencies.ticket_system.callback_receiver import CallbackReceiver, ResponseShares
from mock_agencies.ticket_system.ledger import CallbackLedger, read_ledger
from mock_agencies.ticket_system.load_generator import LoadGenerator, LoadPlan
from mock_agencies.ticket_system.reconciliation import reconcile
from mock_agencies.ticket_system.tokens import ClientCredentials
from shuniu_client import AsyncClient, Patience

CLIENT: Final = "ticket-system"
SECRET: Final = "SHUNIU_CALLBACK_SECRET"
PATIENT: Final = Patience(total=20.0, first=0.1, longest=1.0)


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The two commands of the ticket system."""
    tickets = commands.add_parser("ticket-system", help="dispatch work orders, ask for forms, take callbacks")
    _add_addresses(tickets)
    tickets.add_argument("--ledger", required=True, type=Path, help="file of events, appended")
    tickets.add_argument("--receiver", default="tickets", help="name of the receiver at the hub")
    tickets.add_argument("--port", type=int, default=0, help="where callbacks arrive")
    tickets.add_argument("--rate", type=float, default=1.0, help="work orders a second; 0: as fast as they are taken")
    tickets.add_argument("--count", type=int, help="end after so many work orders")
    tickets.add_argument("--linger", type=float, default=60.0, help="seconds to take callbacks for after that")
    tickets.add_argument("--lasts", type=float, help="seconds until a form is wanted as it is")
    tickets.add_argument("--parties", type=int, default=2, choices=(1, 2))
    tickets.add_argument("--closing", type=float, default=0.2, help="share of work orders closed halfway")
    tickets.add_argument("--failing", type=float, default=0.0, help="share of callbacks answered with 500")
    tickets.add_argument("--dropping", type=float, default=0.0, help="share of callbacks not answered at all")
    tickets.add_argument("--slow", type=float, default=0.0, help="share of callbacks answered late")
    tickets.add_argument("--prefix", default="TS", help="how the numbers of work orders begin")
    tickets.add_argument("--seed", type=int, default=1, help="seed of what is drawn")
    tickets.add_argument("--until-stdin-closes", action="store_true", help="end when stdin closes")
    book = commands.add_parser("ledger", help="count what was lost or doubled")
    checks = book.add_subparsers(dest="what", required=True)
    checking = checks.add_parser("check", help="compare a ledger with the hub")
    _add_addresses(checking)
    checking.add_argument("file", type=Path, metavar="LEDGER")


def _add_addresses(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hub", required=True, help="address of the hub")
    parser.add_argument("--sign-on", required=True, help="address of the sign-on server")


async def check_ledger(options: argparse.Namespace) -> int:
    """`… ledger check`: prints the counts; 1 if there are faults."""
    async with AsyncClient(options.hub, ClientCredentials(options.sign_on, CLIENT)) as client:
        verdict = await reconcile(client, read_ledger(options.file))
    sys.stdout.write("".join(f"{fault}\n" for fault in verdict.faults) + f"{verdict}\n")
    return int(bool(verdict.faults))


async def run_ticket_system(options: argparse.Namespace, over: asyncio.Event) -> int:
    """`… ticket-system`: dispatches until SIGINT, then takes callbacks until SIGTERM or a second SIGINT."""
    draws = random.Random(options.seed)
    with CallbackLedger(options.ledger) as ledger:
        receiver = CallbackReceiver(ledger, "", ResponseShares(options.failing, options.slow, options.dropping), draws)
        async with (
            serve_callbacks(receiver, port=options.port) as address,
            AsyncClient(options.hub, ClientCredentials(options.sign_on, CLIENT), patience=PATIENT) as client,
        ):
            given = os.environ.get(SECRET, "")
            receiver.secret = given or await asyncio.to_thread(_register_receiver, options, address)
            sys.stdout.write(json.dumps({"server": "ticket_system", "address": address}) + "\n")
            sys.stdout.flush()
            plan = LoadPlan(
                rate=options.rate,
                closing=options.closing,
                parties=options.parties,
                receiver=options.receiver,
                prefix=options.prefix,
                lasts=options.lasts,
            )
            task = LoadGenerator(client, ledger, plan, draws=draws)
            ending = asyncio.create_task(_forward(over, task.stop))
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, _stop, task.stop, over)
            await task.run(options.count)
            sys.stdout.write(json.dumps({"asked": task.requested}) + "\n")
            sys.stdout.flush()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), options.linger)
            ending.cancel()
    return 0


async def _forward(over: asyncio.Event, stop: asyncio.Event) -> None:
    await over.wait()
    stop.set()


def _stop(stop: asyncio.Event, over: asyncio.Event) -> None:
    (over if stop.is_set() else stop).set()


@asynccontextmanager
async def serve_callbacks(receiver: CallbackReceiver, *, port: int = 0) -> AsyncIterator[str]:
    """Serves a receiver on a port of its own; yields its address."""
    connections: set[Connection] = set()
    with socket.create_server(("127.0.0.1", port)) as listener:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(receiver.respond, connections), sock=listener, backlog=512
        )
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        finally:
            server.close()
            for connection in tuple(connections):
                connection.abandon()
            await asyncio.sleep(0)


def _register_receiver(options: argparse.Namespace, address: str) -> str:
    # In a real court a person does this.  The demo's sign-on server issues an administrator's token on this machine.
    who = httpx.post(f"{options.sign_on}/_control/token", json={"user": "admin"}, trust_env=False).raise_for_status()
    headers = {"Authorization": f"Bearer {who.json()['access_token']}"}
    receiver = f"{options.hub}/v1/callbacks/receivers/{options.receiver}"
    body: dict[str, Any] = {"client": CLIENT, "url": address, "internal": True, "preferred": True}
    with httpx.Client(headers=headers, trust_env=False, timeout=30) as http:
        made = http.put(receiver, json=body).raise_for_status().json()
        if not made.get("secret"):
            made = http.post(f"{receiver}/secret").raise_for_status().json()
    secret: str = made["secret"]
    return secret
