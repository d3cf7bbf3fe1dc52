"""
The leaf: the exact UTF-8 JSON bytes of an event that are hashed into the log (version 1).

Personal fields stand here as a commitment (`c`, base64) over exactly the bytes that are sealed outside the log:

    who       court, unit, role, client in clear;      c over {user, name, terminal}
    whose[i]  kind and type of identifier in clear;    c over {id_number, name, country}
    why       purpose, policy, decision, … in clear;   c over {work_order, case_number}
    digests   c over the SHA-256 of every raw answer, 32 bytes each in the order of `heard`, zeros where there was none

A record that completes another of its exchange (an outcome) does not repeat who, whose and why.

Times: `t` is microseconds since 1970, UTC, and informative (the order of the log is the index); `out` and `in` of a
question are milliseconds relative to `t`; `stated` is the agency's own time, milliseconds since 1970.
"""

import json
from binascii import b2a_base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.errors import RecordRefused
from audit.format.event import Actor, Event, PurposeOfUse, QuestionOutcome, is_fit_for_clear
from schemas.codes import AnswerState
from schemas.subject import Subject

VERSION = 1
LONGEST = 65_535  # an entry bundle gives the length of an entry in 16 bits

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STATE_BITS = {state: 1 << bit for bit, state in enumerate(AnswerState)}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def who_value(who: Actor) -> bytes:
    """The personal part of `who`, in the bytes that are committed to and sealed; empty if there is none."""
    return _present({"user": who.user, "name": who.name, "terminal": who.terminal})


def why_value(why: PurposeOfUse | None) -> bytes:
    """The personal part of `why`, likewise."""
    return b"" if why is None else _present({"work_order": why.work_order, "case_number": why.case_number})


def whose_value(subject: Subject) -> bytes:
    """The party's identity, likewise."""
    return _present({"id_number": subject.id_number, "name": subject.name, "country": subject.country})


def digests_value(event: Event) -> bytes:
    """The digests of all raw answers, 32 bytes each; empty if there is none."""
    digests = [_digest(answer.digest) for answer in event.answered]
    return b"".join(digest or bytes(32) for digest in digests) if any(digests) else b""


def read(body: bytes) -> dict[str, Any]:
    """A parsed leaf; empty if it is not JSON any more (its hash shows the alteration)."""
    try:
        leaf = json.loads(body)
    except ValueError:
        leaf = None
    return leaf if isinstance(leaf, dict) else {}


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def states_mask(event: Event) -> int:
    """One bit per answer state that occurs."""
    mask = 0
    for answer in event.answered:
        mask |= _STATE_BITS[answer.state]
    return mask


def mask_of(state: AnswerState) -> int:
    """The bit of one answer state."""
    return _STATE_BITS[state]


def body(event: Event, *, who: bytes, why: bytes, whose: list[bytes], digests: bytes) -> bytes:
    """
    The exact bytes of the leaf.  The commitments are 32 bytes, or empty where there is nothing to commit to.

    Raises `RecordRefused` for a leaf that is too long, or a detail that is not fit to stand in clear.
    """
    at = microseconds(event.at)
    leaf: dict[str, Any] = {"v": VERSION, "type": event.type.value, "xid": str(event.exchange), "t": at}
    if not event.type.is_completion:
        leaf["who"] = _who(event.who, who)
        leaf["whose"] = [_whose(subject, c) for subject, c in zip(event.whose, whose, strict=True)]
        leaf["why"] = event.why and _why(event.why, why)
    leaf |= {
        # An answer names its question.
        "ask": () if event.answered else [f"{question.agency}.{question.capability}" for question in event.asked],
        "heard": [_heard(answer, at // 1000) for answer in event.answered],
        "digests": digests and _base64(digests),
        "released": event.released,
        "outcome": event.outcome,
        "detail": event.detail and _detail(event),
    }
    leaf = {name: value for name, value in leaf.items() if value}
    encoded = _encode(leaf).encode()
    if len(encoded) > LONGEST:
        raise RecordRefused("could not record: the event is longer than an entry of the log can be")
    return encoded


def _who(who: Actor, commitment: bytes) -> dict[str, Any]:
    return _clear({"court": who.court, "unit": who.unit, "role": who.role, "client": who.client}, commitment)


def _whose(subject: Subject, commitment: bytes) -> dict[str, str]:
    return {"kind": subject.kind.value, "id": subject.id_type.value, "c": _base64(commitment)}


def _why(why: PurposeOfUse, commitment: bytes) -> dict[str, Any]:
    values = {
        "version": why.version,
        "kind": why.kind,
        "purpose": why.purpose,
        "policy": why.policy,
        "rules": why.rules,
        "grant": why.grant,
        "decision": why.decision,
    }
    return _clear(values, commitment)


def _clear(values: Mapping[str, Any], commitment: bytes) -> dict[str, Any]:
    clear = {name: value for name, value in values.items() if value}
    return clear | {"c": _base64(commitment)} if commitment else clear


def _heard(answer: QuestionOutcome, at: int) -> dict[str, Any]:
    outcome: dict[str, Any] = {"q": f"{answer.agency}.{answer.capability}", "is": answer.state.value}
    if answer.reason is not None:
        outcome["why"] = answer.reason.value
    if answer.records:
        outcome["n"] = answer.records
    if answer.attempts != 1:
        outcome["tries"] = answer.attempts
    if answer.asked_at is not None:
        outcome["out"] = microseconds(answer.asked_at) // 1000 - at
    if answer.answered_at is not None:
        outcome["in"] = microseconds(answer.answered_at) // 1000 - at
    if answer.stated_at is not None:
        outcome["stated"] = microseconds(answer.stated_at) // 1000
    return outcome


def _detail(event: Event) -> dict[str, str | int]:
    for name, value in event.detail.items():
        if not is_fit_for_clear(name) or (isinstance(value, str) and not is_fit_for_clear(value)):
            raise RecordRefused("could not record: a detail of the event is not fit to stand in clear")
    return dict(event.detail)


def _digest(digest: bytes | str | None) -> bytes | None:
    return bytes.fromhex(digest) if isinstance(digest, str) else digest


def _present(values: dict[str, str | None]) -> bytes:
    present = {name: value for name, value in values.items() if value}
    return _encode(present).encode() if present else b""


def _base64(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode("ascii")
