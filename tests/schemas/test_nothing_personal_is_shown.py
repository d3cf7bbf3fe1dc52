"""
What holds personal data shows none of it when it is printed, as in a traceback or a debugger's log.
"""

from schemas.codes import AddressKind
from schemas.records import AddressRecord, PersonIdentity
from schemas.work_order import WorkOrderStatement

STATEMENT = {
    "version": 1,
    "status": "dispatched",
    "kind": "service-of-process",
    "court": "浙0802",
    "case_number": "（2026）浙0802民初1877号",
    "holder": {
        "user": "li.ting",
        "name": "李婷",
        "id_number": "330802199003071239",
        "unit_code": "11330800DEM000196R",
        "unit_name": "示例法院",
        "terminal": "10.0.0.17",
    },
    "parties": [
        {
            "role": "defendant",
            "kind": "person",
            "id_type": "resident_id",
            "id_number": "33080219900307005X",
            "name": "沈知溪",
        }
    ],
}


def test_records_and_work_orders_print_without_their_contents() -> None:
    """Neither number nor name nor address."""
    statement = WorkOrderStatement.model_validate(STATEMENT)
    person = PersonIdentity(id_number="33080219900307005X", full_name="沈知溪")
    address = AddressRecord(kind=AddressKind.HOUSEHOLD, text="示例路1号")
    printed = f"{statement!r} {statement} {statement.parties!r} {statement.holder} {person!r} {address}"

    personal = ["33080219900307005X", "330802199003071239", "沈知溪", "李婷", "示例路1号"]
    assert [canary for canary in personal if canary in printed] == []
