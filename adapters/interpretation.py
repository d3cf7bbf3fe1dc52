"""
From an agency's rows to one reading: about whom they are, whether that is one subject, and what is held.

    no row                                   not_found
    rows, none about the subject asked for   AnswerUnreadable(wrong_subject)
    rows about several different subjects    ambiguous, several_matches
    number right, name not                   ambiguous, name_mismatch (nothing is held if the agency itself says so)
    else                                     found

Two persons on one number have existed: a number alone never merges two rows, and a name in the question never picks
one of them.  What an ambiguous reading holds is for a clerk to choose from, not to be used as it stands.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.contract import Interpretation, Rows
from adapters.errors import AnswerUnreadable
from adapters.mapping import RecordMap, RecordWithOrigins, is_present
from schemas.codes import AnswerState, Reason
from schemas.comparison import comparable_text
from schemas.identifiers import IdentifierError, parse, same_identifier
from schemas.records import Record
from schemas.subject import Subject

Row = Mapping[str, Any]

# Degree of match (`_PPDDM`): only this value is agreed; every other reads as "no match".
_MATCHES = "1"

_NUMBER_LENGTH = 18

# Characters of a leaf that is read.  Comparing and folding is work on the event loop: five megabytes of one "number"
# would hold it for a second.  Leaves that are not read, such as a photo, may be as long as they like.
LONGEST_LEAF: Final = 1_000


def interpret(rows: Rows, mapping: RecordMap, subject: Subject) -> Interpretation:
    """
    Reads the rows of one answer about one subject.  Raises `AnswerUnreadable`.
    """
    for row in rows.records:
        _check_lengths(row, mapping)
    mine = [row for row in rows.records if _is_about(row, mapping, subject)]
    if rows.records and not mine:
        raise AnswerUnreadable(Reason.WRONG_SUBJECT, at=mapping.identifier_element)
    # By record: of equal ones the first stands, and many rows are not compared with each other.
    holdings: dict[Record, RecordWithOrigins] = {}
    drift = set(rows.drift)
    for row in mine:
        held, unknown = mapping.read(row)
        drift.update(unknown)
        for holding in held:
            holdings.setdefault(holding.record, holding)
    state, reason = _state(rows.records, mine, mapping, subject)
    if any(_is_denied(row, mapping, subject) for row in mine):
        # What stands in the row then is our own question's name, not one that the agency vouches for.
        holdings.clear()
    return Interpretation(
        state=state,
        reason=reason,
        answered_at=rows.answered_at,
        records=tuple(holdings.values()),
        reference=rows.reference,
        drift=tuple(sorted(drift)),
    )


def person_terms(subject: Subject) -> dict[str, str]:
    """
    The terms by which a person is asked for: `id_number` and, where known, `name`.
    """
    return {"id_number": registered_number(subject)} | ({"name": subject.name} if subject.name else {})


def registered_number(subject: Subject) -> str:
    """The number of a person in the form by which registers keep it: of 15 digits, the one of 18."""
    if len(subject.id_number) == _NUMBER_LENGTH:
        return subject.id_number
    return parse(subject.id_type, subject.id_number, country=subject.country).canonical_value


def _check_lengths(row: Row, mapping: RecordMap) -> None:
    too_long = [leaf for leaf in mapping.elements if isinstance(row.get(leaf), str) and len(row[leaf]) > LONGEST_LEAF]
    if too_long:
        raise AnswerUnreadable(at=min(too_long))


def _state(
    rows: Sequence[Row], mine: Sequence[Row], mapping: RecordMap, subject: Subject
) -> tuple[AnswerState, Reason | None]:
    if not rows:
        return AnswerState.NOT_FOUND, None
    if len(mine) < len(rows) or len({_who(row, mapping) for row in mine}) > 1:
        return AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES
    if not all(_is_named(row, mapping, subject) for row in mine):
        return AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH
    return AnswerState.FOUND, None


def _is_about(row: Row, mapping: RecordMap, subject: Subject) -> bool:
    if mapping.identifier_element is None:
        return True
    leaf = row.get(mapping.identifier_element)
    if not is_present(leaf):
        raise AnswerUnreadable(Reason.MISSING_LEAF, field="id_number", at=mapping.identifier_element)
    return comparable_text(str(leaf)) == comparable_text(subject.id_number) or _is_other_form(str(leaf), subject)


def _is_other_form(echoed: str, subject: Subject) -> bool:
    # A malformed number in a register is a fact, not an error: it is just no form of this number.
    try:
        return same_identifier(parse(subject.id_type, echoed), parse(subject.id_type, subject.id_number))
    except IdentifierError:
        return False


def _who(row: Row, mapping: RecordMap) -> tuple[str, ...]:
    return tuple(
        _comparable(row.get(leaf)) for leaf in (mapping.name_element, *mapping.distinguishing_elements) if leaf
    )


def _is_named(row: Row, mapping: RecordMap, subject: Subject) -> bool:
    if subject.name is None:
        return True
    if _is_denied(row, mapping, subject):
        return False
    names = {_comparable(row.get(leaf)) for leaf in (mapping.name_element, mapping.former_name_element) if leaf} - {""}
    return not names or comparable_text(subject.name) in names


def _is_denied(row: Row, mapping: RecordMap, subject: Subject) -> bool:
    degrees = [str(row[leaf]).strip() for leaf in mapping.match_elements if is_present(row.get(leaf))]
    return subject.name is not None and any(degree != _MATCHES for degree in degrees)


def _comparable(leaf: Any) -> str:
    return comparable_text(str(leaf)) if is_present(leaf) else ""
