"""
Foreign bytes mean one thing or nothing: bombs, lies and arbitrary bytes.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.contract import RawAnswer
from adapters.errors import AgencyError, AnswerUnreadable
from adapters.wire import decode
from adapters.wire.irs_payload import EMPTY, Shape, Shapes

TIME = datetime(2026, 11, 24, tzinfo=UTC)
TYPES = {"irs": "application/json", "national": "application/json", "population": "text/xml", "rbsp": "text/xml"}
ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

PACKAGE = (
    "&lt;PACKAGE&gt;&lt;PACKAGEHEAD&gt;&lt;FHDM&gt;10&lt;/FHDM&gt;&lt;/PACKAGEHEAD&gt;&lt;DATA&gt;&lt;RECORD&gt;"
    "&lt;XM&gt;x&lt;/XM&gt;&lt;/RECORD&gt;&lt;/DATA&gt;&lt;/PACKAGE&gt;"
)
WHOLE = {
    "irs": b'{"code": "00", "msg": "", "datas": [{"AAC003": "x"}], "requestId": "0"}',
    "national": b'{"code": 200, "data": {"head": {"code": "0000"}, "data": {"cxjg": [{"entname": "x"}]}}}',
    "population": (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><n:GK_JZCX_RKJCXXCXResponse '
        f'xmlns:n="http://webservice.com/"><n:out>{PACKAGE}</n:out></n:GK_JZCX_RKJCXXCXResponse></s:Body></s:Envelope>'
    ).encode(),
    "rbsp": (
        b'<RBSPMessage><Method><Name>Query</Name><Items><Item><Name>R</Name><Value Type="arrayOfArrayOf_string">'
        b"<Row><Data>000</Data></Row><Row><Data>XM</Data></Row><Row><Data>x</Data></Row>"
        b"</Value></Item></Items></Method></RBSPMessage>"
    ),
}

JSON_BOMBS = {
    "deep array": "[" * 100_000,
    "deep array, closed": "[" * 33 + "]" * 33,
    "very deep array, closed": "[" * 100_000 + "]" * 100_000,
    "deep object": '{"a":' * 40 + "1" + "}" * 40,
    "not a number": '{"a": NaN}',
    "infinity": '{"a": -Infinity}',
    "number out of range": '{"a": 1e999}',
    "endless digits": '{"a": ' + "9" * 5000 + "}",
    "name twice": '{"a": 1, "a": 2}',
    "name twice, deeper": '[{"a": {"b": 1, "\\u0062": 2}}]',
    "half a surrogate pair": '{"a": "\\ud83d"}',
    "half a surrogate pair in a name": '{"\\uDE00": 1}',
    "nul": '{"a": "\\u0000"}',
    "control character": '{"a": "\x01"}',
    "two documents": "{} {}",
    "comment": "{} // x",
    "single quotes": "{'a': 1}",
    "trailing comma": '{"a": 1,}',
    "nothing": "",
}
XML_BOMBS = {
    "laughs": b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>',
    "document type": b"<!DOCTYPE a><a/>",
    "external entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>',
    "parameter entity": b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/"> %b;]><a/>',
    "entity of nowhere": b"<a>&b;</a>",
    "deep": b"<a>" * 300 + b"</a>" * 300,
    "very deep": b"<a>" * 100_000,
    "cut short": b"<a><b></b>",
    "two roots": b"<a/><a/>",
    "not utf-8": "<a>甲</a>".encode("gbk"),
    "utf-16": "<a>甲</a>".encode("utf-16"),
    "utf-16 in disguise": b'<?xml version="1.0" encoding="UTF-16"?><a>\x00</a>',
    "nul": b"<a>\x00</a>",
    "nul as a reference": b"<a>&#0;</a>",
    "attribute twice": b'<a b="1" b="2"/>',
    "unbound prefix": b"<x:a/>",
    "html": b"<html><body><br></body></html>",
    "nothing": b"",
}


@pytest.mark.parametrize("document", JSON_BOMBS.values(), ids=JSON_BOMBS.keys())
def test_a_json_document_with_two_meanings_or_no_end_is_unreadable(document: str) -> None:
    """And the parser's own error, which quotes it, does not hang on ours."""
    with pytest.raises(AnswerUnreadable) as caught:
        decode.json_value(document)

    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


