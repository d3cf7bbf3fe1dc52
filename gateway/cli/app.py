"""
The top of the command line: `--version`, the help, and one sentence for an error that a command did not catch.
"""

import platform
import sys
from importlib.metadata import version
from typing import Annotated, Final

import typer

from gateway.cli.console import Exit, say
from gateway.cli.lazy_commands import lazy_app

SUMMARY: Final = "The data-exchange gateway of a court."
EPILOG: Final = "\n\n".join(
    (
        "Exit codes: " + ", ".join(f"{code.value} {code.label}" for code in Exit) + ".",
        "Environment: SHUNIU_HUB address of the hub, SHUNIU_TOKEN access token, SHUNIU_ISSUER sign-on of the demo. "
        "Commands on the hub's own machine read SHUNIU_FOLDER, SHUNIU_ORIGIN, SHUNIU_DATABASE_URL and the other "
        "settings of docs/settings.md. `serve --demo` prints the variables to set.",
    )
)


def make_app(panels: dict[str, dict[str, tuple[str, str]]]) -> typer.Typer:
    """The command line with these commands; see `lazy_app`."""
    app = lazy_app(panels, no_args_is_help=True, pretty_exceptions_enable=False, help=SUMMARY, epilog=EPILOG)
    app.callback()(options)
    return app


def run(app: typer.Typer) -> None:
    """Runs the command line; an expected error is one sentence and exit code 1, anything else a traceback."""
    try:
        app()
    except Exception as error:
        # Known errors come from the libraries that commands load.
        from gateway.cli.failures import explain  # noqa: PLC0415

        sentence = explain(error)
        if sentence is None:
            raise
        say.print(sentence, style="bold red", markup=False)
    else:
        return
    sys.exit(Exit.FAILED)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"shuniu {version('shuniu')} (Python {platform.python_version()})")
        raise typer.Exit


def options(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The data-exchange gateway of a court."""
