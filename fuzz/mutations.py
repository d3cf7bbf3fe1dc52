"""
Random mutations of true answers: values, names, elements, rows and bytes.

Every choice comes from a `Random` that is given, so that Hypothesis can shrink it and a corpus can repeat it.
"""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

from lxml import etree

from adapters.wire import xml_parser
from fuzz.harness import HttpAnswer

# Replacements of a value.  Each is legal JSON, or nearly.
_VALUES: Final = (
    "null", "true", "false", "0", "-1", "1e999", "-0.0", "NaN", "Infinity", "9" * 5000, "20231301", "1434556800000",
    '""', '" "', '"[]"', '"0"', '"00"', '"11"', '"14"', '"18"', '"200"', "200", '"男"', '"\\ud83d"', '"\\u0000"',
    '"[{\\"AAC003\\":\\"甲\\"}]"', '"<AAC003&gt;甲</AAC003&gt;"', "[]", "{}", "[[]]", "[null]", '{"": 1}', '{"a/b": 1}',
    '{"success": false}', '{"code": 200, "data": []}', "[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40, "甲", "",
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "000", "10", "11", "77", "1", "Z9", "20231301", "00000000", "9" * 400, "甲" * 300, "33080219900307123X",
    "\u202e甲", "x\u0301", "e" * 20_000,
)  # fmt: skip
_PIECES: Final = (
    b"<!-- x -->", b"<?x y?>", b"<![CDATA[", b"]]>", b"&x;", b"&#0;", b"&#x10FFFF;", b"&gt;", b"&amp;gt;", b"\x00",
    b"\xff\xfe", b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u0000", b"<a>", b"</a>", b"xmlns:a='x'",
    b"+ADw-",
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b'<!DOCTYPE a SYSTEM "file:///etc/hostname">', b'<?xml version="1.1"?>',
)  # fmt: skip
_TYPES: Final = (
    b"application/json", b"text/xml", b"application/json;charset=GBK", b"text/xml;charset=utf-7", b"text/html", b"",
    b"application/json; charset=utf-8; charset=gb18030", b"text/plain; charset=\xe7", b"x" * 3000,
)  # fmt: skip
_WAITS: Final = (b"7", b"-1", b"9" * 5000, b"Wed, 21 Oct 2099 07:28:00 GMT", b"Wed, 3 Apr 2002 12.3456780800", b"\xa0")
_STATUSES: Final = (100, 204, 206, 301, 308, 400, 401, 403, 404, 408, 418, 429, 500, 503, 599)


def mutate(answer: HttpAnswer, random: Random) -> HttpAnswer:
    """The answer with one to three mutations."""
    for _ in range(random.randint(1, 3)):
        answer = _mutated(answer, random)
    return answer


def _mutated(answer: HttpAnswer, random: Random) -> HttpAnswer:
    match random.randrange(12):
        case 0:
            return HttpAnswer(
                answer.body, random.choice(_STATUSES), (*answer.headers, (b"retry-after", random.choice(_WAITS)))
            )
        case 1:
            return HttpAnswer(answer.body, answer.status, ((b"content-type", random.choice(_TYPES)),))
        case 2:
            return HttpAnswer(random.choice(_BYTES)(answer.body), answer.status, answer.headers)
        case 3 | 4 | 5:
            return HttpAnswer(_with_a_piece(answer.body, random), answer.status, answer.headers)
        case _:
            return HttpAnswer(_within(answer.body, random), answer.status, answer.headers)


def _within(body: bytes, random: Random) -> bytes:
    # By structure if it has one; also one layer further in, where JSON or XML stands in a text.
    try:
        return (
            json.dumps(_value(json.loads(body), random), ensure_ascii=False).encode().replace(_MARK, _literal(random))
        )
    except (ValueError, RecursionError, UnicodeEncodeError):
        pass
    # Apart, as our readers do it: or the names that stay behind here would look like theirs.
    return xml_parser.run_in_thread(lambda: _document(body, random)) or _with_a_piece(body, random)


def _document(body: bytes, random: Random) -> bytes:
    root = etree.fromstring(body, xml_parser.hardened_parser())
    _element(root, random)
    return etree.tostring(root, encoding="utf-8")


