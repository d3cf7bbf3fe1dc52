"""
Reports to persons of who looked them up: drafted, in part withheld, released by a second person, printed.
"""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from gateway.access.emergency_rules import REVIEWER_ROLES
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.audit_access import search_subject
from gateway.compliance.phrases import Wording
from gateway.compliance.report_entries import ReportEntry, Withholding, disclosed, withheld_counts
from gateway.compliance.subject_reports import SubjectReport
from gateway.hub import Hub
from gateway.organization.roles import Role
from gateway.web.console.common import Auditors, Blank, Day, Releasers, acting, speech
from gateway.web.headers import PAGE_HEADERS
from gateway.web.page import OwnPage
from schemas.china_time import day_end, day_start
from schemas.codes import AnswerState, IdType
from schemas.identifiers import IdentifierError, masked

router = APIRouter(prefix="/console/reports", include_in_schema=False)

PATH: Final = "/console/reports"


class ReportApplication(BaseModel):
    """The form of a new report; it names somebody, and so is only ever sent as a body."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    csrf_token: str = ""
    id_type: IdType
    id_number: Annotated[str, Field(min_length=1, max_length=64)]
    since: Day = None
    until: Day = None
    note: Annotated[str, Field(max_length=2000)] = ""

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """Nothing: the form names somebody."""
        return ()


@router.get("")
async def all_reports(page: Releasers, hub: TheHub) -> Response:
    """The reports of the court, and the form of a new one."""
    return await _first(page, hub)


@router.post("")
async def draft(page: Auditors, hub: TheHub, form: Annotated[ReportApplication, Form()]) -> Response:
    """Drafts a report, and leads to it under an id that says nothing."""
    try:
        subject = search_subject(form.id_type, form.id_number)
    except IdentifierError as error:
        problem = error.help(page.language.value)
    else:
        report = await hub.compliance.reports.draft(
            page.member,
            acting(page),
            subject,
            form.note,
            since=None if form.since is None else day_start(form.since),
            until=None if form.until is None else day_end(form.until),
        )
        return RedirectResponse(f"{PATH}/{report}", 303, headers=PAGE_HEADERS)
    return await _first(page, hub, problem=problem, status=422)


async def _first(page: OwnPage, hub: Hub, *, problem: str = "", status: int = 200) -> Response:
    reports = await hub.compliance.reports.all(page.member)
    words = speech(page, hub)
    return page.show(
        "console/reports.html",
        status=status,
        problem=problem,
        reports=reports,
        drafts=Role.AUDIT_ADMINISTRATOR in page.member.roles,
        id_types=[(one.value, words.label(one)) for one in IdType],
    )


@router.get("/{report}")
async def one(page: Releasers, hub: TheHub, report: UUID) -> Response:
    """A report with all its entries, for the two people who make it."""
    found = await hub.compliance.reports.read(page.member, acting(page), report)
    heading, member = found.summary, page.member
    words = speech(page, hub, people=True)
    waits = heading.released_at is None
    return page.show(
        "console/report.html",
        report=found,
        number=masked(found.subject.id_number),
        rows=[(entry, row(entry, words, hub, member.court)) for entry in found.entries],
        withheld=list(withheld_counts(found.entries).items()),
        withholds=waits and Role.AUDIT_ADMINISTRATOR in member.roles,
        releases=waits and bool(member.roles & REVIEWER_ROLES) and heading.drafted_by != member.user,
        reasons=[(reason.value, words.label(reason)) for reason in Withholding],
    )


@router.post("/{report}/withhold")
async def withhold(
    page: Auditors,
    hub: TheHub,
    report: UUID,
    index: Annotated[int, Form(ge=0, le=2**62)],
    reason: Annotated[Withholding | None, Blank, Form()] = None,
    review_on: Annotated[Day, Form()] = None,
) -> Response:
    """Withholds an entry until a day, or tells it after all."""
    if reason is not None and review_on is None:
        raise Problem(
            "invalid-input",
            rule="review_day_missing",
            en="Say on which day the reason is looked at again.",
            zh="请填写重新审查该理由的日期。",
        )
    await hub.compliance.reports.withhold(page.member, acting(page), report, index, reason, review_on or date.max)
    return RedirectResponse(f"{PATH}/{report}", 303, headers=PAGE_HEADERS)


@router.post("/{report}/release")
async def release(page: Releasers, hub: TheHub, report: UUID, state: Annotated[str, Form(max_length=64)]) -> Response:
    """Releases a report as the second person has just read it."""
    await hub.compliance.reports.release(page.member, acting(page), report, state)
    return RedirectResponse(f"{PATH}/{report}", 303, headers=PAGE_HEADERS)


@router.get("/{report}/print")
async def printed(page: Releasers, hub: TheHub, report: UUID) -> Response:
    """A released report as the document that the person is given: no official by name, nobody else at all."""
    found = await hub.compliance.reports.read(page.member, acting(page), report)
    if found.summary.released_at is None:
        raise Problem("not-found")
    words = speech(page, hub, people=True)
    return page.show(
        "console/report_print.html",
        report=found,
        number=masked(found.subject.id_number),
        rows=[row(entry, words, hub, page.member.court) for entry in disclosed(found.entries)],
        withheld=list(withheld_counts(found.entries).items()),
        court=await _court(hub, found, words),
    )


def row(entry: ReportEntry, words: Wording, hub: Hub, court: str) -> dict[str, object]:
    """An entry in words."""
    kind = hub.authorizer.catalogue.kind(court, entry.kind)
    return {
        "index": entry.index,
        "at": entry.at,
        "what": words.either(entry.type.zh, entry.type.en),
        "court": entry.court,
        "unit": entry.unit,
        "official": entry.official,
        "case": entry.case_number,
        "kind": entry.kind if kind is None else words.either(kind.zh, kind.en),
        "purpose": entry.purpose,
        "answers": [
            (words.agency(question.partition(".")[0]), words.label(AnswerState(state)))
            for question, state in entry.answers
        ],
        "others": entry.others,
    }


async def _court(hub: Hub, report: SubjectReport, words: Wording) -> str:
    units, _ = await hub.organization.export()
    found = next((unit for unit in units if unit.court == report.court and unit.kind == "court"), None)
    return report.court if found is None else words.either(found.zh, found.en)
