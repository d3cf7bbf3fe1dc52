"""
Settings of one hub process, from the environment (`SHUNIU_…`) and nowhere else.

Secrets are never settings: a setting names the owner-only file that holds them.
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """
    What a hub must be told.  Every field has a heading in docs/settings.md.
    """

    model_config = SettingsConfigDict(env_prefix="SHUNIU_", extra="forbid")

    folder: Path = Path("var/hub")
    """Folder of this installation's own state: embedded database, keys."""

    database_url: str | None = None
    """PostgreSQL as the application role; without it the bundled server is started inside `folder`."""

    owner_url: str | None = None
    """PostgreSQL as the owner of the tables, for `shuniu database migrate` only."""

    agencies: Path = Path("agencies.toml")
    """Where each agency is and how it is asked."""

    credentials: Path = Path("credentials.toml")
    """The agencies' credentials; must be readable by its owner alone."""

    keys: Path | None = None
    """Folder of the hub's own keys (default: `folder`/keys); must be readable by its owner alone."""

    origin: str = "shuniu.example/audit/1"
    """Name of this hub's audit log: a schema-less URL that no other log has."""

    sign_on_issuer: str = "http://127.0.0.1:9000"
    """Issuer of the court's sign-on server (OpenID Connect)."""

    audience: str = "shuniu"
    """The `aud` that a token for this hub must carry."""

    host: str = "127.0.0.1"
    port: int = 8080

    deadline: float = Field(default=10.0, gt=0, le=30)
    """Seconds until a lookup answers, with whatever it has."""

    database_timeout: float = Field(default=2.0, gt=0, le=30)
    """Seconds for one database transaction before the hub answers 503."""

    database_connections: int = Field(default=8, ge=1, le=64)

    in_flight: int = Field(default=512, ge=1)
    """Lookups at once in this process; beyond it 503 with Retry-After."""

    @property
    def key_folder(self) -> Path:
        """Where the hub's own keys are."""
        return self.keys or self.folder / "keys"
