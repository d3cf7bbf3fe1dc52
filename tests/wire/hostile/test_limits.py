"""
An answer is about one subject: how many rows, values, layers and characters of a path it may have.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from lxml import etree

from adapters.errors import AnswerUnreadable
from adapters.interpretation import LONGEST_LEAF
from adapters.wire import decode, xml_parser
from adapters.wire.base import THREAD_ABOVE
from adapters.wire.route import MOST_ROWS
from adapters.wire.transport import BODY_LIMIT
from adapters.wire.ws_security import WINDOW
from fuzz.harness import ROOT, FuzzHarness, HttpAnswer

pytestmark = pytest.mark.anyio

FAMILIES: Final = pytest.mark.parametrize("family", ["irs", "national", "population", "rbsp"])


def with_rows(family: str, count: int) -> httpx.Response:
    """An answer with so many different rows."""
    match family:
        case "irs":
            return httpx.Response(200, json={"code": "00", "datas": [{"n": number} for number in range(count)]})
        case "national":
            found = {"head": {"code": "0000"}, "data": {"cxjg": [{"n": number} for number in range(count)]}}
            return httpx.Response(200, json={"code": 200, "data": found})
        case "population":
            rows = "".join(f"<RECORD><n>{number}</n></RECORD>" for number in range(count))
            package = f"<PACKAGE><PACKAGEHEAD><FHDM>10</FHDM></PACKAGEHEAD><DATA>{rows}</DATA></PACKAGE>"
            document = (
                '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
                f'<n:GK_JZCX_RKJCXXCXResponse xmlns:n="http://webservice.com/"><n:out><![CDATA[{package}]]></n:out>'
                "</n:GK_JZCX_RKJCXXCXResponse></s:Body></s:Envelope>"
            )
        case _:
            rows = "".join(f"<Row><Data>{number}</Data></Row>" for number in range(count))
            document = (
                '<RBSPMessage><Method><Items><Item><Value Type="arrayOfArrayOf_string"><Row><Data>000</Data></Row>'
                f"<Row><Data>n</Data></Row>{rows}</Value></Item></Items></Method></RBSPMessage>"
            )
    return httpx.Response(200, headers={"Content-Type": "text/xml"}, content=document.encode())


@FAMILIES
async def test_as_many_rows_as_agreed_are_read(bench: Any, family: str) -> None:
    """The usual number, without a word in the configuration."""
    bench.answers(family, with_rows(family, MOST_ROWS))

    found = await bench.wire(family).ask(bench.question(), "lookup", bench.terms)

    assert [int(row["n"]) for row in found.records] == list(range(MOST_ROWS))


@FAMILIES
@pytest.mark.parametrize("count", [MOST_ROWS + 1, 60_000])
async def test_more_rows_than_agreed_are_unreadable(bench: Any, family: str, count: int) -> None:
    """A part of them would pass for the whole, and the whole is not about one party."""
    bench.answers(family, with_rows(family, count))

    with pytest.raises(AnswerUnreadable):
        await bench.wire(family).ask(bench.question(), "lookup", bench.terms)


@FAMILIES
async def test_a_route_may_agree_on_another_number(bench: Any, family: str) -> None:
    """More where an agency is known for it, or fewer."""
    bench.answers(family, with_rows(family, MOST_ROWS + 1))
    wire = bench.wire(family, options={"most_rows": MOST_ROWS + 1})

    found = await wire.ask(bench.question(), "lookup", bench.terms)

    assert len(found.records) == MOST_ROWS + 1


@pytest.mark.parametrize("layers", range(1, 5))
async def test_json_in_a_text_in_json_is_opened_twice_and_no_further(bench: Any, layers: int) -> None:
    """Two layers occur; a third is no format of anybody."""
    datas: Any = [{"AAC003": "甲"}]
    for _ in range(layers):
        datas = json.dumps(datas)
    bench.answers("irs", bench.irs_answer(datas))
    wire = bench.wire("irs", options={"datas": ["array", "text", "provider"]})

    try:
        found = (await wire.ask(bench.question(), "lookup", bench.terms)).records
    except AnswerUnreadable:
        found = None

    # A text in a text begins with a quote: only one layer is a document of its own.
    assert found == (({"AAC003": "甲"},) if layers == 1 else None)


async def test_a_provider_s_envelope_in_a_text_is_two_layers(bench: Any) -> None:
    """And what stands in it is read."""
    bench.answers("irs", bench.irs_answer(json.dumps({"success": True, "data": [{"AAC003": "甲"}]})))
    wire = bench.wire("irs", options={"datas": ["array", "text", "provider"]})

    found = await wire.ask(bench.question(), "lookup", bench.terms)

    assert found.records == ({"AAC003": "甲"},)


def test_a_long_name_is_not_repeated_in_the_path_of_each_leaf() -> None:
    """A megabyte around a thousand leaves would be a thousand megabytes."""
    record = {"x" * 1_000_000: dict.fromkeys(map(str, range(1000)), 1)}

    with pytest.raises(AnswerUnreadable):
        decode.flatten(record)


@pytest.mark.parametrize(
    ("leaf", "kept"),
    [
        ("0" * 32, "0" * 32),
        ("11111111-2222-3333-4444-555555555555@3308", "11111111-2222-3333-4444-555555555555@3308"),
        ("甲某某", None),
        ("", None),
        ("0" * 129, None),
        ("a b", None),
        (17, None),
        (None, None),
    ],
)
def test_a_reference_is_kept_if_it_has_the_form_of_one(leaf: Any, kept: str | None) -> None:
    """It is shown to clerks and stands in records: no place for whatever an agency writes there."""
    assert decode.reference(leaf) == kept


@pytest.mark.parametrize(
    ("leaf", "length", "state"),
    [
        ("AAE006", 1000, "found"),
        ("AAE006", 1001, "unavailable"),
        ("AAC002", 1001, "unavailable"),
        ("XP", 9999, "found"),
    ],
)
async def test_a_leaf_that_is_read_has_a_length_and_any_other_has_none(
    harness: Callable[[str], FuzzHarness], leaf: str, length: int, state: str
) -> None:
    """A photo may be long, an address or a number may not."""
    played = harness("irs")
    await played.ask()
    said = played.transport.last_answer
    assert said is not None
    envelope = json.loads(said.body)
    for row in envelope["datas"]:
        row[leaf] = "甲" * length

    answer = await played.ask(HttpAnswer(json.dumps(envelope).encode(), headers=said.headers))

    assert answer.state == state


def test_the_documented_limits_are_those_that_hold() -> None:
    """What an author of an adapter reads is what the hub does."""
    written = (ROOT / "docs/adapters.md").read_text("utf-8")

    for line in (
        f"| body | {BODY_LIMIT:,} bytes |",
        f"| values of a JSON document, elements or attributes of an XML document | {decode.PARTS_LIMIT:,} |",
        f"| depth of JSON, of XML | {decode.DEPTH_LIMIT}, 256 |",
        f"| characters of a path | {decode.PATH_LIMIT} |",
        f"| rows of an answer | {MOST_ROWS} |",
        f"| characters of an element that is read | {LONGEST_LEAF:,} |",
        f"Above {THREAD_ABOVE:,} bytes",
        f"| `signed_window` | {WINDOW} |",
    ):
        assert line in written


@pytest.mark.parametrize(
    "markup",
    [
        "<n{}/>",
        '<n a{}="1"/>',
        '<n xmlns="{}"/>',
        "<?n{} x?>",
        '<n a=">" a{}="1"/>',
        "<n>&n{};</n>",
    ],
    ids=["elements", "attributes", "namespaces", "instructions", "after a sign in a value", "entities"],
)
def test_new_markup_is_parsed_apart(markup: str) -> None:
    """The parser keeps what it is called as long as its thread lives: so that thread ends with it."""
    threads: set[int] = set()
    element = etree.XMLParser

    def parser(**options: Any) -> etree.XMLParser:
        threads.add(threading.get_ident())
        return element(**options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_parser.etree, "XMLParser", parser)
        xml_parser.parse(b"<a>" + markup.format(uuid4().hex).encode() + b"</a>")

    assert threads - {threading.get_ident()} == threads != set()


def test_markup_that_was_met_is_parsed_on_the_spot() -> None:
    """Which is what nearly every answer is made of."""
    document = "<a><b c='1'>{}</b></a>"
    xml_parser.parse(document.format("甲").encode())
    before = threading.active_count()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_parser, "run_in_thread", None)
        root = xml_parser.parse(document.format("乙&amp;&#20057;").encode())

    assert root is not None
    assert (root[0].text, threading.active_count()) == ("乙&乙", before)
