"""
What a stored answer is opened for, as the log says it: to be read, printed, shown without a mask, or used.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from audit.format.event import EventType
from schemas.codes import Code
from schemas.lookup import LookupResult, dump

NUMBERS = ("subject.id_number", "identity.id_number")


class NothingToDisclose(Exception):
    """The answer holds no such field, or no such address."""


class RevealReason(Code):
    """Why a number is shown in full.  The reason stands in the log, with who asked and when."""

    CHECK_NUMBER = "check_number", "与身份证件或案卷核对", "To compare it with a document or the case file"
    FILL_FORM = "fill_form", "填写文书或邮寄单", "To fill in a document or a mailing form"
    CALL_AGENCY = "call_agency", "向该单位电话核实", "To speak with the agency by telephone"
    TELL_PARTY = "tell_party", "当事人本人要求核对", "The party asks to have it checked"
    OTHER = "other", "其他（请写明）", "Another reason, in words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What the record of one opening says.  `note` is sealed with it."""

    type: EventType = EventType.RESULT_READ
    outcome: str = "released"
    released: tuple[str, ...] = ()
    detail: Mapping[str, str | int] = field(default_factory=dict)
    note: str | None = field(default=None, repr=False)


# What the answer is opened for follows from the answer itself.  Raises `NotThere`.
Purpose = Callable[[LookupResult], Disclosure]


def reading(_result: LookupResult) -> Disclosure:
    """To be read."""
    return Disclosure()


def printing(salt: bytes) -> Purpose:
    """To be printed: the record commits to exactly what the paper says."""

    def opening(result: LookupResult) -> Disclosure:
        detail = {"digest": digest_of(result, salt)}
        return Disclosure(type=EventType.RECORD_PRINTED, released=result.sections, detail=detail)

    return opening


def digest_of(result: LookupResult, salt: bytes) -> str:
    """
    What the log knows of a printed answer: SHA-256 over the salt and the answer's JSON, in hexadecimal.

    The salt stands on the paper and nowhere else, so that nobody can find the answer by trying.
    """
    return hashlib.sha256(salt + dump(replace(result, audit=None))).hexdigest()


def revealing(name: str, reason: RevealReason, note: str | None) -> Purpose:
    """To show one number in full."""

    def opening(result: LookupResult) -> Disclosure:
        number(result, name)
        detail = {"reason": reason.value}
        return Disclosure(type=EventType.FIELD_REVEALED, released=(name,), detail=detail, note=note)

    return opening


def using(place: int) -> Purpose:
    """To serve at one of its addresses; `place` counts from 1."""

    def opening(result: LookupResult) -> Disclosure:
        if not 1 <= place <= len(result.addresses):
            raise NothingToDisclose
        address = result.addresses[place - 1]
        detail: dict[str, str | int] = {"place": place, "kind": address.kind.value}
        if address.rank is not None:
            detail["rank"] = address.rank
        return Disclosure(type=EventType.ADDRESS_USED, outcome="used", detail=detail)

    return opening


def number(result: LookupResult, name: str) -> str:
    """One of the `NUMBERS` of a result.  Raises `NotThere` where it is not held, or where the grant masks it."""
    if name == "subject.id_number":
        return result.subject.id_number
    held = getattr(result.identity, "id_number", None) if name == "identity.id_number" else None
    if held is None or name in result.masked:
        raise NothingToDisclose
    return str(held.value)
