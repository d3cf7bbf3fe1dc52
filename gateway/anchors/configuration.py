"""
anchors.toml: who anchors this court's log, and whose logs this court cosigns.

    limit_hours, every_minutes, delivery_folder
    [[timestamp]]     name, url, ca_file, tls_roots        an RFC 3161 authority
    [[witness]]       name, url, vkey, tls_roots           a neighbour that cosigns our checkpoints
    [[neighbour]]     origin, vkey                         a log that we cosign
"""

import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_pem_x509_certificates
from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo

from adapters.config_file import (
    ConfigTable,
    Number,
    PathBeside,
    Text,
    beside,
    broken_rule,
    broken_rules,
    matches,
    read_config,
)
from audit.format.checkpoint import WitnessKey
from audit.format.event import is_fit_for_clear
from audit.format.note import NoteError, VerifierKey

T = TypeVar("T")


def _public(name: str) -> str:
    if is_fit_for_clear(name):
        return name
    raise broken_rule("is no name for a record that everyone may read", _SHORT)


def _server_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.username):
            return url
    except ValueError:
        pass
    raise broken_rule("is no address of a server", 'write url = "https://<host>/<path>"')


def _certificates(path: Any, info: ValidationInfo) -> tuple[Certificate, ...]:
    try:
        return tuple(load_pem_x509_certificates(beside(path, info).read_bytes()))
    except (OSError, ValueError, AttributeError):
        pass
    raise broken_rule("holds no certificate", "name the PEM file of the authority's root")


def _tls(path: Any, info: ValidationInfo) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=beside(path, info))
    except (OSError, TypeError):
        pass
    raise broken_rule("holds no certificate", "name the PEM file of the server's root")


def _witness_key(vkey: Any) -> WitnessKey:
    try:
        return WitnessKey.parse(vkey)
    except (NoteError, AttributeError):
        pass
    raise broken_rule("is not a cosignature key, as the witness prints it", _VKEY)


def _verifier_key(vkey: Any) -> VerifierKey:
    try:
        return VerifierKey.parse(vkey)
    except (NoteError, AttributeError):
        pass
    raise broken_rule("is not the log's public key", _VKEY)


def _existing(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    raise broken_rule("is not a folder", "make the folder, or remove the line")


def _unique(**keys: str) -> AfterValidator:
    """The rule that tables differ in these fields, which have these keys in the file."""

    def check(tables: Sequence[T]) -> Sequence[T]:
        mistakes = [
            ((number, key), "stands twice", "give each table its own")
            for field, key in keys.items()
            for number, table in enumerate(tables)
            if getattr(table, field) in [getattr(earlier, field) for earlier in tables[:number]]
        ]
        if mistakes:
            raise broken_rules(mistakes)
        return tables

    return AfterValidator(check)


_SHORT: Final = "use up to 40 small letters, digits, dots and hyphens"
_VKEY: Final = 'write vkey = "<name>+<8 hex digits>+<base64>"'
# Stands in records, in file names and in health.
_Name = Annotated[str, matches(r"[a-z][a-z0-9.-]{0,39}", _SHORT), AfterValidator(_public)]
# Without a file the roots of the system.
_Tls = Annotated[ssl.SSLContext, PlainValidator(_tls), Field(alias="tls_roots", default=None, validate_default=True)]


class TimestampAuthorityConfig(ConfigTable):
    """An authority that stamps: where it is, and the roots that its replies must lead to."""

    name: _Name
    url: Annotated[str, AfterValidator(_server_url)]
    roots: Annotated[tuple[Certificate, ...], PlainValidator(_certificates), Field(alias="ca_file")]
    tls: _Tls


class WitnessConfig(ConfigTable):
    """A neighbour's witness: its submission prefix and its key."""

    name: _Name
    url: Annotated[str, AfterValidator(_server_url), AfterValidator(lambda url: url.rstrip("/"))]
    key: Annotated[WitnessKey, PlainValidator(_witness_key), Field(alias="vkey")]
    tls: _Tls


class NeighbourConfig(ConfigTable):
    """A log that this court cosigns."""

    origin: Text
    key: Annotated[VerifierKey, PlainValidator(_verifier_key), Field(alias="vkey")]


class AnchorSettings(ConfigTable):
    """Everything that anchors.toml says.  Without the file there are no anchors, and nothing is late."""

    timestampers: Annotated[tuple[TimestampAuthorityConfig, ...], _unique(name="name"), Field(alias="timestamp")] = ()
    witnesses: Annotated[tuple[WitnessConfig, ...], _unique(name="name", key="vkey"), Field(alias="witness")] = ()
    neighbour: Annotated[tuple[NeighbourConfig, ...], _unique(origin="origin")] = ()
    delivery_folder: Annotated[PathBeside, AfterValidator(_existing)] | None = None
    limit_hours: Annotated[Number, Field(gt=0, le=8760)] = 4
    every_minutes: Annotated[Number, Field(gt=0, le=8760)] = 5

    @property
    def neighbours(self) -> Mapping[str, VerifierKey]:
        """The keys of the logs that this court cosigns, by origin."""
        return {neighbour.origin: neighbour.key for neighbour in self.neighbour}

    @property
    def limit(self) -> timedelta:
        """After so long without an anchor health says `late`."""
        return timedelta(hours=self.limit_hours)

    @property
    def every(self) -> timedelta:
        """A grown log is anchored at most so often."""
        return timedelta(minutes=self.every_minutes)


def read_anchors(path: Path | None) -> AnchorSettings:
    """
    The anchors of this installation.  Raises `ConfigurationError`.
    """
    if path is None:
        return AnchorSettings()
    return read_config(path, AnchorSettings, fix="copy config/anchors.example.toml, or unset SHUNIU_ANCHORS")
