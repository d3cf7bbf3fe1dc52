"""
What the rows of the social insurance register become.
"""

from collections.abc import Callable
from datetime import date

import pytest

from adapters.contract import Rows
from adapters.errors import AnswerUnreadable
from adapters.human_resources.mapping import PARTICIPATION
from adapters.interpretation import interpret
from schemas.codes import AddressKind, InsuranceKind, ParticipationState, Reason, Sex
from schemas.records import AddressRecord, InsuranceParticipation, PersonIdentity
from schemas.subject import Subject

LIVE = {
    "AAC001": "3308000000000001",
    "AAC002": "330802199003071239",
    "AAC003": "柯明远",
    "AAC004": "1",
    "AAC006": 19900307,
    "AAB001": "33080200012345",
    "AAB004": "衢州示例机械厂",
    "AAE140": "110",
    "AAC031": "1",
    "AAC030": 20190401,
    "AAE003": 202610,
    "AAE006": "衢州市柯城区旧址路9号",
    "AAE007": "324000",
    "AAC067": "10000000001",
    "AAE005": "0570-0000001",
    "AAB300": "衢州市社会保险事业管理中心",
    "AAE036": 20180302,
    "AAC040": 8000.5,
    "AAE180": 8000,
    "AAC005": "01",
}

ENDED = LIVE | {
    "AAB001": "33080200054321",
    "AAB004": "衢州旧事食品厂",
    "AAE140": "310",
    "AAC031": "3",
    "AAC030": 20110101,
    "AAE003": 201812,
}

PERSON = PersonIdentity(
    id_number="330802199003071239",
    full_name="柯明远",
    sex=Sex.MALE,
    born_on=date(1990, 3, 7),
    telephone="10000000001",
)
CONTACT = AddressRecord(
    kind=AddressKind.CONTACT,
    text="衢州市柯城区旧址路9号",
    postcode="324000",
    telephone="10000000001",
    as_of=date(2018, 3, 2),
)


def test_participations_yield_insurances_and_leads(rows: Callable[..., Rows], person: Subject) -> None:
    """The person and the declared address are read once, and an ended participation leads to no employer."""
    reading = interpret(rows(LIVE, ENDED), PARTICIPATION, person)

    assert [holding.record for holding in reading.records] == [
        PERSON,
        InsuranceParticipation(
            insurance=InsuranceKind.ENTERPRISE_PENSION,
            state=ParticipationState.ACTIVE,
            employer="衢州示例机械厂",
            employer_number="33080200012345",
            since=date(2019, 4, 1),
            paid_until="2026-10",
            office="衢州市社会保险事业管理中心",
        ),
        AddressRecord(kind=AddressKind.EMPLOYER, text="衢州示例机械厂", as_of=date(2019, 4, 1)),
        CONTACT,
        InsuranceParticipation(
            insurance=InsuranceKind.EMPLOYEE_HEALTH,
            state=ParticipationState.ENDED,
            employer="衢州旧事食品厂",
            employer_number="33080200054321",
            since=date(2011, 1, 1),
            paid_until="2018-12",
            office="衢州市社会保险事业管理中心",
        ),
    ]
    assert reading.drift == ()


def test_wages_reach_nothing(rows: Callable[..., Rows], person: Subject) -> None:
    """Uninvited sensitive leaves are known and dropped: no record, no origin, no drift names their content."""
    reading = interpret(rows(LIVE), PARTICIPATION, person)

    kept = [origin.raw for holding in reading.records for origin in holding.origins.values()]
    assert not {8000.5, 8000}.intersection(kept)
    assert all(PARTICIPATION.ignore[leaf] for leaf in ("AAC040", "AAE180", "AAC005"))


def test_the_contact_number_stands_in_for_a_missing_mobile_number(rows: Callable[..., Rows], person: Subject) -> None:
    """The mobile number comes first; without it the contact number is read."""
    reading = interpret(rows(LIVE | {"AAC067": None}), PARTICIPATION, person)

    telephone = reading.records[0].origins["telephone"]
    assert (telephone.path, telephone.raw) == ("AAE005", "0570-0000001")


@pytest.mark.parametrize("leaf", ["AAE140", "AAC031", "AAC004"])
def test_an_unlisted_insurance_code_is_no_guess(rows: Callable[..., Rows], person: Subject, leaf: str) -> None:
    """A kind or state of insurance outside the table makes the answer unreadable."""
    with pytest.raises(AnswerUnreadable) as caught:
        interpret(rows(LIVE | {leaf: "888"}), PARTICIPATION, person)

    assert (caught.value.reason, caught.value.at) == (Reason.UNKNOWN_CODE, leaf)
