"""
What the rows of the business register become.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from adapters.contract import Rows
from adapters.errors import AnswerUnreadable
from adapters.interpretation import interpret
from adapters.market_regulation.mapping import ORGANIZATION, POSITIONS, STATE, representative_role
from schemas.codes import AddressKind, AnswerState, Reason, RegistrationState
from schemas.records import AddressRecord, OrganizationIdentity, OrganizationRegistration, Position, Record
from schemas.subject import Subject

ROW = {
    "uniscid": "91330802DEM000014A",
    "regno": "330800000000017",
    "entname": "衢州示例贸易有限公司",
    "enttypeCn": "有限责任公司（自然人投资或控股）",
    "name": "柯明远",
    "dom": "衢州市柯城区示例路100号",
    "regstateCn": "存续（在营、开业、在册）",
    "regorgCn": "衢州市柯城区市场监督管理局",
    "sExtNodenum": "330000",
    "estdate": 1434556800000,
    "apprdate": 1704038400000,
    "opfrom": 1434556800000,
    "opto": None,
    "regcap": 100.0,
    "regcapcurCn": "人民币",
    "opscope": "日用百货",
    "proloc": "衢州市柯城区市场路5号",
    "postalcode": "324000",
    "tel": "0570-0000002",
    "clsflag": "0",
    "clsfrom": None,
    "clsto": None,
    "clsaddr": None,
    "clsrecipient": None,
    "fgnflag": "0",
    "svcrecipient": None,
    "svcaddr": None,
    "svctel": None,
    "abnflag": "0",
    "abnreason": None,
}

REGISTRATION = OrganizationRegistration(
    name="衢州示例贸易有限公司",
    state=RegistrationState.ACTIVE,
    uscc="91330802DEM000014A",
    registration_number="330800000000017",
    registry="衢州市柯城区市场监督管理局",
    representative="柯明远",
    founded_on=date(2015, 6, 18),
    approved_on=date(2024, 1, 1),
    term_from=date(2015, 6, 18),
)
DOMICILE = AddressRecord(
    kind=AddressKind.DOMICILE,
    text="衢州市柯城区示例路100号",
    postcode="324000",
    telephone="0570-0000002",
    as_of=date(2024, 1, 1),
)
BUSINESS_PLACE = AddressRecord(kind=AddressKind.BUSINESS_PLACE, text="衢州市柯城区市场路5号", as_of=date(2024, 1, 1))


@pytest.fixture
def held(rows: Callable[..., Rows], company: Subject) -> Callable[..., list[Record]]:
    """The records that the register holds, given what differs from the plain row."""

    def build(**differing: object) -> list[Record]:
        reading = interpret(rows(ROW | differing), ORGANIZATION, company)
        assert (reading.state, reading.drift) == (AnswerState.FOUND, ())
        return [holding.record for holding in reading.records]

    return build


def test_a_registration_yields_identity_state_and_addresses(held: Callable[..., list[Record]]) -> None:
    """Dates are days in China; an open term has no end; capital and scope are dropped."""
    assert held() == [
        OrganizationIdentity(
            name="衢州示例贸易有限公司",
            uscc="91330802DEM000014A",
            registration_number="330800000000017",
            type_text="有限责任公司（自然人投资或控股）",
            representative="柯明远",
            representative_role="法定代表人",
        ),
        REGISTRATION,
        DOMICILE,
        BUSINESS_PLACE,
    ]


def test_suspension_brings_the_legal_document_address_with_its_end(held: Callable[..., list[Record]]) -> None:
    """歇业: the filed address stands beside the domicile until its last day."""
    records = held(
        clsflag="1",
        clsfrom=1764518400000,
        clsto=1827504000000,
        clsaddr="衢州市柯城区代收路7号",
        clsrecipient="郑代收",
    )

    assert records[1:4] == [
        replace(REGISTRATION, suspended_until=date(2027, 11, 30)),
        DOMICILE,
        AddressRecord(
            kind=AddressKind.LEGAL_DOCUMENTS,
            text="衢州市柯城区代收路7号",
            recipient="郑代收",
            as_of=date(2025, 12, 1),
            valid_until=date(2027, 11, 30),
        ),
    ]


def test_a_past_suspension_leaves_no_trace(held: Callable[..., list[Record]]) -> None:
    """Only while the flag stands do the dates and the address of a suspension count."""
    assert held(clsflag="0", clsto=1827504000000, clsaddr="衢州市柯城区代收路7号")[1:] == [
        REGISTRATION,
        DOMICILE,
        BUSINESS_PLACE,
    ]


def test_a_suspension_without_an_end_is_unreadable(rows: Callable[..., Rows], company: Subject) -> None:
    """The flag without its last day could be read either way, so it is not read."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows(ROW | {"clsflag": "1"}), ORGANIZATION, company)

    assert (caught.value.reason, caught.value.at) == (Reason.MISSING_LEAF, "clsto")


