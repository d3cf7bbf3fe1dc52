"""
Settings of one hub process, from the environment (`SHUNIU_…`) and nowhere else.

Secrets are never settings: a setting names the owner-only file that holds them.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.errors import ConfigurationError


class Settings(BaseSettings):
    """
    The settings.  Every field has a heading in docs/settings.md.
    """

    model_config = SettingsConfigDict(env_prefix="SHUNIU_", extra="forbid")

    folder: Path = Path("var/hub")
    """Folder of this installation's own state: embedded database, keys."""

    database_url: str | None = None
    """PostgreSQL as the application role; without it the bundled server is started inside `folder`."""

    owner_url: str | None = None
    """PostgreSQL as the owner of the tables, for `shuniu database migrate` and `shuniu audit succeed` only."""

    eraser_url: str | None = None
    """PostgreSQL as a role that may erase, for `shuniu audit erase` and `shuniu audit purge` only."""

    agencies: Path = Path("agencies.toml")
    """Where each agency is and how it is asked."""

    credentials: Path = Path("credentials.toml")
    """The agencies' credentials; must be readable by its owner alone."""

    kinds: Path | None = None
    """How courts have narrowed kinds of work order; without it every court has the catalogue as it is."""

    anchors: Path | None = None
    """The external anchors of the audit log, and the logs that are cosigned here; without it there are none."""

    calendar: Path | None = None
    """The court's hours, holidays and worked weekends (TOML); without it Monday to Friday, 8 to 18 o'clock."""

    keys: Path | None = None
    """Folder of the hub's own keys (default: `folder`/keys); must be readable by its owner alone."""

    origin: str = "shuniu.example/audit/1"
    """Name of this hub's audit log: a schema-less URL that no other log has."""

    audit_schema: str = Field(default="audit", pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """Schema of this hub's audit log in the database."""

    sign_on_issuer: str = "http://127.0.0.1:9000"
    """Issuer of the court's sign-on server (OpenID Connect)."""

    audience: str = "shuniu"
    """The `aud` that a token for this hub must carry."""

    sign_on_client: str = "shuniu-pages"
    """The `client_id` under which people sign in here."""

    sign_on_client_key: Path | None = None
    """The private key (PEM) of that client; without it the hub is a public client.  Readable by its owner alone."""

    sign_on_acr: str = ""
    """The accepted classes of authentication (`acr`), the preferred one first, with spaces between; empty: any."""

    sign_on_max_age: int = Field(default=900, ge=0, le=86_400)
    """Seconds since a person authenticated, at most, when their session begins."""

    session_idle: int = Field(default=900, ge=60, le=86_400)
    """Seconds without a call after which a session is over."""

    session_absolute: int = Field(default=28_800, ge=60, le=86_400)
    """Seconds after which a session is over in any case."""

    session_bound_to_address: bool = True
    """Whether a session ends when it is used from another network address."""

    public_address: str | None = Field(
        default=None, pattern=r"^(https://[a-z0-9.:\[\]-]+|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]+)?)$"
    )
    """Where browsers find this hub (scheme, host, port); without it people can sign in on this machine only."""

    bound_clients: str = ""
    """The clients whose access tokens must be bound to a certificate, with spaces between."""

    tls_certificate: Path | None = None
    """The hub's certificate with its chain (PEM); without it the hub speaks plain HTTP, behind a proxy."""

    tls_key: Path | None = None
    """The certificate's private key (PEM); must be readable by its owner alone."""

    tls_client_ca: Path | None = None
    """Issuers of client certificates (PEM); with it the hub asks every client for a certificate."""

    host: str = "127.0.0.1"
    port: int = 8080

    deadline: float = Field(default=10.0, gt=0, le=30)
    """Seconds until a lookup answers, with whatever it has."""

    database_timeout: float = Field(default=2.0, gt=0, le=30)
    """Seconds for one database transaction before the hub answers 503."""

    database_connections: int = Field(default=8, ge=1, le=64)

    workers: int = Field(default=16, ge=0, le=256)
    """Forms that this process fills at once; 0 leaves them to other processes."""

    autofill_pause: float = Field(default=5.0, gt=0, le=3600)
    """Seconds until an agency that was not available is asked again for a form; doubled from time to time."""

    worker_silence: float = Field(default=15.0, ge=1, le=600)
    """Seconds without a sign of life after which another worker takes up what one was filling."""

    callback_senders: int = Field(default=32, ge=0, le=256)
    """Callbacks that this process sends at once; 0 leaves them to other processes."""

    in_flight: int = Field(default=512, ge=1)
    """Lookups at once in this process; beyond it 503 with Retry-After."""

    drain: float = Field(default=15.0, ge=0, le=120)
    """Seconds that a stopped hub gives to requests in flight; after that they are answered 503."""

    log_format: Literal["json", "text"] | None = None
    """How log lines are written to stderr; None: text for a terminal, JSON otherwise."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """From which level on the hub's own events are written; `warning` leaves out the line of every call."""

    metrics_token_file: Path | None = None
    """A file with the bearer token for /metrics (readable by its owner alone); without it, this machine only."""

    otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")
    """Receiver of traces (OTLP over HTTP, `http://collector:4318`); without it nothing is traced."""

    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of calls to trace, of those whose caller has not decided it already."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.sign_on_max_age > self.session_idle:
            raise ConfigurationError(
                "SHUNIU_SIGN_ON_MAX_AGE is larger than SHUNIU_SESSION_IDLE: a person whose session ran out could sign "
                "in again without authenticating; lower the one or raise the other"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigurationError("SHUNIU_TLS_CERTIFICATE and SHUNIU_TLS_KEY belong together: set both, or neither")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ConfigurationError("SHUNIU_TLS_CLIENT_CA needs SHUNIU_TLS_CERTIFICATE and SHUNIU_TLS_KEY")
        return self

    @property
    def key_folder(self) -> Path:
        """Where the hub's own keys are."""
        return self.keys or self.folder / "keys"
