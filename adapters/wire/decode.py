"""
Strict reading of foreign bytes: JSON, XML and text either mean one thing or raise `AnswerUnreadable`.

Bytes are in the character set that the route declares or they are nothing, whatever a label says.  JSON has no NaN, no
duplicate name, no lone surrogate; XML has no document type and no entity.  Both are bounded in depth (XML by its
parser, at 256) and in parts; the port bounded their size.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from adapters.errors import AnswerUnreadable
from adapters.wire import xml_parser

DEPTH_LIMIT: Final = 32
# Values of a JSON document, elements or attributes of an XML document.  Five million bytes of empty groups would take
# thirty times their size in memory, and seconds to walk: they are counted before anything parses them.
PARTS_LIMIT: Final = 100_000
# Characters of one path: a long name around many leaves would be repeated in the path of each.
PATH_LIMIT: Final = 256

XML_TYPES: Final = frozenset({"text/xml", "application/xml"})

UTF_8: Final = "utf-8"
GB18030: Final = "gb18030"
# The labels that name each character set of a route; GBK and GB2312 are parts of GB18030.
CHARSETS: Final[Mapping[str, frozenset[str]]] = {
    UTF_8: frozenset({"utf-8", "utf8", "us-ascii"}),
    GB18030: frozenset({"gb18030", "gbk", "gb2312"}),
}

# Escapes that may spell NUL or half a surrogate pair: only an answer that has one is searched leaf by leaf.
_SUSPECT_ESCAPE: Final = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
_BROKEN: Final = re.compile("[\x00\ud800-\udfff]")
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_DECLARED: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)")
# What an XML declaration may say: all of them are ASCII where it counts, and the bytes are decoded before it is read.
_DECLARABLE: Final = frozenset[str]().union(*CHARSETS.values())
_REFERENCE: Final = re.compile(r"[0-9A-Za-z_.:@-]{1,128}")


def text(body: bytes, at: str = "body", charset: str = UTF_8) -> str:
    """
    The body as text in the route's character set.  A leading byte order mark is dropped.

    Under GB18030, bytes beyond ASCII that are also UTF-8 have two meanings, and so none.
    """
    document = _decoded(body, "utf-8-sig")
    if charset == GB18030 and not body.isascii():
        document = _decoded(body, GB18030) if document is None else None
    if document is None:
        raise AnswerUnreadable(at=at)
    return document


def check_content_type(content_type: str, allowed: frozenset[str], charset: str = UTF_8) -> None:
    """Raises unless the media type is one of `allowed` and every charset that it states is the route's."""
    if content_type.partition(";")[0].strip().lower() in allowed:
        stated = {label.lower() for label in _CHARSET.findall(content_type)}
        if stated <= CHARSETS[charset]:
            return
    raise AnswerUnreadable(at="content-type")


def json_value(document: str, at: str = "body") -> Any:
    """The value of a JSON document."""
    if document.count(",") + document.count("[") + document.count("{") > PARTS_LIMIT:
        raise AnswerUnreadable(at=at)
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


def flatten(record: Mapping[str, Any]) -> dict[str, Any]:
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


def xml(body: bytes, at: str = "body", charset: str = UTF_8) -> etree._Element:
    """The root of an XML document."""
    document = text(body, at, charset)
    if charset != UTF_8:
        body = document.encode()
    if b"<!DOCTYPE" not in body and b"<!ENTITY" not in body and _is_bounded(body) and _is_declared(body):
        root = xml_parser.parse(body)
        if root is not None:
            return root
    raise AnswerUnreadable(at=at)


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace."""
    tag = element.tag
    return tag[tag.index("}") + 1 :] if tag[0] == "{" else tag


def only_child(parent: etree._Element, name: str, at: str) -> etree._Element:
    """The one child of this name, in any namespace."""
    found = [child for child in parent if local_name(child) == name]
    if len(found) != 1:
        raise AnswerUnreadable(at=at)
    return found[0]


def element_text(element: etree._Element, at: str) -> str:
    """The text of an element that has no children."""
    if len(element):
        raise AnswerUnreadable(at=at)
    return element.text or ""


def reference(leaf: Any) -> str | None:
    """The agency's number of this exchange; None if it has another form: free text may name people."""
    return leaf if isinstance(leaf, str) and _REFERENCE.fullmatch(leaf) else None


def epoch_seconds(leaf: Any, at: str) -> float:
    """Seconds since the epoch from milliseconds, as a number or as digits."""
    if isinstance(leaf, str) and leaf.isascii() and leaf.isdigit() and len(leaf) < 16:
        leaf = int(leaf)
    if isinstance(leaf, bool) or not isinstance(leaf, int) or not 0 < leaf < 10**15:
        raise AnswerUnreadable(at=at)
    return leaf / 1000


def _decoded(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        return None


def _is_bounded(body: bytes) -> bool:
    # An element has two tags at most, an attribute one sign.
    return body.count(b"<") <= 2 * PARTS_LIMIT and body.count(b"=") <= PARTS_LIMIT


def _is_declared(body: bytes) -> bool:
    # UTF-7 and its like are ASCII bytes that mean something else.
    declared = _DECLARED.match(body)
    return declared is None or declared[1].decode().strip().lower() in _DECLARABLE


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
    if len(path) > PATH_LIMIT:
        raise AnswerUnreadable(at="record")
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{path}/{name}" if path else str(name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}/{index}", inner)
    else:
        yield path, value
