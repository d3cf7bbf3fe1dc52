"""
A route: how one capability of one agency is reached, as agencies.toml says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar

import httpx
from pydantic import Field

from adapters.config_file import ConfigTable, Integer, matches
from adapters.errors import UnsupportedLookup
from adapters.wire import decode
from schemas.codes import Reason

# An answer is about one subject.  Reading its rows is work on the event loop, and no party has so many.
MOST_ROWS = 200

IssuedText = Annotated[str, matches(r"[!-~]{1,256}", "write it exactly as the agency issued it")]
UrlPath = Annotated[str, matches(r"/[!-~]*", "write a path that begins with a slash")]
Matters = Annotated[Mapping[str, str], Field(min_length=1)]
"""Kind of matter to its registered code (权力事项); `*` stands for every kind that is not listed."""


class RouteOptions(ConfigTable):
    """
    What a family asks for.  Of every family: `charset` (in which the agency writes, never guessed) and `most_rows`
    (more in one answer are unreadable).
    """

    charset: Literal["utf-8", "gb18030"] = decode.UTF_8
    most_rows: Annotated[Integer, Field(ge=0, le=50 * MOST_ROWS)] = MOST_ROWS


class RouteCredentials(ConfigTable, extra="ignore"):
    """A table of credentials.toml, which other routes may use as well.  `repr` does not show them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


O = TypeVar("O", bound=RouteOptions)  # noqa: E741 - options
C = TypeVar("C", bound=RouteCredentials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[O, C]):
    """
    One table `[agency.capability]` of agencies.toml with its table of credentials.toml.

    `address` is the agency's base address, `parameters` spells our terms (`id_number`, `name`) in the agency's names,
    `options` belong to the family.  `timeout` is in seconds an attempt.  With `trace` the agency is told of our trace.
    """

    agency: str
    capability: str
    family: str
    address: str = field(repr=False)
    path: str
    parameters: Mapping[str, str]
    options: O
    credentials: C = field(repr=False)
    timeout: float = 4.0
    trace: bool = False

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

    def in_agency_terms(self, terms: Mapping[str, str]) -> dict[str, str]:
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


AnyRoute = Route[Any, Any]
