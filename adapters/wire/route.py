"""
A route: how one capability of one agency is reached, as agencies.toml says it, checked before the hub starts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from adapters.errors import ConfigurationError, UnsupportedLookup
from schemas.codes import Reason

_PATH: Final = re.compile(r"/[!-~]*")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One table `[agency.capability]` of agencies.toml with its table of credentials.toml.

    `address` is the agency's base address, `parameters` spells our terms (`id_number`, `name`) in the agency's names,
    `options` belong to the family.  `timeout` is in seconds an attempt.  With `trace` the agency is told of our trace.
    `credentials` are secret: `repr` does not show them.

    Raises `ConfigurationError`.
    """

    agency: str
    capability: str
    family: str
    address: str = field(repr=False)
    path: str
    parameters: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials_table: str = ""
    timeout: float = 4.0
    plain_http: bool = False
    trace: bool = False
    file: str = "agencies.toml"
    credentials_file: str = "credentials.toml"

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise self.wrong("address", "is not an http or https address", 'write address = "https://<host>:<port>"')
        if parts.query or parts.fragment or parts.username or parts.path.endswith("/"):
            raise self.wrong(
                "address", "holds more than scheme, host, port and path", "leave out user, query and final slash"
            )
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not self.plain_http:
            raise self.wrong(
                "address",
                "is not encrypted",
                "write an https address, or plain_http = true in the agency's table if the network itself is closed",
            )
        if not _PATH.fullmatch(self.path):
            raise self.wrong("path", "does not start with a slash", 'write path = "/…"')
        if not 0.1 <= self.timeout <= 30:
            raise self.wrong("timeout", "is not between 0.1 and 30 seconds", "write timeout = 4.0")
        if not self.parameters:
            raise self.wrong("parameters", "spells no term", 'write id_number = "…" as the agency calls it')

    @property
    def name(self) -> str:
        """The table of agencies.toml that this route is."""
        return f"{self.agency}.{self.capability}"

    @property
    def encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.address.startswith("https:")

    def url(self, path: str | None = None) -> httpx.URL:
        """The address of this route, or of another path at the same agency; never with a query."""
        return httpx.URL(self.address + (self.path if path is None else path))

    def spelled(self, terms: Mapping[str, str]) -> dict[str, str]:
        """
        The terms in the agency's names.  A name that the route has no place for is not sent; any other term without
        a place raises `UnsupportedLookup`, and so does a question by nothing but a name: that would be browsing.
        """
        spelled = {}
        for term, value in terms.items():
            theirs = self.parameters.get(term)
            if theirs is not None:
                spelled[theirs] = value
            elif term != "name":
                raise UnsupportedLookup(Reason.NOT_CONFIGURED)
        if not any(value for term, value in terms.items() if term != "name"):
            raise UnsupportedLookup(Reason.NOT_EXPRESSIBLE)
        return spelled

    def secret(self, key: str, form: str = r"[!-~]{1,256}") -> str:
        """One credential, of the given form.  Raises `ConfigurationError`, which does not hold it."""
        value = self.credentials.get(key)
        if isinstance(value, str) and re.fullmatch(form, value):
            return value
        rule = "is missing" if value is None else "has not the agreed form"
        raise ConfigurationError(
            f"{self.credentials_file}: [{self.credentials_table}] {key}: {rule}, and {self.name} needs it; "
            f'fix: write {key} = "…" exactly as the agency issued it'
        )

    def wrong(self, key: str, rule: str, fix: str) -> ConfigurationError:
        """The error to raise about one key of this route."""
        return ConfigurationError(f"{self.file}: [{self.name}] {key}: {rule}; fix: {fix}")


class Options:
    """
    Reads a family's options and then reports what nobody read: a misspelt option must not be silently ignored.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._left = dict(route.options)

    def text(self, key: str, default: str | None = None, *, form: str = r".*", example: str = "…") -> str:
        """A text of the given form; without `default` it must be there."""
        value = self._left.pop(key, default)
        if value is None:
            raise self._wrong(key, "is missing", f'write {key} = "{example}"')
        if not isinstance(value, str) or not re.fullmatch(form, value):
            raise self._wrong(key, "has not the agreed form", f'write {key} = "{example}"')
        return value

    def choice(self, key: str, default: str, choices: Sequence[str]) -> str:
        """One of a closed list."""
        value = self._left.pop(key, default)
        if value not in choices:
            raise self._wrong(key, "is none of the choices", f"write one of {', '.join(choices)}")
        return str(value)

    def choices(self, key: str, default: Sequence[str], choices: Sequence[str]) -> frozenset[str]:
        """Some of a closed list."""
        values = self._texts(key, default)
        if not set(values) <= set(choices):
            raise self._wrong(key, "holds more than the choices", f"choose from {', '.join(choices)}")
        return frozenset(values)

    def texts(self, key: str, default: Sequence[str] | None = None, *, form: str = r".+") -> tuple[str, ...]:
        """A list of texts of the given form; without `default` it must be there and not empty."""
        values = self._texts(key, default)
        if not all(re.fullmatch(form, value) for value in values) or (default is None and not values):
            raise self._wrong(key, "has not the agreed form", f'write {key} = ["…", "…"]')
        return tuple(values)

    def whole(self, key: str, default: int, highest: int) -> int:
        """A whole number from 0 to `highest`."""
        value = self._left.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= highest:
            raise self._wrong(key, f"is not a whole number from 0 to {highest}", f"write {key} = {default}")
        return value

    def table(self, key: str, keys: Sequence[str] | None = None, *, form: str = r".+") -> Mapping[str, str]:
        """A table of texts of the given form; with `keys`, exactly these."""
        value = self._left.pop(key, None)
        if not isinstance(value, dict) or not value or not all(isinstance(text, str) for text in value.values()):
            raise self._wrong(key, "is not a table of texts", f"write [{self._route.name}.options.{key}]")
        if keys is not None and set(value) != set(keys):
            raise self._wrong(key, "has other keys than agreed", f"write exactly {', '.join(keys)}")
        if not all(re.fullmatch(form, text) for text in value.values()):
            raise self._wrong(key, "holds a text that has not the agreed form", "remove control characters")
        return value

    def done(self) -> None:
        """Raises `ConfigurationError` if an option is left that nobody read."""
        for key in sorted(self._left):
            raise self._wrong(key, f"is no option of family {self._route.family}", "correct its spelling or remove it")

    def _texts(self, key: str, default: Sequence[str] | None) -> list[str]:
        value = self._left.pop(key, default)
        if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
            raise self._wrong(key, "is not a list of texts", f'write {key} = ["…"]')
        return list(value)

    def _wrong(self, key: str, rule: str, fix: str) -> ConfigurationError:
        return self._route.wrong(f"options.{key}", rule, fix)
