"""
A route says in which character set its agency writes: nothing is guessed from the bytes, and no label is believed.
"""

from typing import Any, Final

import httpx
import pytest

from adapters.errors import AnswerUnreadable
from adapters.wire import decode

pytestmark = pytest.mark.anyio

NAME: Final = "欧阳某某"
JSON: Final = '{"code": "00", "datas": [{"AAC003": "欧阳某某"}]}'
XML: Final = (
    '<?xml version="1.0" encoding="{}"?><RBSPMessage><Method><Name>Query</Name><Items><Item><Name>R</Name>'
    '<Value Type="arrayOfArrayOf_string"><Row><Data>000</Data></Row><Row><Data>XM</Data></Row>'
    "<Row><Data>欧阳某某</Data></Row></Value></Item></Items></Method></RBSPMessage>"
)


async def records(bench: Any, family: str, body: bytes, content_type: str, charset: str) -> Any:
    """What a route that declares `charset` makes of an answer."""
    bench.answers(family, httpx.Response(200, headers={"Content-Type": content_type}, content=body))
    rows = await bench.wire(family, options={"charset": charset}).ask(bench.question(), "lookup", bench.terms)
    return rows.records


@pytest.mark.parametrize("label", ["", "; charset=GBK", "; charset=gb2312", ";charset=GB18030"])
@pytest.mark.parametrize("written", ["gbk", "gb18030"])
async def test_a_declared_gb18030_is_read(bench: Any, label: str, written: str) -> None:
    """GBK and GB2312 are parts of it."""
    found = await records(bench, "irs", JSON.encode(written), f"application/json{label}", "gb18030")

    assert found == ({"AAC003": NAME},)


@pytest.mark.parametrize("declaration", ["GBK", "gb2312", "UTF-8"])
async def test_a_declared_gb18030_is_read_from_xml_too(bench: Any, declaration: str) -> None:
    """Whatever its declaration says: that often names what some earlier system wrote."""
    found = await records(bench, "rbsp", XML.format(declaration).encode("gbk"), "text/xml", "gb18030")

    assert found == ({"XM": NAME},)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (JSON.encode(), ""),
        (JSON.encode("gbk"), "; charset=UTF-8"),
        (JSON.encode("gbk"), "; charset=GBK; charset=UTF-8"),
        (JSON.encode("gbk")[:-6] + b"\x80" + JSON.encode("gbk")[-5:], ""),
        (JSON.encode("utf-16"), ""),
    ],
    ids=["UTF-8", "labelled UTF-8", "labelled twice", "not whole", "UTF-16"],
)
async def test_anything_else_on_such_a_route_is_unreadable(bench: Any, body: bytes, label: str) -> None:
    """UTF-8 read as GB18030 is other characters and no error: an address that nobody lives at."""
    with pytest.raises(AnswerUnreadable):
        await records(bench, "irs", body, f"application/json{label}", "gb18030")


@pytest.mark.parametrize("label", ["", "; charset=UTF-8", "; charset=GBK"])
async def test_gb18030_on_any_other_route_is_unreadable(bench: Any, label: str) -> None:
    """Also where it says what it is: what was not agreed is not read."""
    with pytest.raises(AnswerUnreadable):
        await records(bench, "irs", JSON.encode("gb18030"), f"application/json{label}", "utf-8")


@pytest.mark.parametrize("declared", ["UTF-7", "utf-16", "UTF-16LE", "cp037", "x-user-defined", ""])
def test_a_declaration_of_other_characters_is_not_read_as_ascii(declared: str) -> None:
    """In UTF-7, `+ADw-` is no text but the beginning of an element."""
    with pytest.raises(AnswerUnreadable):
        decode.xml(f'<?xml version="1.0" encoding="{declared}"?><a>+ADw-b/+AD4-</a>'.encode("ascii"))
