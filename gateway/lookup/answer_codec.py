"""
An agency's answer as it is kept, sealed: whole, so that it can be merged with others hours later.

What the log keeps of an answer (its raw bytes, and so every raw leaf) is not kept twice.  The capability is found again
by its name.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from adapters.contract import Adapter, AnswerEvidence, Interpretation
from adapters.mapping import FieldOrigin, RecordWithOrigins
from gateway.lookup.fan_out import AgencyReply
from schemas.codes import AnswerState, Reason
from schemas.identifiers import Authority
from schemas.records import Record

_RECORDS: Final = {record.__name__: TypeAdapter(record) for record in get_args(Record)}


class _Holding(BaseModel, hide_input_in_errors=True):
    record: str
    fields: bytes
    paths: dict[str, str]


class _Reading(BaseModel, hide_input_in_errors=True):
    state: AnswerState
    answered_at: datetime
    holdings: tuple[_Holding, ...]
    reason: Reason | None
    reference: str | None
    drift: tuple[str, ...]


class _Answer(BaseModel, hide_input_in_errors=True):
    agency: str
    capability: str
    state: AnswerState
    asked_at: datetime
    answered_at: datetime
    reason: Reason | None
    retry_after: float | None
    authority: Authority | None
    attempts: int
    reading: _Reading | None
    reused_from: UUID | None = None


def dump(answer: AgencyReply) -> bytes:
    """The answer as JSON."""
    reading = answer.reading
    kept = None if reading is None else _Reading(
        state=reading.state,
        answered_at=reading.answered_at,
        holdings=tuple(_held(holding) for holding in reading.records),
        reason=reading.reason,
        reference=reading.reference,
        drift=reading.drift,
    )  # fmt: skip
    return (
        _Answer(
            agency=answer.agency,
            capability=answer.capability.name,
            state=answer.state,
            asked_at=answer.asked_at,
            answered_at=answer.answered_at,
            reason=answer.reason,
            retry_after=answer.retry_after,
            authority=answer.authority,
            attempts=answer.evidence.attempts,
            reading=kept,
            reused_from=answer.reused_from,
        )
        .model_dump_json()
        .encode()
    )


def load(kept: bytes, agencies: Mapping[str, Adapter]) -> AgencyReply | None:
    """The answer that `dump` wrote; None if this installation has that capability no longer."""
    read = _Answer.model_validate_json(kept)
    adapter = agencies.get(read.agency)
    capability = None if adapter is None else adapter.capabilities.get(read.capability)
    if capability is None:
        return None
    reading = None if read.reading is None else Interpretation(
        state=read.reading.state,
        answered_at=read.reading.answered_at,
        records=tuple(
            RecordWithOrigins(record=_RECORDS[one.record].validate_json(one.fields), origins=_origins(one.paths))
            for one in read.reading.holdings
        ),
        reason=read.reading.reason,
        reference=read.reading.reference,
        drift=read.reading.drift,
    )  # fmt: skip
    return AgencyReply(
        agency=read.agency,
        capability=capability,
        state=read.state,
        asked_at=read.asked_at,
        answered_at=read.answered_at,
        reason=read.reason,
        reading=reading,
        retry_after=read.retry_after,
        authority=read.authority,
        evidence=AnswerEvidence(attempts=read.attempts),
        reused_from=read.reused_from,
    )


def _held(holding: RecordWithOrigins) -> _Holding:
    kind = type(holding.record).__name__
    paths = {name: origin.path for name, origin in holding.origins.items()}
    return _Holding(record=kind, fields=_RECORDS[kind].dump_json(holding.record), paths=paths)


def _origins(paths: Mapping[str, str]) -> dict[str, FieldOrigin]:
    return {name: FieldOrigin(path=path, raw="") for name, path in paths.items()}
