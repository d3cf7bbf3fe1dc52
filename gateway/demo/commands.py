"""
The commands of `shuniu` that know the demo: `serve` (with `--demo`), `demo` and `token`.
"""

import sys
from contextlib import ExitStack, closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

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
        if demo:
            outside = stack.enter_context(world.started())
            settings = world.settings_of(outside, DEMO_FOLDER, port=8080)
            if not settings.key_folder.exists():
                create_keys(settings)
        else:
            settings = Settings()
        if settings.database_url is None:
            settings = stack.enter_context(bundled_database(settings, create=demo))
        if demo:
            tree.settle(settings)
        listener = stack.enter_context(bind(settings.host, settings.port if port is None else port))
        tls = tls_context(settings)
        address = f"{'http' if tls is None else 'https'}://{settings.host}:{listener.getsockname()[1]}"
        lines = stack.enter_context(closing(logs.set_up(settings.log_format, settings.log_level)))

        def tell() -> None:
            announce("serving", f"Shuniu serves at {address} (its API: {address}/docs)", lines)
            if demo:
                _tell_demo(address, settings)
            tell_ready()

        HubServer(settings, tls).serve_at(listener, when_ready=tell)


def _tell_demo(address: str, settings: Settings) -> None:
    say.print(f"Sign-on server: {settings.sign_on_issuer}", markup=False)
    say.print(f"In a browser: {address}/ (li.ting is a clerk, chen.jing an auditor)", markup=False)
    say.print(
        "In another terminal:\n"
        f"  export SHUNIU_HUB={address} SHUNIU_ISSUER={settings.sign_on_issuer} SHUNIU_AGENCIES={settings.agencies}\n"
        "  export SHUNIU_TOKEN=$(shuniu token li.ting)\n"
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
    outside = world.World(addresses={}, issuer=issuer)
    sys.stdout.write(outside.token(**{"client" if client_token else "user": user}) + "\n")