_MARK: Final = b'"@here@"'


def _literal(random: Random) -> bytes:
    return random.choice(_VALUES).encode()


def _value(value: Any, random: Random) -> Any:
    places = list(_places(value))
    if not places:
        return "@here@"
    group, key = random.choice(places)
    inner = group[key]
    match random.randrange(7):
        case 0 if isinstance(group, dict):
            group[random.choice(["code", "data", "datas", "success", "head", "cxjg", "甲", "x" * 400])] = group.pop(key)
        case 1:
            del group[key]
        case 2 if isinstance(group, list):
            group.extend([inner] * _times(json.dumps(inner), random))
        case 3:
            group[key] = json.dumps(inner, ensure_ascii=False)
        case 4:
            group[key] = {"success": True, "data": inner}
        case 5 if isinstance(inner, str) and inner[:1] in {"[", "{", "<"}:
            group[key] = _within(inner.encode("utf-8", "replace"), random).decode("utf-8", "replace")
        case _:
            group[key] = "@here@"
    return value


def _times(written: str | bytes, random: Random) -> int:
    # Many only of what is small: the fuzzer cuts what it is given, and the peak of memory should be the readers'.
    return random.choice([1, 2, 1200 if len(written) < 200 else 3])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    # Every member of every group, as group and key.
    level = [value]
    while level:
        inner = []
        for group in level:
            if isinstance(group, (dict, list)):
                for key in list(group) if isinstance(group, dict) else range(len(group)):
                    yield group, key
                    inner.append(group[key])
        level = inner


def _element(root: etree._Element, random: Random) -> None:  # noqa: C901 - a flat list of ways to spoil an element
    every = [element for element in root.iter() if isinstance(element.tag, str)]
    chosen, other = random.choice(every), random.choice(every)
    parent = chosen.getparent()
    match random.randrange(9):
        case 0 if parent is not None:
            parent.remove(chosen)
        case 1 if parent is not None:
            for _ in range(_times(etree.tostring(chosen), random)):
                parent.append(copy.deepcopy(chosen))
        case 2:
            chosen.tag = other.tag
        case 3 if parent is not None and chosen not in other.iterancestors() and chosen is not other:
            other.append(chosen)
        case 4:
            chosen.set(random.choice(["code", "msg", "Type", "Id", "no"]), random.choice(_TEXTS))
        case 5:
            inner = chosen
            for _ in range(random.choice([1, 40, 300])):
                inner = etree.SubElement(inner, "a")
        case 6 if chosen.text and chosen.text.lstrip()[:1] in {"<", "{"}:
            chosen.text = _printable(_within(chosen.text.encode(), random))
        case 7 if chosen.text:
            middle = len(chosen.text) // 2
            comment = etree.Comment("x")
            comment.tail, chosen.text = chosen.text[middle:], chosen.text[:middle]
            chosen.insert(0, comment)
        case _:
            chosen.text = random.choice(_TEXTS)


def _printable(inner: bytes) -> str:
    # Characters that XML cannot carry are left out.
    return "".join(
        character
        for character in inner.decode("utf-8", "replace")
        if character >= " " and character not in "\ufffe\uffff"
    )


def _with_a_piece(body: bytes, random: Random) -> bytes:
    start = random.randint(0, len(body))
    end = min(len(body), start + random.choice([0, 0, 1, 4, 40]))
    middle = random.choice([*_PIECES, body[start:end] * 2, random.randbytes(4)])
    return body[:start] + middle + body[end:]


def _as(charset: str) -> Callable[[bytes], bytes]:
    return lambda body: body.decode("utf-8", "replace").encode(charset, "replace")


_BYTES: Final[tuple[Callable[[bytes], bytes], ...]] = (
    _as("gb18030"),
    _as("utf-16"),
    _as("utf-32-le"),
    _as("utf-7"),
    lambda body: gzip.compress(body, mtime=0),
    lambda body: body[: len(body) // 2],
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body + body,
    lambda body: b"SrcReceiver:" + body,
    lambda body: b"<html><body>" + body,
    lambda _: b"",
)
