"""
The records of the court, newest first, each as one sentence; the address of a filter can be shared.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from audit.format.event import EventType
from audit.store.search import Hit
from gateway.api.dependencies import TheHub
from gateway.api.validation_errors import RequestModel
from gateway.audit_access import AuditAccess, SearchRevealReason, search_subject
from gateway.compliance.narration import sentence
from gateway.compliance.phrases import Wording
from gateway.compliance.saved_searches import PrivateCriteria
from gateway.hub import Hub
from gateway.web.console.common import Auditors, Blank, LongText, Typed, acting, agencies, speech
from gateway.web.console.filters import Filter, Filtered, chips
from gateway.web.page import OwnPage, see_other
from schemas.china_time import day_in_china
from schemas.codes import AnswerState, IdType
from schemas.identifiers import IdentifierError

router = APIRouter(prefix="/console/events", include_in_schema=False)

PATH: Final = "/console/events"


class Named(RequestModel):
    """The form for personal criteria; it is sent as a body, and never stands in an address."""

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
    """One page of records.  The search itself is recorded first."""
    return await shown(page, hub, filters.on(day_in_china(datetime.now(UTC))))


@router.post("")
async def search(page: Auditors, hub: TheHub, named: Annotated[Named, Form()]) -> Response:
    """Saves personal criteria under a token, and redirects to the search."""
    try:
        private = named.private()
    except IdentifierError as error:
        problem = error.help(page.language.value)
    else:
        given = Filter.model_validate({"since": named.since, "until": named.until})
        token = None if private.empty else await hub.compliance.saved_searches.save(page.member, private)
        return see_other(given.address(PATH, t=token))
    today = day_in_china(datetime.now(UTC))
    return await shown(page, hub, Filter().on(today), problem=problem, named=named, status=422)


async def shown(
    page: OwnPage, hub: Hub, filters: Filter, *, problem: str = "", named: Named | None = None, status: int = 200
) -> Response:
    """The list, with the problem of the form if there is one."""
    private = await private_of(page, hub, filters)
    query = filters.query(page.member.court, private)
    look = AuditAccess(query=query, reveal=private.reveal, note=private.note)
    result = await hub.compliance.recorded_search.page(acting(page), look)
    words = speech(page, hub, people=look.shows_people)
    after = None if result.next is None else filters.address(PATH, before=result.next)
    first = None if filters.before is None else filters.address(PATH, before=None)
    return page.show(
        "console/events.html",
        status=status,
        filters=filters,
        named=named,
        problem=problem,
        people=look.shows_people,
        reveal=private.reveal,
        rows=[row(hit, words) for hit in result.hits],
        signed=result.checkpoint_size,
        first=first,
        after=after,
        chips=chips(filters, PATH, [*in_words(filters, words), *named_in_words(filters, private, words)]),
        agencies=agencies(page, hub),
        states=words.choices(AnswerState),
        types=[(event_type.value, words.either(event_type.zh, event_type.en)) for event_type in EventType],
        id_types=words.choices(IdType),
        reasons=words.choices(SearchRevealReason),
        export=filters.address("/console/export", before=None),
    )


async def private_of(page: OwnPage, hub: Hub, filters: Filter) -> PrivateCriteria:
    """The criteria under the token of an address.  Raises `ComplianceItemNotFound` for an expired or foreign one."""
    if filters.t is None:
        return PrivateCriteria()
    return await hub.compliance.saved_searches.find(page.member, filters.t)


def row(hit: Hit, words: Wording) -> dict[str, Any]:
    """A record as a row of the list."""
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
    texts = [
        ("since", filters.since and words.either(f"自{filters.since}起", f"from {filters.since}")),
        ("until", filters.until and words.either(f"至{filters.until}止", f"until {filters.until}")),
        ("agency", filters.agency and words.agency(filters.agency)),
        ("state", filters.state and words.label(filters.state)),
        ("type", filters.type and words.either(filters.type.zh, filters.type.en)),
    ]
    return [(name, text) for name, text in texts if text]


def named_in_words(filters: Filter, private: PrivateCriteria, words: Wording) -> list[tuple[str, str]]:
    """The criteria under the token, masked unless people are shown: one chip, since it is one token."""
    if filters.t is None:
        return []
    subject = private.subject
    texts = [
        subject and f"{words.label(subject.id_type)} {words.number(subject.id_number)}",
        private.user and words.either("账号", "account") + f" {private.user}",
        private.work_order and words.either("工单", "work order") + f" {private.work_order}",
        private.case_number and words.case(private.case_number),
        private.reveal and words.either("已说明理由：", "shown for a reason: ") + words.label(private.reveal),
    ]
    return [("t", words.either("，", "; ").join(text for text in texts if text))]
