"""
The history of the database, run by Alembic as the owner of the tables.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

HERE = Path(__file__).parent


def migrate(owner_url: str) -> None:
    """
    Brings the database to the newest version; safe to repeat, and one process at a time does it.
    """
    config = Config()
    config.set_main_option("script_location", str(HERE))
    engine = create_engine(owner_url, hide_parameters=True)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
