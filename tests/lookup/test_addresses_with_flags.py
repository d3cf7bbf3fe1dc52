"""
Effects of service flags on addresses: leads, warnings, or none.
"""

from datetime import date
from typing import Any

import pytest

from schemas.address import (
    AddressWarning,
    CaseFile,
    Ladder,
    LadderNote,
    ServiceAddress,
)
from schemas.coded_text import coded_text
from schemas.codes import AddressKind, AnswerState, LifeStatus, Reason, RegistrationState
from schemas.lookup import LookupResult

HOME = "浙江省衢州市柯城区示例路1号"
FLAT = "浙江省杭州市拱墅区示例街2号"
OFFICE = "浙江省衢州市衢江区示例大道3号"
OTHER_OFFICE = "浙江省衢州市龙游县示例巷4号"


def ranked(result: LookupResult) -> list[tuple[int | None, AddressKind, str]]:
    """The list of addresses as a reader sees its order."""
    return [(address.rank, address.kind, address.text.value) for address in result.addresses]


def codes(address: ServiceAddress) -> list[AddressWarning]:
    """The warnings of an address, as words."""
    return [warning.code for warning in address.warnings]


def test_every_address_of_a_deceased_party_is_a_lead(scenario: Any) -> None:
    """Effect `stop`: even a confirmed address is a lead."""
    result = scenario.merge(
        scenario.person,
        scenario.police(scenario.address(AddressKind.HOUSEHOLD, HOME), life_status=LifeStatus.DECEASED),
        case=CaseFile(addresses=(scenario.case_address(AddressKind.CONFIRMED, FLAT),)),
    )

    assert ranked(result) == [(None, AddressKind.CONFIRMED, FLAT), (None, AddressKind.HOUSEHOLD, HOME)]
    assert [codes(address) for address in result.addresses] == [[AddressWarning.PARTY_DECEASED]] * 2
    assert result.ladder == Ladder(complete=True, notes=(coded_text(LadderNote.PARTY_DECEASED),))


def test_home_of_a_soldier_is_a_lead_and_a_confirmed_address_keeps_its_rank(scenario: Any) -> None:
    """民事诉讼法 92: service goes through the unit."""
    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            scenario.address(AddressKind.RESIDENCE, FLAT),
            serving_soldier=True,
        ),
        case=CaseFile(addresses=(scenario.case_address(AddressKind.CONFIRMED, OFFICE),)),
    )

    assert ranked(result) == [
        (0, AddressKind.CONFIRMED, OFFICE),
        (None, AddressKind.HOUSEHOLD, HOME),
        (None, AddressKind.RESIDENCE, FLAT),
    ]
    assert [codes(address) for address in result.addresses[1:]] == [[AddressWarning.SERVING_SOLDIER]] * 2


@pytest.mark.parametrize("state", [RegistrationState.DEREGISTERED, RegistrationState.REVOKED_DEREGISTERED])
def test_office_of_a_deregistered_organization_is_a_lead(scenario: Any, state: RegistrationState) -> None:
    """The party no longer exists there; the office of another registry keeps its rank."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE), state=state),
        scenario.registry(scenario.address(AddressKind.DOMICILE, OTHER_OFFICE), agency="civil_affairs"),
    )

    assert ranked(result) == [(5, AddressKind.DOMICILE, OTHER_OFFICE), (None, AddressKind.DOMICILE, OFFICE)]
    assert codes(result.addresses[1]) == [AddressWarning.PARTY_DEREGISTERED]


def test_office_of_a_revoked_organization_is_ranked_with_a_warning(scenario: Any) -> None:
    """A revoked organization that is not deregistered is still a party."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE), state=RegistrationState.REVOKED),
    )

    assert ranked(result) == [(5, AddressKind.DOMICILE, OFFICE)]
    assert codes(result.addresses[0]) == [AddressWarning.REVOKED]


def test_ambiguous_identity_withholds_all_addresses(scenario: Any) -> None:
    """Two subjects have one number: not even unambiguous addresses of another agency are released."""
    result = scenario.merge(
        scenario.person,
        scenario.answered(
            "public_security",
            "addresses",
            scenario.identity(),
            scenario.address(AddressKind.HOUSEHOLD, HOME),
            state=AnswerState.AMBIGUOUS,
            reason=Reason.SEVERAL_MATCHES,
        ),
        scenario.answered("human_resources", "participation", scenario.address(AddressKind.CONTACT, FLAT)),
        case=CaseFile(addresses=(scenario.case_address(AddressKind.CONFIRMED, OFFICE),)),
    )

    assert (result.addresses, result.identity) == ((), None)
    assert result.ladder == Ladder(complete=False, notes=(coded_text(LadderNote.IDENTITY_AMBIGUOUS),))


def test_office_that_a_second_registry_confirms_keeps_its_rank(scenario: Any) -> None:
    """One registry states deregistered, the other has the same office: the clerk decides the conflict."""
    result = scenario.merge(
        scenario.organization,
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE), state=RegistrationState.DEREGISTERED),
        scenario.registry(scenario.address(AddressKind.DOMICILE, OFFICE), agency="civil_affairs"),
    )

    assert ranked(result) == [(5, AddressKind.DOMICILE, OFFICE)]
