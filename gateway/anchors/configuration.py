"""
Reads anchors.toml: who anchors this court's log, and whose logs this court cosigns.

    limit_hours, every_minutes, delivery_folder
    [[timestamp]]     name, url, ca_file, tls_roots        an RFC 3161 authority
    [[witness]]       name, url, vkey, tls_roots           a neighbour that cosigns our checkpoints
    [[neighbour]]     origin, vkey                         a log that we cosign
"""

import re
import ssl
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_pem_x509_certificates

from adapters.errors import ConfigurationError
from audit.format.checkpoint import WitnessKey
from audit.format.event import is_fit_for_clear
from audit.format.note import NoteError, VerifierKey

K = TypeVar("K")

_KEYS: Final = frozenset({"timestamp", "witness", "neighbour", "delivery_folder", "limit_hours", "every_minutes"})
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "timestamp": ("name", "url", "ca_file"),
    "witness": ("name", "url", "vkey"),
    "neighbour": ("origin", "vkey"),
}
_OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {"timestamp": ("tls_roots",), "witness": ("tls_roots",)}
_LINE: Final = re.compile(r"\(at (line \d+, column \d+|end of document)\)")
# Stands in records, in file names and in health.
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{0,39}")


@dataclass(frozen=True, slots=True)
class TimestampAuthorityConfig:
    """An authority that stamps: where it is, and the roots that its replies must lead to."""

    name: str
    url: str
    roots: tuple[Certificate, ...]
    tls: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class WitnessConfig:
    """A neighbour's witness: its submission prefix and its key."""

    name: str
    url: str
    key: WitnessKey
    tls: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class AnchorSettings:
    """Everything that anchors.toml says.  Without the file there are no anchors, and nothing is late."""

    timestampers: tuple[TimestampAuthorityConfig, ...] = ()
    witnesses: tuple[WitnessConfig, ...] = ()
    neighbours: Mapping[str, VerifierKey] = field(default_factory=dict)
    delivery_folder: Path | None = None
    limit: timedelta = timedelta(hours=4)
    every: timedelta = timedelta(minutes=5)


def read_anchors(path: Path | None) -> AnchorSettings:
    """
    The anchors of this installation.  Raises `ConfigurationError`, which names file, table, rule and fix.
    """
    if path is None:
        return AnchorSettings()
    return _AnchorFileReader(path).settings()


class _AnchorFileReader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._document = self._parsed()

    def settings(self) -> AnchorSettings:
        for key in self._document:
            if key not in _KEYS:
                raise self._wrong(key, "is no key of this file", "correct its spelling or remove it")
        neighbours = self._tables("neighbour")
        folder = self._document.get("delivery_folder")
        if folder is not None and not (isinstance(folder, str) and (self._path.parent / folder).is_dir()):
            raise self._wrong("delivery_folder", "is not a folder", "make the folder, or remove the line")
        settings = AnchorSettings(
            timestampers=tuple(
                TimestampAuthorityConfig(
                    self._name(table, at), self._url(table, at), self._roots(table, at), self._tls(table, at)
                )
                for at, table in self._tables("timestamp")
            ),
            witnesses=tuple(
                WitnessConfig(
                    self._name(table, at),
                    self._url(table, at).rstrip("/"),
                    self._vkey(table, at, WitnessKey.parse, "a cosignature key, as the witness prints it"),
                    self._tls(table, at),
                )
                for at, table in self._tables("witness")
            ),
            neighbours={
                self._text(table, at, "origin"): self._vkey(table, at, VerifierKey.parse, "the log's public key")
                for at, table in neighbours
            },
            delivery_folder=None if folder is None else self._path.parent / folder,
            limit=timedelta(hours=self._number("limit_hours", 4)),
            every=timedelta(minutes=self._number("every_minutes", 5)),
        )
        self._refuse_twice("timestamp", "name", [one.name for one in settings.timestampers])
        self._refuse_twice("witness", "name", [one.name for one in settings.witnesses])
        self._refuse_twice("witness", "vkey", [one.key.public for one in settings.witnesses])
        self._refuse_twice("neighbour", "origin", [table["origin"] for _, table in neighbours])
        return settings

    def _parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            rule, fix = "cannot be read as text", "copy config/anchors.example.toml, or unset SHUNIU_ANCHORS"
        except tomllib.TOMLDecodeError as error:
            place = _LINE.search(str(error))
            rule, fix = f"is not TOML{f' ({place[1]})' if place else ''}", "correct that line"
        raise self._wrong("the file", rule, fix)

    def _tables(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        tables = self._document.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            raise self._wrong(kind, "is not a list of tables", f"write [[{kind}]], with two brackets")
        named = [(f"[[{kind}]] number {number}", table) for number, table in enumerate(tables, 1)]
        for at, table in named:
            for key in _NEEDED[kind]:
                if key not in table:
                    raise self._wrong(f"{at} {key}", "is missing", f'write {key} = "…"')
            for key in table:
                if key not in (*_NEEDED[kind], *_OPTIONAL.get(kind, ())):
                    raise self._wrong(f"{at} {key}", "is no key of this table", "correct its spelling or remove it")
        return named

    def _text(self, table: dict[str, Any], at: str, key: str) -> str:
        value = table[key]
        if not isinstance(value, str) or not value:
            raise self._wrong(f"{at} {key}", "is not a text", f'write {key} = "…"')
        return value

    def _name(self, table: dict[str, Any], at: str) -> str:
        name = self._text(table, at, "name")
        if not _NAME.fullmatch(name) or not is_fit_for_clear(name):
            raise self._wrong(f"{at} name", "is no short name", "use up to 40 small letters, digits, dots and hyphens")
        return name

    def _url(self, table: dict[str, Any], at: str) -> str:
        url = self._text(table, at, "url")
        try:
            parts = urlsplit(url)
            right = parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.username)
        except ValueError:
            right = False
        if not right:
            raise self._wrong(f"{at} url", "is no address of a server", 'write url = "https://<host>/<path>"')
        return url

    def _vkey(self, table: dict[str, Any], at: str, parse: Callable[[str], K], what: str) -> K:
        try:
            return parse(self._text(table, at, "vkey"))
        except NoteError:
            pass
        raise self._wrong(f"{at} vkey", f"is not {what}", 'write vkey = "<name>+<8 hex digits>+<base64>"')

    def _roots(self, table: dict[str, Any], at: str) -> tuple[Certificate, ...]:
        try:
            return tuple(load_pem_x509_certificates((self._path.parent / table["ca_file"]).read_bytes()))
        except (OSError, ValueError, TypeError):
            pass
        raise self._wrong(f"{at} ca_file", "holds no certificate", "name the PEM file of the authority's root")

    def _tls(self, table: dict[str, Any], at: str) -> ssl.SSLContext:
        try:
            roots = table.get("tls_roots")
            return ssl.create_default_context(cafile=None if roots is None else self._path.parent / roots)
        except (OSError, TypeError):
            pass
        raise self._wrong(f"{at} tls_roots", "holds no certificate", "name the PEM file of the server's root")

    def _number(self, key: str, default: float) -> float:
        value = self._document.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 8760:
            raise self._wrong(key, "is not a number above 0", f"write {key} = {default}")
        return float(value)

    def _refuse_twice(self, kind: str, key: str, values: Sequence[object]) -> None:
        if len(set(values)) != len(values):
            raise self._wrong(f"[[{kind}]] {key}", "stands twice", "give each table its own")

    def _wrong(self, key: str, rule: str, fix: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path}: {key}: {rule}; fix: {fix}")
