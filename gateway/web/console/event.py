"""
One record: its sentence, times, proof in the log, and the other records of the same lookup.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from adapters.contract import Adapter
from audit.format.event import EventType
from audit.format.tree import leaf_hash
from audit.store.search import Hit, HitEvidence, search
from audit.store.search import Query as Wanted
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.audit_access import AuditAccess
from gateway.compliance.narration import full_leaf, sentence
from gateway.compliance.phrases import Wording, actor, case_label, parties, pretty, rule_text
from gateway.hub import Hub
from gateway.organization.roles import Role
from gateway.web.charts import Stretch, stretches
from gateway.web.clerk.labels import FIELD_NAMES
from gateway.web.console.common import Auditors, Token, acting, speech
from gateway.web.console.events import private_of
from gateway.web.console.filters import Filter
from gateway.web.i18n import Bilingual
from gateway.web.labels import OUTCOMES, PURPOSES, SEALED, SectionLabel
from schemas.codes import AnswerState, Reason, Want

router = APIRouter(prefix="/console/events", include_in_schema=False)

ROLES: Final = {role.value: role for role in Role}
# Sections of an answer, or single fields that were revealed.
RELEASED: Final[Mapping[str, Bilingual]] = {
    **{label.value: label for label in (*Want, *SectionLabel)},
    **FIELD_NAMES,
}

RELATED: Final = 100
EVERY_TYPE: Final = tuple(EventType)


@router.get("/{index}")
async def event(
    page: Auditors,
    hub: TheHub,
    index: Annotated[int, Path(ge=0, le=2**62)],
    t: Annotated[Token, Query()] = None,
) -> Response:
    """One record of the reader's own court, with the other records of the same lookup."""
    filters = Filter(t=t)
    private = await private_of(page, hub, filters)
    query = Wanted(court=page.member.court, types=EVERY_TYPE, before=index + 1, limit=1)
    look = AuditAccess(query=query, reveal=private.reveal, note=private.note)
    result = await hub.compliance.recorded_search.page(acting(page), look)
    hit = result.hits[0] if result.hits and result.hits[0].index == index else None
    if hit is None:
        raise Problem("not-found")
    words, last = speech(page, hub, people=look.shows_people), (hit.outcome or hit).leaf
    proof: list[str] = []
    if hit.evidence is HitEvidence.PROVED:
        path = await asyncio.to_thread(hub.log.reader.inclusion, index, result.checkpoint_size)
        proof = [node.hex() for node in path]
    return page.show(
        "console/event.html",
        hit=hit,
        who=hit.leaf.get("who", {}),
        why=hit.leaf.get("why", {}),
        outcome=_word(OUTCOMES, last.get("outcome", ""), words),
        released=[_word(RELEASED, name, words) for name in last.get("released", ())],
        role=_word(ROLES, hit.leaf.get("who", {}).get("role", ""), words),
        kind=_word(hub.authorizer.catalogue.kinds, hit.leaf.get("why", {}).get("kind", ""), words),
        sentence=sentence(hit, words),
        actor=actor(hit, words),
        parties=parties(hit, words),
        case=case_label(hit, words),
        purpose=_word(PURPOSES, hit.leaf.get("why", {}).get("purpose", ""), words),
        rules=[rule_text(name, words) for name in _rules(hit)],
        sealed=SEALED[hit.values.value],
        type=words.either(hit.type.zh, hit.type.en),
        answers=answers(hit, words, hub.agencies),
        chart=course(hit, words),
        document=pretty(full_leaf(hit)),
        leaf_hash=leaf_hash(hit.body).hex(),
        proof=proof,
        checkpoint=result.checkpoint.decode(),
        size=result.checkpoint_size,
        related=[
            {"index": hit.index, "at": hit.at, "sentence": sentence(hit, words)}
            for hit in await asyncio.to_thread(related, hub, page.member.court, hit)
        ],
        address=lambda index: filters.address(f"/console/events/{index}"),
        back=filters.address("/console/events"),
    )


def related(hub: Hub, court: str, hit: Hit) -> list[Hit]:
    """The records of the same lookup, oldest first."""
    order = hit.people.get("why", {}).get("work_order")
    if order is None:
        return []
    lookup = str(hit.leaf.get("detail", {}).get("lookup", hit.exchange))
    query = Wanted(court=court, work_order=order, types=EVERY_TYPE, limit=RELATED)
    hits = [other for other in search(hub.log.reader, query).hits if lookup in _lookups(other)]
    return hits[::-1]


def _lookups(hit: Hit) -> set[str]:
    return {str(hit.exchange), str(hit.leaf.get("detail", {}).get("lookup", ""))}


def _word(table: Mapping[str, Bilingual], key: str, words: Wording) -> str:
    """The label of a word of the log; an unknown word stays unchanged."""
    entry = table.get(key)
    return key if entry is None else words.either(entry.zh, entry.en)


def _rules(hit: Hit) -> list[str]:
    return [str(name) for name in hit.leaf.get("why", {}).get("rules", ())]


def _question(question: str, agencies: Mapping[str, Adapter], words: Wording) -> str:
    """The label of a question: the data that its lookup serves."""
    agency, _, name = question.partition(".")
    capability = agencies[agency].capabilities.get(name) if agency in agencies else None
    return name if capability is None else words.listed([words.label(want) for want in sorted(capability.serves)])


def answers(hit: Hit, words: Wording, agencies: Mapping[str, Adapter]) -> list[dict[str, Any]]:
    """Each agency's answer in words, with its response time."""
    answers = (hit.outcome or hit).leaf.get("heard", ())
    return [
        {
            "agency": words.agency(str(answer["q"]).partition(".")[0]),
            "question": _question(str(answer["q"]), agencies, words),
            "state": words.label(AnswerState(answer["is"])),
            "why": words.label(Reason(answer["why"])) if "why" in answer else "",
            "records": answer.get("n", 0),
            "ms": answer["in"] - answer["out"] if "in" in answer and "out" in answer else None,
        }
        for answer in answers
    ]


def course(hit: Hit, words: Wording) -> Any:
    """
    The timeline of a lookup: the whole of it, and within it each agency from question to answer.
    """
    if hit.outcome is None:
        return None
    begin, end = hit.leaf.get("t", 0) // 1000, hit.outcome.leaf.get("t", 0) // 1000
    ours = Stretch(label=words.either("本枢纽", "this hub"), start=0, end=end - begin, kind="chart-ours")
    theirs = [
        Stretch(
            label=words.agency(str(answer["q"]).partition(".")[0]),
            start=end - begin + answer["out"],
            end=end - begin + answer["in"],
            kind="chart-theirs",
        )
        for answer in hit.outcome.leaf.get("heard", ())
        if "in" in answer and "out" in answer
    ]
    title = words.either("查询的时间经过", "The timeline of this lookup")
    description = words.either("本枢纽", "this hub") + f": {end - begin} ms; "
    return stretches(
        title,
        description + "; ".join(f"{stretch.label}: {stretch.end - stretch.start:.0f} ms" for stretch in theirs),
        [ours, *theirs],
    )
