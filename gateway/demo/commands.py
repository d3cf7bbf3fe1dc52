"""
The commands of `shuniu` that know the demo: `serve` (with `--demo`), `demo` and `token`.
"""

import errno
import shlex
import socket
import sys
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import typer

from gateway.application import HubServer
from gateway.cli.console import Exit, announce, as_document, fail, say
from gateway.cli.options import Json
from gateway.cli.systemd import tell_ready
from gateway.demo import tour, tree, world
from gateway.provisioning import bundled_database, create_keys
from gateway.server import bind
from gateway.settings import Settings
from gateway.sign_on.mtls import tls_context
from gateway.telemetry import logs

DEMO_FOLDER = Path("var/demo")


def serve(
    *,
    demo: Annotated[bool, typer.Option("--demo", help="bring mock agencies and sign-on along")] = False,
    port: Annotated[int | None, typer.Option(help="port to listen on")] = None,
) -> None:
    """
    Serve the hub over HTTP until Ctrl-C or SIGTERM; what is in flight is answered first.

    Example: shuniu serve --demo
    """
    with ExitStack() as stack:
        settings = Settings()
        listener = stack.enter_context(_listen(settings.host, settings.port if port is None else port))
        if demo:
            outside = stack.enter_context(world.started())
            settings = world.settings_of(outside, DEMO_FOLDER)
            if not settings.key_folder.exists():
                create_keys(settings)
        if settings.database_url is None:
            settings = stack.enter_context(bundled_database(settings, create=demo))
        if demo:
            tree.settle(settings)
        tls = tls_context(settings)
        address = f"{'http' if tls is None else 'https'}://{settings.host}:{listener.getsockname()[1]}"
        lines = stack.enter_context(closing(logs.set_up(settings.log_format, settings.log_level)))

        def announce_ready() -> None:
            announce("serving", f"Shuniu serves at {address} (its API: {address}/docs)", lines)
            if demo:
                _print_next_commands(address, settings)
            tell_ready()

        HubServer(settings, tls).serve_at(listener, when_ready=announce_ready)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, or a sentence that says why there is none."""
    try:
        return bind(host, port)
    except OSError as error:
        failure = error
    if failure.errno == errno.EADDRINUSE:
        fail(f"Port {port} is taken, perhaps by another hub. Stop that, or take another: --port or SHUNIU_PORT.")
    return fail(
        f"The hub cannot listen at {host}:{port} ({failure.strerror}). See SHUNIU_HOST, SHUNIU_PORT and --port."
    )


def _print_next_commands(address: str, settings: Settings) -> None:
    variables = {
        "SHUNIU_HUB": address,
        "SHUNIU_ISSUER": settings.sign_on_issuer,
        "SHUNIU_SIGN_ON_ISSUER": settings.sign_on_issuer,
        "SHUNIU_FOLDER": settings.folder.resolve(),
        "SHUNIU_ORIGIN": settings.origin,
        "SHUNIU_AGENCIES": settings.agencies.resolve(),
        "SHUNIU_CREDENTIALS": settings.credentials.resolve(),
    }
    say.print(f"Sign-on server: {settings.sign_on_issuer}", markup=False)
    say.print(f"In a browser: {address}/ (li.ting is a clerk, chen.jing an auditor)", markup=False)
    say.print(
        "In another terminal:\n"
        + "".join(f"  export {name}={shlex.quote(str(value))}\n" for name, value in variables.items())
        + "  export SHUNIU_TOKEN=$(shuniu token li.ting)\n"
        "  shuniu agencies list",
        markup=False,
    )


def demo(*, json_output: Json = False) -> None:
    """
    Show the main job: a clerk gets answers from three agencies, and the log shows every one.

    Example: shuniu demo
    """
    story = tour.run()
    if json_output:
        as_document(asdict(story))


def token(
    user: Annotated[str, typer.Argument(help="a synthetic member of staff, or a client with --client")],
    *,
    client_token: Annotated[bool, typer.Option("--client", help="for a service client")] = False,
    issuer: Annotated[str, typer.Option(envvar="SHUNIU_ISSUER", help="the demo's sign-on server")] = "",
) -> None:
    """
    Print an access token of the demo's sign-on server (demo only).

    Example: export SHUNIU_TOKEN=$(shuniu token li.ting)
    """
    if not issuer:
        fail("Name the demo's sign-on server: set SHUNIU_ISSUER as `shuniu serve --demo` prints it.", Exit.USAGE)
    kind = "client" if client_token else "user"
    access_token = status = None
    try:
        access_token = world.World(addresses={}, issuer=issuer).token(**{kind: user})
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        pass
    if status == httpx.codes.BAD_REQUEST:
        known = tour.TICKETS if client_token else ", ".join(tree.users())
        fail(f"The sign-on server knows no {kind} {user}. It knows: {known}.", Exit.NOT_FOUND)
    if access_token is None:
        fail(
            f"No sign-on server of the demo answers at {issuer}. Start one (shuniu serve --demo) and set SHUNIU_ISSUER "
            "as it prints."
        )
    sys.stdout.write(access_token + "\n")
