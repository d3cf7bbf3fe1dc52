"""
The records of the court, newest first, each as one sentence; filters make an address that can be shared.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from pydantic import BaseModel, ConfigDict
from starlette.responses import RedirectResponse, Response

from audit.format.event import EventType
from audit.store.search import Hit
from gateway.api.dependencies import TheHub
from gateway.audit_access import AuditAccess, SearchRevealReason, search_subject
from gateway.compliance.narration import sentence
from gateway.compliance.phrases import Wording
from gateway.compliance.saved_searches import PrivateCriteria
from gateway.hub import Hub
from gateway.web.console.common import Auditors, Blank, LongText, Typed, acting, agencies, speech
from gateway.web.console.filters import Filter, Filtered, chips
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import OwnPage
from schemas.china_time import day_in_china
from schemas.codes import AnswerState, IdType
from schemas.identifiers import IdentifierError

router = APIRouter(prefix="/console/events", include_in_schema=False)

PATH: Final = "/console/events"


class Named(BaseModel):
    """The form for whoever and whatever has a name; it is sent as a body, and never stands in an address."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    csrf_token: str = ""
    since: Annotated[str | None, Blank] = None
    until: Annotated[str | None, Blank] = None
    id_type: Annotated[IdType | None, Blank] = None
    id_number: Typed = None
    user: Typed = None
    work_order: Typed = None
    case_number: Typed = None
    reveal: Annotated[SearchRevealReason | None, Blank] = None
    note: LongText = None

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """Nothing: what is searched for is personal."""
        return ()

    def private(self) -> PrivateCriteria:
        """The search.  Raises `IdentifierError`."""
        subject = search_subject(self.id_type, self.id_number) if self.id_type is not None and self.id_number else None
        return PrivateCriteria(
            subject=subject,
            user=self.user,
            work_order=self.work_order,
            case_number=self.case_number,
            reveal=self.reveal,
            note=self.note,
        )


@router.get("")
async def events(page: Auditors, hub: TheHub, filters: Filtered) -> Response:
    """One page of records.  That it is read is a record itself, made first."""
    return await shown(page, hub, filters.on(day_in_china(datetime.now(UTC))))


@router.post("")
async def search(page: Auditors, hub: TheHub, named: Annotated[Named, Form()]) -> Response:
    """Keeps a search for somebody under a token, and leads there."""
    try:
        private = named.private()
    except IdentifierError as error:
        problem = error.help(page.language.value)
    else:
        given = Filter.model_validate({"since": named.since, "until": named.until})
        token = None if private.empty else await hub.compliance.saved_searches.save(page.member, private)
        return RedirectResponse(given.address(PATH, t=token), 303, headers=PAGE_HEADERS)
    today = day_in_china(datetime.now(UTC))
    return await shown(page, hub, Filter().on(today), problem=problem, named=named, status=422)


async def shown(
    page: OwnPage, hub: Hub, filters: Filter, *, problem: str = "", named: Named | None = None, status: int = 200
) -> Response:
    """The list, with what was wrong with the form if something was."""
    private = await private_of(page, hub, filters)
    query = filters.query(page.member.court, private)
    look = AuditAccess(query=query, reveal=private.reveal, note=private.note)
    found = await hub.compliance.recorded_search.page(acting(page), look)
    words = speech(page, hub, people=look.shows_people)
    after = None if found.next is None else filters.address(PATH, before=found.next)
    first = None if filters.before is None else filters.address(PATH, before=None)
    return page.show(
        "console/events.html",
        status=status,
        filters=filters,
        named=named,
        problem=problem,
        people=look.shows_people,
        reveal=private.reveal,
        rows=[row(hit, words) for hit in found.hits],
        signed=found.checkpoint_size,
        first=first,
        after=after,
        chips=chips(filters, PATH, [*in_words(filters, words), *named_in_words(filters, private, words)]),
        agencies=agencies(page, hub),
        states=[(one.value, words.label(one)) for one in AnswerState],
        types=[(one.value, words.either(one.zh, one.en)) for one in EventType],
        id_types=[(one.value, words.label(one)) for one in IdType],
        reasons=[(one.value, words.label(one)) for one in SearchRevealReason],
        export=filters.address("/console/export", before=None),
    )


async def private_of(page: OwnPage, hub: Hub, filters: Filter) -> PrivateCriteria:
    """The search under the token of an address.  Raises `Problem` for one that is over, or somebody else's."""
    if filters.t is None:
        return PrivateCriteria()
    return await hub.compliance.saved_searches.find(page.member, filters.t)


def row(hit: Hit, words: Wording) -> dict[str, Any]:
    """What the list shows of a record."""
    return {
        "index": hit.index,
        "at": hit.at,
        "code": hit.type.code,
        "type": words.either(hit.type.zh, hit.type.en),
        "sentence": sentence(hit, words),
        "evidence": hit.evidence.value,
        "values": hit.values.value,
    }


def in_words(filters: Filter, words: Wording) -> list[tuple[str, str]]:
    """The filters of the address that are set, in words."""
    said = [
        ("since", filters.since and words.either(f"自{filters.since}起", f"from {filters.since}")),
        ("until", filters.until and words.either(f"至{filters.until}止", f"until {filters.until}")),
        ("agency", filters.agency and words.agency(filters.agency)),
        ("state", filters.state and words.label(filters.state)),
        ("type", filters.type and words.either(filters.type.zh, filters.type.en)),
    ]
    return [(name, text) for name, text in said if text]


def named_in_words(filters: Filter, private: PrivateCriteria, words: Wording) -> list[tuple[str, str]]:
    """What is searched for under the token, masked unless people are shown: one chip, since it is one token."""
    if filters.t is None:
        return []
    subject = private.subject
    said = [
        subject and f"{words.label(subject.id_type)} {words.number(subject.id_number)}",
        private.user and words.either("账号", "account") + f" {private.user}",
        private.work_order and words.either("工单", "work order") + f" {private.work_order}",
        private.case_number and words.case(private.case_number),
        private.reveal and words.either("已说明理由：", "shown for a reason: ") + words.label(private.reveal),
    ]
    return [("t", words.either("，", "; ").join(one for one in said if one))]
