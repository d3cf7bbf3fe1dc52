"""
Purposes for which a stored result is disclosed: to read it, print it, reveal a masked number, or use an address.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from audit.format.event import EventType
from schemas.codes import Code
from schemas.lookup import LookupResult, dump

NUMBERS = ("subject.id_number", "identity.id_number")


class NothingToDisclose(Exception):
    """The result has no such field, or no such address."""


class RevealReason(Code):
    """Why a number is shown in full.  The audit log records the reason, the caller and the time."""

    CHECK_NUMBER = "check_number", "与身份证件或案卷核对", "To compare it with a document or the case file"
    FILL_FORM = "fill_form", "填写文书或邮寄单", "To fill in a document or a mailing form"
    CALL_AGENCY = "call_agency", "向该单位电话核实", "To speak with the agency by telephone"
    TELL_PARTY = "tell_party", "当事人本人要求核对", "The party asks to have it checked"
    OTHER = "other", "其他（请写明）", "Another reason, in words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """The content of the audit record of one disclosure.  `note` is sealed with it."""

    type: EventType = EventType.RESULT_READ
    outcome: str = "released"
    released: tuple[str, ...] = ()
    detail: Mapping[str, str | int] = field(default_factory=dict)
    note: str | None = field(default=None, repr=False)


# Makes the disclosure from the result.  Raises `NothingToDisclose`.
Purpose = Callable[[LookupResult], Disclosure]


def reading(_result: LookupResult) -> Disclosure:
    """To read the result."""
    return Disclosure()


def printing(salt: bytes) -> Purpose:
    """To print the result: the record commits to exactly what is printed."""

    def disclosure(result: LookupResult) -> Disclosure:
        detail = {"digest": digest_of(result, salt)}
        return Disclosure(type=EventType.RECORD_PRINTED, released=result.sections, detail=detail)

    return disclosure


def digest_of(result: LookupResult, salt: bytes) -> str:
    """
    The digest of a printed result: SHA-256 over the salt and the result's JSON, in hexadecimal.

    The salt is printed on the paper and stored nowhere, so that the result cannot be found by trial.
    """
    return hashlib.sha256(salt + dump(replace(result, audit=None))).hexdigest()


def revealing(name: str, reason: RevealReason, note: str | None) -> Purpose:
    """To show one number in full."""

    def disclosure(result: LookupResult) -> Disclosure:
        number(result, name)
        detail = {"reason": reason.value}
        return Disclosure(type=EventType.FIELD_REVEALED, released=(name,), detail=detail, note=note)

    return disclosure


def using(place: int) -> Purpose:
    """To serve documents at one of its addresses; `place` counts from 1."""

    def disclosure(result: LookupResult) -> Disclosure:
        if not 1 <= place <= len(result.addresses):
            raise NothingToDisclose
        address = result.addresses[place - 1]
        detail: dict[str, str | int] = {"place": place, "kind": address.kind.value}
        if address.rank is not None:
            detail["rank"] = address.rank
        return Disclosure(type=EventType.ADDRESS_USED, outcome="used", detail=detail)

    return disclosure


def number(result: LookupResult, name: str) -> str:
    """One of the `NUMBERS` of a result.  Raises `NothingToDisclose` if it is missing, or masked by the grant."""
    if name == "subject.id_number":
        return result.subject.id_number
    number_field = getattr(result.identity, "id_number", None) if name == "identity.id_number" else None
    if number_field is None or name in result.masked:
        raise NothingToDisclose
    return str(number_field.value)