@pytest.mark.parametrize("document", XML_BOMBS.values(), ids=XML_BOMBS.keys())
def test_an_xml_document_with_two_meanings_or_no_end_is_unreadable(document: bytes) -> None:
    """No document type, no entity, no other character set than UTF-8."""
    with pytest.raises(AnswerUnreadable) as caught:
        decode.xml(document)

    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_comments_and_instructions_do_not_cut_a_text_in_two() -> None:
    """Readers that stop at the first of them see another number than those that go on."""
    root = decode.xml(b"<a>330802<!-- x -->1990<?y?>0307<![CDATA[12]]>3X</a>")

    assert decode.element_text(root, at="a") == "33080219900307123X"


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    """Some agencies write one."""
    assert decode.json_value(decode.text(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}
    assert decode.xml(b"\xef\xbb\xbf<a>1</a>").text == "1"


def test_a_whole_surrogate_pair_is_one_character() -> None:
    """Rare characters occur in names."""
    assert decode.json_value('{"a": "\\ud840\\udc00"}') == {"a": "𠀀"}


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text("ab甲"), st.lists))
def test_every_ordinary_json_value_is_read_as_it_is(value: Any) -> None:
    """Strictness costs nothing that an agency would honestly say."""
    assert decode.json_value(json.dumps(value)) == value


@pytest.mark.parametrize("family", list(TYPES))
@ONCE
@given(body=st.binary(max_size=400))
def test_arbitrary_bytes_are_rows_or_an_error_of_ours(bench: Any, family: str, body: bytes) -> None:
    """And nothing else, in every family."""
    _decode(bench, family, body)


@pytest.mark.parametrize("family", list(TYPES))
@ONCE
@given(change=st.data())
def test_a_changed_answer_is_rows_or_an_error_of_ours(bench: Any, family: str, change: st.DataObject) -> None:
    """A byte overwritten, a piece cut out or doubled."""
    body = WHOLE[family]
    start = change.draw(st.integers(0, len(body)), label="start")
    end = change.draw(st.integers(start, min(len(body), start + 40)), label="end")
    middle = change.draw(st.sampled_from([b"", body[start:end] * 2]) | st.binary(max_size=4), label="middle")

    _decode(bench, family, body[:start] + middle + body[end:])


@pytest.mark.parametrize("family", list(TYPES))
def test_an_unchanged_answer_is_rows(bench: Any, family: str) -> None:
    """So that the two tests above start from something that is read."""
    decoded = _decode(bench, family, WHOLE[family])

    records = decoded[0] if isinstance(decoded, tuple) else decoded.records
    assert records in (({"AAC003": "x"},), ({"entname": "x"},), ({"XM": "x"},))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text('[]{}"<>&;:a1 '),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["success", "code", "data", "errMsg", "a", "b", "a/b"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(datas=JSON_VALUES)
def test_any_value_of_datas_is_records_or_an_error_of_ours(datas: Any) -> None:
    """Records are flat: no leaf holds another group."""
    read = _or_our_error(Shapes(frozenset(get_args(Shape)), frozenset(EMPTY)).read, datas)

    records = read[0] if read else ()
    assert not any(isinstance(leaf, (dict, list)) for record in records for leaf in record.values())


@pytest.mark.parametrize(
    ("content_type", "readable"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ('application/json;charset="UTF-8"', True),
        ("application/json; charset=us-ascii", True),
        ("application/json; charset=GBK", False),
        ("text/html", False),
        ("", False),
    ],
)
def test_a_label_must_name_the_format_and_no_other_character_set(content_type: str, readable: bool) -> None:
    """A body that says that it is something else is not read."""
    allowed = frozenset({"application/json"})
    if readable:
        decode.check_content_type(content_type, allowed)
    else:
        with pytest.raises(AnswerUnreadable):
            decode.check_content_type(content_type, allowed)


def _decode(bench: Any, family: str, body: bytes) -> Any:
    raw = RawAnswer(
        agency="synthetic",
        capability="lookup",
        asked_at=TIME,
        answered_at=TIME,
        status=200,
        content_type=TYPES[family],
        body=body,
    )
    return _or_our_error(bench.wire(family)._decode, raw)


def _or_our_error(read: Callable[[Any], Any], foreign: Any) -> Any:
    error: AgencyError | None = None
    try:
        return read(foreign)
    except AgencyError as raised:
        error = raised
    assert (error.__context__, error.__cause__) == (None, None)
    return None
