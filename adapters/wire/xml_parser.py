"""
Foreign XML is parsed where its names are forgotten.

The parser keeps every name that it meets (elements, attributes, namespaces) for as long as its thread lives: 25 MB of
answers with ever new names left 38 MB behind.  So what brings new markup is parsed in a thread that ends with it.  Most
answers bring none: what they are made of is remembered, up to a bound, and they are parsed on the spot.
"""

import re
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from lxml import etree

T = TypeVar("T")

# The longest document whose markup is compared with what is remembered.
_LONGEST: Final = 65_536
# So many pieces of markup are remembered, none longer than this: half a megabyte at most.
_PIECES: Final = 4_096
_PIECE: Final = 128

_HARDENED: Final[dict[str, Any]] = {
    # The bytes were checked to be UTF-8: a declaration that says otherwise must not be believed.
    "encoding": "utf-8",
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
    "recover": False,
}

# A reference to an entity that XML does not know by itself: its name may stand in a text.
_ENTITY: Final = re.compile(rb"&(?!lt;|gt;|amp;|quot;|apos;|#)")

_remembered: set[bytes] = set()


def hardened_parser() -> etree.XMLParser:
    """A parser for one foreign document.  It has state; its making costs a twentieth of the smallest parse."""
    return etree.XMLParser(**_HARDENED)


def parse(body: bytes) -> etree._Element | None:
    """The root of a document in UTF-8; None if it is not XML."""
    if len(body) > _LONGEST:
        return run_in_thread(lambda: _parsed(body))
    # From each `<` to the last `>` before the next: the tag, and more only where a text or a value holds a `>`.
    pieces = {chunk.rpartition(b">")[0] for chunk in body.split(b"<")}
    if pieces <= _remembered and not _ENTITY.search(body):
        return _parsed(body)
    root = run_in_thread(lambda: _parsed(body))
    if root is not None and len(_remembered) + len(pieces) <= _PIECES and max(map(len, pieces)) <= _PIECE:
        _remembered.update(pieces)
    return root


def run_in_thread(work: Callable[[], T]) -> T | None:
    """What `work` returns in a thread of its own, which takes with it all names that were met; None if it raises."""
    results: list[T] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception:  # noqa: BLE001 - a parser's errors quote what it read: none leaves this thread
            return

    thread = threading.Thread(target=run, name="foreign XML", daemon=True)
    thread.start()
    thread.join()
    return results[0] if results else None


def _parsed(body: bytes) -> etree._Element | None:
    try:
        return etree.fromstring(body, hardened_parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
