"""
The catalogue of hostile answers: what each makes of a true answer, and for which targets it can occur.
"""

import gzip
import json
from collections.abc import Callable
from html import escape
from typing import Final

from fuzz.harness import TARGETS

Change = Callable[[str], str | bytes]

DEPTH: Final = 100_000
SECRETS: Final = [name for name, target in TARGETS.items() if target.secret]
READERS: Final = [name for name, target in TARGETS.items() if not target.secret]
XML: Final = ["population", "signed", "rbsp"]
JSON: Final = [*(name for name in READERS if name not in XML), *SECRETS]


def root(document: str) -> str:
    """The name of a document's root."""
    return document.partition("?>")[2].lstrip("<").partition(">")[0].partition(" ")[0]


def with_entities(document: str, entities: str) -> str:
    """The document with a document type, whose entity `x` stands in its first text."""
    declaration, _, rest = document.partition("?>")
    before, end, after = rest.partition("</")
    return f"{declaration}?><!DOCTYPE {root(document)} [{entities}]>{before}&x;{end}{after}"


def inner(document: str, change: Callable[[str], str]) -> str:
    """The document with a change in the package that stands in it as text."""
    before, start, rest = document.partition("<ns1:out>")
    package, end, after = rest.partition("</ns1:out>")
    return f"{before}{start}{escape(change(unescaped(package)), quote=False)}{end}{after}"


def unescaped(text: str) -> str:
    """A text without its XML escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def twice(document: str) -> str:
    """The document, its root with one attribute in two values."""
    declaration, _, rest = document.partition("?>")
    return declaration + "?>" + rest.replace(">", ' a="1" a="2">', 1)


LAUGHS: Final = '<!ENTITY x "&a;">' + "".join(
    f'<!ENTITY {name} "{f"&{of};" * 10}">' for name, of in zip("abcdefgh", "bcdefghi", strict=True)
)
EVERYWHERE: Final[dict[str, Change]] = {
    "an error page": lambda _: "<!DOCTYPE html><html><body><h1>502</h1><br></body></html>",
    "an error page that is XML": lambda _: "<html><body><h1>502</h1></body></html>",
    "nothing": lambda _: b"",
    "blanks": lambda _: " " * 100,
    "half of it": lambda true: true[: len(true) // 2],
    "it twice": lambda true: true + true,
    "GB18030 that says UTF-8": lambda true: true.encode("gb18030") + "甲".encode("gb18030"),
    "UTF-16": lambda true: true.encode("utf-16"),
    "UTF-32": lambda true: true.encode("utf-32"),
    "compressed": lambda true: gzip.compress(true.encode(), mtime=0),
    "a NUL in it": lambda true: true.replace("1", "1\x00", 1),
}
JSON_ONLY: Final[dict[str, Change]] = {
    "deep": lambda _: "[" * DEPTH + "]" * DEPTH,
    "deep and open": lambda _: '{"a":' * DEPTH,
    "deep inside": lambda true: true.replace("{", '{"z":' + "[" * 40 + "]" * 40 + ",", 1),
    "many values": lambda true: true.replace("{", '{"z":[' + "1," * DEPTH + "1],", 1),
    "many groups": lambda true: true.replace("{", '{"z":[' + "[]," * DEPTH + "1],", 1),
    "not a number": lambda true: true.replace("{", '{"z":NaN,', 1),
    "infinity": lambda true: true.replace("{", '{"z":-Infinity,', 1),
    "beyond any number": lambda true: true.replace("{", '{"z":1e999,', 1),
    "endless digits": lambda true: true.replace("{", '{"z":' + "9" * 5000 + ",", 1),
    "a name twice": lambda true: true.replace("{", '{"code":"99",', 1),
    "a name twice, escaped": lambda true: true.replace("{", '{"\\u0063ode":"99",', 1),
    "half a character": lambda true: true.replace("{", '{"z":"\\ud83d",', 1),
    "a text of it": json.dumps,
}
XML_ONLY: Final[dict[str, Change]] = {
    "deep": lambda _: "<a>" * DEPTH + "</a>" * DEPTH,
    "deep inside": lambda true: true.replace("</", "<a>" * 300 + "</a>" * 300 + "</", 1),
    "many elements": lambda true: true.replace("</", "<a/>" * (3 * DEPTH) + "</", 1),
    "many attributes": lambda true: true.replace(">", " ".join(f' a{n}=""' for n in range(DEPTH + 1)) + ">", 1),
    "a document type": lambda true: with_entities(true, "").replace("&x;", ""),
    "an entity": lambda true: with_entities(true, '<!ENTITY x "1">'),
    "billion laughs": lambda true: with_entities(true, LAUGHS + '<!ENTITY i "哈哈">'),
    "a quadratic blow-up": lambda true: with_entities(true, f'<!ENTITY x "{"a" * 50_000}">').replace(
        "&x;", "&x;" * 900
    ),
    "a file": lambda true: with_entities(true, '<!ENTITY x SYSTEM "file:///etc/hostname">'),
    "another server": lambda true: with_entities(true, '<!ENTITY x SYSTEM "http://127.0.0.1:9/x">'),
    "parameter entities": lambda true: with_entities(
        true, '<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p; <!ENTITY x "1">'
    ),
    "a document type in UTF-16": lambda true: with_entities(true, '<!ENTITY x "1">').encode("utf-16"),
    "an entity of nowhere": lambda true: true.replace("</", "&x;</", 1),
    "UTF-7 that says so": lambda true: true.encode("utf-7").replace(b"UTF-8", b"UTF-7"),
    "EBCDIC that says so": lambda true: true.replace("UTF-8", "cp037", 1),
    "another root": lambda true: f"<a>{true.partition('?>')[2]}</a>",
    "an attribute twice": twice,
}


CASES: Final = [
    *((target, how, change) for target in TARGETS for how, change in EVERYWHERE.items()),
    *((target, how, change) for target in JSON for how, change in JSON_ONLY.items()),
    *((target, how, change) for target in XML for how, change in XML_ONLY.items()),
    *(
        ("population", f"in the package: {how}", lambda true, change=change: inner(true, change))
        for how, change in XML_ONLY.items()
        if not how.endswith(("UTF-16", "says so", "attributes"))
    ),
]
