"""
Whom an agency's connections trust, and as whom we present ourselves, from files named in the configuration.
"""

from dataclasses import dataclass
from pathlib import Path

from pyreqwest.client import ClientBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """
    PEM files: `roots` beside those of the system, and our client `identity` (certificate and key).
    """

    roots: Path | None = None
    identity: Path | None = None

    def applied_to(self, builder: ClientBuilder) -> ClientBuilder:
        """The builder with these files read into it.  Raises `OSError`, or `ValueError` of the engine."""
        if self.roots:
            builder = builder.add_root_certificate_pem(self.roots.read_bytes())
        if self.identity:
            builder = builder.identity_pem(self.identity.read_bytes())
        return builder
