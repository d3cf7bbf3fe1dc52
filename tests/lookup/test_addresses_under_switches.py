"""
What the switches do to addresses: leads, warnings, or nothing at all.
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


def rungs(result: LookupResult) -> list[tuple[int | None, AddressKind, str]]:
    """The list of addresses as a reader sees its order."""
    return [(one.rank, one.kind, one.text.value) for one in result.addresses]


def codes(address: ServiceAddress) -> list[AddressWarning]:
    """The warnings of an address, as words."""
    return [warning.code for warning in address.warnings]


def test_of_a_deceased_party_no_address_is_usable(world: Any) -> None:
    """Stop: even a confirmed address is no more than a lead."""
    result = world.merge(
        world.person,
        world.police(world.address(AddressKind.HOUSEHOLD, HOME), life_status=LifeStatus.DECEASED),
        case=CaseFile(addresses=(world.known(AddressKind.CONFIRMED, FLAT),)),
    )

    assert rungs(result) == [(None, AddressKind.CONFIRMED, FLAT), (None, AddressKind.HOUSEHOLD, HOME)]
    assert [codes(address) for address in result.addresses] == [[AddressWarning.PARTY_DECEASED]] * 2
    assert result.ladder == Ladder(complete=True, notes=(coded_text(LadderNote.PARTY_DECEASED),))


def test_the_home_of_a_serving_soldier_is_a_lead_and_a_confirmed_address_stays(world: Any) -> None:
    """民事诉讼法 92: service goes through the unit."""
    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, HOME, as_of=date(2009, 5, 1)),
            world.address(AddressKind.RESIDENCE, FLAT),
            serving_soldier=True,
        ),
        case=CaseFile(addresses=(world.known(AddressKind.CONFIRMED, OFFICE),)),
    )

    assert rungs(result) == [
        (0, AddressKind.CONFIRMED, OFFICE),
        (None, AddressKind.HOUSEHOLD, HOME),
        (None, AddressKind.RESIDENCE, FLAT),
    ]
    assert [codes(address) for address in result.addresses[1:]] == [[AddressWarning.SERVING_SOLDIER]] * 2


@pytest.mark.parametrize("state", [RegistrationState.DEREGISTERED, RegistrationState.REVOKED_DEREGISTERED])
def test_the_office_of_a_deregistered_organization_is_a_lead(world: Any, state: RegistrationState) -> None:
    """There is no party any more that could be served there; the office of another registry stays."""
    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE), state=state),
        world.registry(world.address(AddressKind.DOMICILE, OTHER_OFFICE), agency="civil_affairs"),
    )

    assert rungs(result) == [(5, AddressKind.DOMICILE, OTHER_OFFICE), (None, AddressKind.DOMICILE, OFFICE)]
    assert codes(result.addresses[1]) == [AddressWarning.PARTY_DEREGISTERED]


def test_the_office_of_a_revoked_organization_is_kept_with_a_warning(world: Any) -> None:
    """Revoked and not deregistered is still a party."""
    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE), state=RegistrationState.REVOKED),
    )

    assert rungs(result) == [(5, AddressKind.DOMICILE, OFFICE)]
    assert codes(result.addresses[0]) == [AddressWarning.REVOKED]


def test_no_address_is_released_while_it_is_not_settled_who_the_party_is(world: Any) -> None:
    """Two subjects on one number: not even what another agency found without a doubt."""
    result = world.merge(
        world.person,
        world.heard(
            "public_security",
            "addresses",
            world.alive(),
            world.address(AddressKind.HOUSEHOLD, HOME),
            state=AnswerState.AMBIGUOUS,
            reason=Reason.SEVERAL_MATCHES,
        ),
        world.heard("human_resources", "participation", world.address(AddressKind.CONTACT, FLAT)),
        case=CaseFile(addresses=(world.known(AddressKind.CONFIRMED, OFFICE),)),
    )

    assert (result.addresses, result.identity) == ((), None)
    assert result.ladder == Ladder(complete=False, notes=(coded_text(LadderNote.IDENTITY_AMBIGUOUS),))


def test_an_office_that_a_second_registry_still_holds_stays_usable(world: Any) -> None:
    """One registry says deregistered, the other holds the same office: the conflict is the clerk's to decide."""
    result = world.merge(
        world.organization,
        world.registry(world.address(AddressKind.DOMICILE, OFFICE), state=RegistrationState.DEREGISTERED),
        world.registry(world.address(AddressKind.DOMICILE, OFFICE), agency="civil_affairs"),
    )

    assert rungs(result) == [(5, AddressKind.DOMICILE, OFFICE)]
