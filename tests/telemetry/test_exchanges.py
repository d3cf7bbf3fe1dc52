"""
Of what a caller says about its trace, two numbers are taken, and only if they are written as agreed.
"""

import re

import pytest

from gateway.telemetry.request_context import RequestContext

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"00-{TRACE}-{SPAN}-01", RequestContext(TRACE, parent=SPAN, sampled=True)),
        (f"00-{TRACE}-{SPAN}-00", RequestContext(TRACE, parent=SPAN, sampled=False)),
        (f"00-{TRACE}-{SPAN}-03", RequestContext(TRACE, parent=SPAN, sampled=True)),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-adds", RequestContext(TRACE, parent=SPAN, sampled=True)),
    ],
)
def test_a_call_continues_the_trace_of_its_caller(header: str, expected: RequestContext) -> None:
    """W3C Trace Context, this version and later ones."""
    assert RequestContext.begin(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "33080219900307123X",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-0１",
    ],
)
def test_a_call_without_a_valid_header_begins_its_own_trace(header: str | None) -> None:
    """What is not written as agreed is as good as not there."""
    begun = RequestContext.begin(header)

    assert (begun.parent, begun.sampled) == (None, False)
    assert re.fullmatch("[0-9a-f]{32}", begun.trace_id)
    assert begun.trace_id != RequestContext.begin(header).trace_id
