"""
The PACKAGE of the population base's reply, and the provincial relay's JSON form of it.
"""

import json
from typing import Final
from xml.sax.saxutils import escape

from mock_agencies.clock import MockClock, stamp
from mock_agencies.faults.records import Row

FOUND: Final = "10"
NOT_FOUND: Final = "11"

_RELAY_NAMES: Final = {
    "GMSFHM": "gmsfzh", "GMSFHM_PPDDM": "gmsfzh_ppddm", "CSD_GJHDQDM": "csd_gjdqm", "CSD_SSXQDM": "csd_ssxdqm",
}  # fmt: skip


def records(reference: str, clock: MockClock, code: str, rows: list[Row]) -> str:
    """Writes a reply with a record per row; none is an empty DATA."""
    written = "".join(
        f'<RECORD no="{number}" code="" msg="">'
        + "".join(f"<{leaf}>{escape(str(value))}</{leaf}>" for leaf, value in row.items())
        + "</RECORD>"
        for number, row in enumerate(rows, start=1)
    )
    return _package(reference, clock, code, "成功", written)


def empty(reference: str, clock: MockClock, code: str, message: str) -> str:
    """Writes a reply without records."""
    return _package(reference, clock, code, message, "")


def failed_record(reference: str, clock: MockClock, code: str, message: str) -> str:
    """Writes a successful reply whose one record carries an error of the provider behind."""
    return _package(reference, clock, FOUND, "成功", f'<RECORD no="1" code="{code}" msg="{message}"/>')


def relay(rows: list[Row]) -> bytes:
    """Writes the rows as the provincial relay does: lower-case names, some others, dates with hyphens."""
    renamed_rows = [
        {_RELAY_NAMES.get(leaf, leaf.lower()): _relayed(leaf, value) for leaf, value in row.items()} for row in rows
    ]
    body = {"head": {"status": "0", "msg": "查询成功"}, "data": {"cxjg": renamed_rows}}
    return json.dumps(body, ensure_ascii=False).encode()


def _relayed(leaf: str, value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if leaf == "CSRQ" else value


def _package(reference: str, clock: MockClock, code: str, message: str, inner: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><PACKAGE><PACKAGEHEAD>'
        f"<FFQQBH>{escape(reference)}</FFQQBH><FSSJ>{stamp(clock.now_ms())}</FSSJ>"
        f"<FHDM>{code}</FHDM><FHMS>{message}</FHMS></PACKAGEHEAD><DATA>{inner}</DATA></PACKAGE>"
    )
