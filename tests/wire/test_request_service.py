"""
How a question is put to the police request service, and what its answers mean.
"""

from typing import Any

import httpx
import pytest
from lxml import etree

from adapters.contract import Rows
from adapters.errors import AgencyFault, AgencyRefused, AnswerUnreadable, ConfigurationError, UnsupportedLookup
from schemas.codes import Reason

pytestmark = pytest.mark.anyio

COLUMNS = ("GMSFHM", "XM", "ZZXZ")
VALUES = ("33080219900307123X", "甲", "某路1号")
RECORD = dict(zip(COLUMNS, VALUES, strict=True))


def row(*cells: str) -> str:
    """One row of the table."""
    return "<Row>" + "".join(f"<Data>{cell}</Data>" for cell in cells) + "</Row>"


def message(*rows: str, more: str = "") -> str:
    """A reply with one table."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><RBSPMessage><Version>1.0</Version><ServiceID>S10-00000001</ServiceID>'
        f"<TimeStamp>1</TimeStamp><Validity/><Security/>{more}<Method><Name>Query</Name><Items><Item><Name>Result</Name>"
        f'<Value Type="arrayOfArrayOf_string">{"".join(rows)}</Value></Item></Items></Method></RBSPMessage>'
    )


def answer(document: str | bytes, content_type: str = "text/xml;charset=UTF-8") -> httpx.Response:
    """A document as an HTTP answer."""
    content = document if isinstance(document, bytes) else document.encode()
    return httpx.Response(200, headers={"Content-Type": content_type}, content=content)


async def ask(bench: Any, **changes: Any) -> Rows:
    """One question to the mounted agency."""
    rows = await bench.wire("rbsp", **changes).ask(bench.question(), "lookup", bench.terms)
    assert isinstance(rows, Rows)
    return rows


async def test_the_message_names_service_requester_official_condition_and_columns(bench: Any) -> None:
    """Only the columns that are wanted are asked for, and the name never enters the condition."""
    business = bench.answers("rbsp", answer(message(row("000"), row(*COLUMNS))))

    await ask(bench)

    request = business.calls.last.request
    root = etree.fromstring(request.content)
    items = {
        item.findtext("Name"): (item.find("Value").get("Type"), item.findtext("Value/Data"))
        for item in root.findall("Method/Items/Item")
    }
    assert request.headers["content-type"] == "text/xml; charset=UTF-8"
    assert [part.tag for part in root] == [
        "Version",
        "ServiceID",
        "RequesterID",
        "TimeStamp",
        "Validity",
        "Security",
        "Method",
    ]
    assert [root.findtext(name) for name in ("ServiceID", "RequesterID", "TimeStamp", "Method/Name")] == [
        "S10-00000001",
        "C330800-00000001",
        "20231115061320",
        "Query",
    ]
    assert [part.tag for part in root.find("Security")] == ["Signature", "CheckCode", "Encrypt"]
    assert items == {
        "UserCardId": ("string", "330802198506181225"),
        "UserName": ("string", "李某婷"),
        "UserDept": ("string", "某区人民法院"),
        "UserIp": ("string", "10.8.0.7"),
        "Condition": ("string", "SFZH='33080219900307123X'"),
        "RequiredItems": ("string", "GMSFHM,XM,ZZXZ"),
    }


@pytest.mark.parametrize(
    "number",
    [
        "33080219900307123X' OR '1'='1",
        "33080219900307123'",
        "33080219900307123x",
        "",
        "1' --",
        "３３０８０２１９９００３０７１２３Ｘ",
        "33080219900307123X\n",
        "A" * 19,
        "A" * 14,
    ],
)
async def test_nothing_but_a_number_ever_enters_the_condition(bench: Any, number: str) -> None:
    """The condition is a text like SQL: anything else is not sent at all."""
    business = bench.answers("rbsp", answer(message(row("000"), row(*COLUMNS))))

    with pytest.raises(UnsupportedLookup) as caught:
        await bench.wire("rbsp").ask(bench.question(), "lookup", {"id_number": number})

    assert (caught.value.reason, business.called) == (Reason.NOT_EXPRESSIBLE, False)


async def test_columns_are_read_by_name_in_whatever_order_they_come(bench: Any) -> None:
    """Clients that read by position break."""
    bench.answers("rbsp", answer(message(row("000"), row(*COLUMNS[::-1]), row(*VALUES[::-1]))))

    assert await ask(bench) == Rows(records=(RECORD,), answered_at=bench.hands.now)


async def test_missing_and_extra_columns_are_left_to_the_mapping(bench: Any) -> None:
    """The row says what it holds."""
    bench.answers("rbsp", answer(message(row("000"), row("XM", "NEW"), row("甲", ""))))

    assert (await ask(bench)).records == ({"XM": "甲", "NEW": ""},)


async def test_names_without_values_are_no_record_and_two_rows_are_two(bench: Any) -> None:
    """Rows 0 and 1 alone mean "no record"."""
    head = (row("000"), row(*COLUMNS))
    bench.answers("rbsp", answer(message(*head)), answer(message(*head, row(*VALUES), row(*VALUES))))
    wire = bench.wire("rbsp")

    assert (await wire.ask(bench.question(), "lookup", bench.terms)).records == ()
    assert (await wire.ask(bench.question(), "lookup", bench.terms)).records == (RECORD, RECORD)


async def test_unknown_parts_of_the_message_are_drift_and_the_answer_stands(bench: Any) -> None:
    """Agencies add fields on working days."""
    bench.answers("rbsp", answer(message(row("000"), row(*COLUMNS), row(*VALUES), more="<Trace/>")))

    rows = await ask(bench)

    assert (rows.records, rows.drift) == ((RECORD,), ("RBSPMessage/Trace",))


@pytest.mark.parametrize("content_type", ["text/plain", "text/xml;charset=UTF-8", ""])
@pytest.mark.parametrize("lead", ["", "\n ", "\ufeff"])
async def test_a_plain_text_says_that_we_have_no_permission(bench: Any, content_type: str, lead: str) -> None:
    """However it is labelled; it is never asked again."""
    bench.answers("rbsp", answer(f"{lead}SrcReceiver: no permission for 33080219900307123X", content_type))

    with pytest.raises(AgencyRefused) as caught:
        await ask(bench)

    assert (caught.value.reason, caught.value.repeatable) == (Reason.NO_PERMISSION, False)


@pytest.mark.parametrize("status", ["001", "0", "", "0000"])
async def test_another_status_is_a_fault_even_with_rows(bench: Any, status: str) -> None:
    """`000` is agreed and nothing else."""
    bench.answers("rbsp", answer(message(row(status), row(*COLUMNS), row(*VALUES))))

    with pytest.raises(AgencyFault) as caught:
        await ask(bench)

    assert caught.value.reason is Reason.UNKNOWN_CODE


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<RBSPMessage/>",
        "<Other/>",
        message(),
        message(row()),
        message(row("000")),
        message(row("000"), row()),
        message(row("000"), row("XM", "XM"), row("甲", "乙")),
        message(row("000"), row("XM", ""), row("甲", "乙")),
        message(row("000"), row(*COLUMNS), row(*VALUES[:2])),
        message(row("000"), row(*COLUMNS), row(*VALUES, "x")),
        message(row("000"), row(*COLUMNS), row("<B>x</B>", "甲", "y")),
        message(row("000"), row(*COLUMNS)).replace("arrayOfArrayOf_string", "string"),
        message(row("000"), row(*COLUMNS), row(*VALUES))[:-20],
        '<!DOCTYPE RBSPMessage [<!ENTITY x "y">]>' + message(row("000"), row(*COLUMNS)).partition("?>")[2],
        message(row("000"), row(*COLUMNS), row(*VALUES)).encode("gbk"),
        message(row("000"), row(*COLUMNS), row(*VALUES)).encode("utf-16"),
    ],
)
async def test_a_table_of_another_form_is_unreadable(bench: Any, document: str | bytes) -> None:
    """A row cut short, a name twice, a label that lies about the character set."""
    bench.answers("rbsp", answer(document))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/xml; charset=gb18030", ""])
async def test_another_label_is_unreadable(bench: Any, content_type: str) -> None:
    """What is not labelled as XML in UTF-8 is not read as such."""
    bench.answers("rbsp", answer(message(row("000"), row(*COLUMNS)), content_type))

    with pytest.raises(AnswerUnreadable):
        await ask(bench)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"id_number": "SFZH='' OR 1=1"}},
        {"parameters": {"uscc": "X"}},
        {"options": {"required_items": []}},
        {"options": {"required_items": ["XM, XP"]}},
        {"options": {"service_id": "S1-1"}},
        {"options": {"requester_id": "<x/>"}},
    ],
)
def test_a_route_that_cannot_work_stops_the_start(bench: Any, changes: Any) -> None:
    """The text names the file, the key and the fix."""
    with pytest.raises(ConfigurationError, match=r"/agencies\.toml, line 1: synthetic\..*; fix: "):
        bench.wire("rbsp", **changes)
