"""
Whom an agency's connections trust, and as whom we present ourselves, from files named in the configuration.

    [agency.tls]
    roots = "tls/government-roots.pem"      the only authorities that are trusted
    system_roots = true                     the system's roots as well; without `roots` they are trusted anyway
    identity = "tls/court-identity.pem"     our certificate with its key, chmod 600

Revocation lists are not looked at: the engine has no way to give it one for chosen roots only.
"""

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from cryptography.x509 import load_pem_x509_certificates
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from pyreqwest.client import Client, ClientBuilder

from adapters.config_file import Flag, PathBeside, broken_rule, privacy_violation

# An authority of a government network takes weeks to issue the next certificate.
WARN_DAYS: Final = 30

_FILES: Final = ("roots", "identity")
# Where the engine finds the system's roots when a client is built; it looks nowhere else if one of them is set.
_PLACES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_building: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Expiry:
    """
    Until when the certificates of one file (`roots` or `identity`) serve: the next to end, or the last one that did.
    """

    file: str
    expires_at: datetime


def _unusable() -> PydanticCustomError:
    return broken_rule("holds no usable certificate", "write the path of a PEM file")


def _usable_roots(file: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except (OSError, ValueError):
        # The engine would take a file without any certificate for one that adds no authority.
        raise _unusable() from None
    return file


def _usable_identity(file: Path) -> Path:
    if violation := privacy_violation(file):
        raise broken_rule(*violation)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file)
    except (OSError, ValueError):
        raise _unusable() from None
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    PEM files: `roots`, which alone are trusted unless `system_roots`, and our client `identity` (certificate and key).
    """

    roots: Annotated[PathBeside, AfterValidator(_usable_roots)] | None = None
    identity: Annotated[PathBeside, AfterValidator(_usable_identity)] | None = None
    system_roots: Flag = False

    def build_client(self, builder: ClientBuilder) -> Client:
        """A client that trusts and presents what these files say.  Raises `OSError`, or `ValueError` of the engine."""
        if self.identity:
            builder = builder.identity_pem(self.identity.read_bytes())
        if self.roots is None:
            return builder.build()
        if self.system_roots:
            return builder.add_root_certificate_pem(self.roots.read_bytes()).build()
        # The engine can add roots and not leave out the system's.  It reads those when it builds, so for that moment
        # ours stand in their place.  Should it ever read them later, ours would be missing and no server be trusted.
        with _system_roots(self.roots):
            return builder.build()

    def expiries(self) -> tuple[Expiry, ...]:
        """How long each file serves."""
        return tuple(Expiry(name, _next_end(file)) for name in _FILES if (file := getattr(self, name)) is not None)


@contextmanager
def _system_roots(file: Path) -> Iterator[None]:
    with _building:
        before = {name: os.environ.pop(name, None) for name in _PLACES}
        os.environ["SSL_CERT_FILE"] = str(file)
        try:
            yield
        finally:
            del os.environ["SSL_CERT_FILE"]
            os.environ.update({name: value for name, value in before.items() if value is not None})


def _next_end(file: Path) -> datetime:
    ends = sorted(one.not_valid_after_utc for one in load_pem_x509_certificates(file.read_bytes()))
    now = datetime.now(UTC)
    return next((end for end in ends if end > now), ends[-1])