def test_a_foreign_invested_company_has_a_recipient_for_papers(held: Callable[..., list[Record]]) -> None:
    """The filed recipient comes with role, address and telephone."""
    records = held(fgnflag="1", svcrecipient="吴受达", svcaddr="衢州市柯城区使节路8号", svctel="0570-0000003")

    assert records[3] == AddressRecord(
        kind=AddressKind.SERVICE_RECIPIENT,
        text="衢州市柯城区使节路8号",
        recipient="吴受达",
        recipient_role="法律文件送达接受人",
        telephone="0570-0000003",
        as_of=date(2024, 1, 1),
    )


def test_the_abnormal_list_warns_against_the_domicile_alone(held: Callable[..., list[Record]]) -> None:
    """经营异常名录 is a flag of the registration and of the domicile; other addresses carry no warning."""
    assert held(abnflag="1", abnreason="通过登记的住所无法联系")[1:] == [
        replace(REGISTRATION, abnormal_list=True),
        replace(DOMICILE, adverse=True),
        BUSINESS_PLACE,
    ]


@pytest.mark.parametrize(
    ("written", "state"),
    [
        ("存续(在营、开业、在册)", RegistrationState.ACTIVE),
        ("吊销,未注销", RegistrationState.REVOKED),
        ("吊销，未注销", RegistrationState.REVOKED),
        ("吊销, 已注销", RegistrationState.REVOKED_DEREGISTERED),
        ("注销", RegistrationState.DEREGISTERED),
        ("撤销", RegistrationState.RESCINDED),
        ("迁出", RegistrationState.MOVED_OUT),
        ("其他", RegistrationState.OTHER),
    ],
)
def test_the_state_is_read_by_its_text_whatever_the_width(written: str, state: RegistrationState) -> None:
    """Half and full width of comma and bracket are one text."""
    assert STATE(written) is state


@pytest.mark.parametrize("written", ["1", "吊销", "存续中", "歇业", "注销，"])
def test_a_state_outside_the_table_is_unavailable(rows: Callable[..., Rows], company: Subject, written: str) -> None:
    """Neither a number nor a similar text is taken for a state."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows(ROW | {"regstateCn": written}), ORGANIZATION, company)

    assert (caught.value.reason, caught.value.at) == (Reason.UNKNOWN_CODE, "regstateCn")


@pytest.mark.parametrize(
    ("type_text", "role"),
    [
        ("有限责任公司（自然人独资）", "法定代表人"),
        ("有限责任公司分公司（自然人投资或控股）", "负责人"),
        ("农民专业合作社", "法定代表人"),
        ("农民专业合作社分支机构", "负责人"),
        ("个人独资企业", "投资人"),
        ("有限合伙企业", "执行事务合伙人"),
        ("个体工商户", "经营者"),
        ("未约定的类型", None),
    ],
)
def test_the_role_of_the_representative_follows_the_type(type_text: str, role: str | None) -> None:
    """A type that is not agreed yields no role."""
    assert representative_role(type_text) == role


def test_a_registration_number_is_checked_against_its_own_leaf(rows: Callable[..., Rows], company: Subject) -> None:
    """One name and number with two credit codes is two organizations."""
    by_number = replace(ORGANIZATION, identifier_element="regno")
    asked = replace(company, id_type=type(company.id_type).REGISTRATION_NUMBER, id_number="330800000000017")

    assert interpret(rows(ROW | {"uniscid": None}), by_number, asked).state is AnswerState.FOUND
    twice = interpret(rows(ROW, ROW | {"uniscid": "91330803DEM000022K"}), by_number, asked)
    assert (twice.state, twice.reason) == (AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES)


def test_positions_are_read_row_by_row(rows: Callable[..., Rows], person: Subject) -> None:
    """A person may stand in several organizations; that is no ambiguity."""
    first = {
        "uniscid": "91330802DEM000014A",
        "entname": "衢州示例贸易有限公司",
        "position": "法定代表人",
        "regstateCn": "存续（在营、开业、在册）",
    }
    second = {"uniscid": None, "entname": "衢州旧事食品厂", "position": "投资人", "regstateCn": "吊销，未注销"}

    reading = interpret(rows(first, second), POSITIONS, person)

    assert reading.state is AnswerState.FOUND
    assert [holding.record for holding in reading.records] == [
        Position(
            organization="衢州示例贸易有限公司",
            role="法定代表人",
            uscc="91330802DEM000014A",
            state=RegistrationState.ACTIVE,
        ),
        Position(organization="衢州旧事食品厂", role="投资人", state=RegistrationState.REVOKED),
    ]
