"""
`shuniu init` and `shuniu database`: a new installation, and its database brought to this version.
"""

from typing import Annotated

import typer

from gateway.cli.console import Exit, fail, say
from gateway.provisioning import APPLICATION_ROLE, bundled_database, create_keys, create_tables
from gateway.settings import Settings

database_app = typer.Typer(no_args_is_help=True, help="The hub's database.")


def init() -> None:
    """
    Make a new installation in SHUNIU_FOLDER: keys, bundled database, empty log.

    Example: SHUNIU_FOLDER=/srv/shuniu shuniu init
    """
    settings = Settings()
    folder = create_keys(settings)
    say.print(f"Keys made in {folder}. Back them up apart from the database.", markup=False)
    if settings.database_url is None:
        with bundled_database(settings, create=True):
            say.print(f"Database made in {settings.folder}.", markup=False)


@database_app.command("migrate")
def database_migrate(
    application: Annotated[str, typer.Option(help="login role of the hub")] = APPLICATION_ROLE,
) -> None:
    """
    Bring the database of SHUNIU_OWNER_URL to this version; safe to repeat.

    Example: SHUNIU_OWNER_URL=postgresql+psycopg://owner@db/shuniu shuniu database migrate
    """
    settings = Settings()
    if not settings.owner_url:
        fail("Set SHUNIU_OWNER_URL to the database as the owner of its tables.", Exit.USAGE)
    create_tables(settings.owner_url, origin=settings.origin, application=application, schema=settings.audit_schema)
    say.print("The database is at the newest version.", markup=False)
