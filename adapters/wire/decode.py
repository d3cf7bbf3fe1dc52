"""
Strict reading of foreign bytes: JSON, XML and text either mean one thing or raise `AnswerUnreadable`.

Bytes are UTF-8 or nothing, whatever a label says.  JSON has no NaN, no duplicate name, no lone surrogate; XML has no
document type and no entity.  Both are bounded in depth (XML by its parser, at 256); the port bounded their size.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from adapters.errors import AnswerUnreadable

DEPTH_LIMIT: Final = 32

# Escapes that may spell NUL or half a surrogate pair: only an answer that has one is searched leaf by leaf.
_SUSPECT_ESCAPE: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)


def text(body: bytes, at: str = "body") -> str:
    """The body as text.  A leading byte order mark is dropped."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise AnswerUnreadable(at=at)


def content(content_type: str, allowed: frozenset[str]) -> None:
    """Raises unless the media type is one of `allowed` and its charset, if stated, is UTF-8."""
    if content_type.partition(";")[0].strip().lower() in allowed:
        charset = _CHARSET.search(content_type)
        if charset is None or charset[1].lower() in {"utf-8", "utf8", "us-ascii"}:
            return
    raise AnswerUnreadable(at="content-type")


def json_value(document: str, at: str = "body") -> Any:
    """The value of a JSON document."""
    try:
        value = _JSON.decode(document)
    except (ValueError, RecursionError):
        pass
    else:
        # Fewer brackets than the limit cannot nest deeper than it.
        if document.count("[") + document.count("{") > DEPTH_LIMIT and _depth(value) > DEPTH_LIMIT:
            raise AnswerUnreadable(at=at)
        if not (_SUSPECT_ESCAPE.search(document) and any(_BROKEN.search(leaf) for leaf in _texts(value))):
            return value
    raise AnswerUnreadable(at=at)


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """
    A record as path to leaf: `{"a": {"b": 1}, "c": [2]}` is `{"a/b": 1, "c/0": 2}`.  Empty groups are no leaf.
    """
    for value in record.values():
        if isinstance(value, (dict, list)):
            leaves = list(_leaves("", record))
            paths = dict(leaves)
            if len(paths) != len(leaves):
                raise AnswerUnreadable(at="record")
            return paths
    return dict(record)


def xml(body: bytes, at: str = "body") -> etree._Element:
    """The root of an XML document."""
    text(body, at)
    if b"<!DOCTYPE" not in body and b"<!ENTITY" not in body:
        try:
            # A parser has state; its making costs a twentieth of the smallest parse.
            root = etree.fromstring(body, etree.XMLParser(**_HARDENED))
        except (etree.XMLSyntaxError, ValueError):
            root = None
        if root is not None:
            return root
    raise AnswerUnreadable(at=at)


def local(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    tag = element.tag
    return tag[tag.index("}") + 1 :] if tag[0] == "{" else tag


def only(parent: etree._Element, name: str, at: str) -> etree._Element:
    """The one child of this name, in any namespace."""
    found = [child for child in parent if local(child) == name]
    if len(found) != 1:
        raise AnswerUnreadable(at=at)
    return found[0]


def leaf(element: etree._Element, at: str) -> str:
    """The text of an element that has no children."""
    if len(element):
        raise AnswerUnreadable(at=at)
    return element.text or ""


def epoch_seconds(leaf: Any, at: str) -> float:
    """Seconds since the epoch from milliseconds, as a number or as digits."""
    if isinstance(leaf, str) and leaf.isascii() and leaf.isdigit() and len(leaf) < 16:
        leaf = int(leaf)
    if isinstance(leaf, bool) or not isinstance(leaf, int) or not 0 < leaf < 10**15:
        raise AnswerUnreadable(at=at)
    return leaf / 1000


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


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("duplicate name")
    return record


def _no_constant(_: str) -> Any:
    raise ValueError("not a JSON number")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


_JSON: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_constant, parse_float=_finite)


def _depth(value: Any) -> int:
    depth = 0
    level = [value]
    while level := [group for group in level if isinstance(group, (dict, list))]:
        depth += 1
        level = [inner for group in level for inner in (group.values() if isinstance(group, dict) else group)]
    return depth


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}/{name}" if path else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}/{index}", inner)
    else:
        yield path, value
