"""
Reports to persons about lookups of their data: drafted, partly withheld, released by a second person, printed.
"""

from datetime import date
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form
from pydantic import Field
from starlette.responses import Response

from gateway.access.emergency_rules import REVIEWER_ROLES
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.api.validation_errors import RequestModel
from gateway.audit_access import search_subject
from gateway.compliance.phrases import Wording
from gateway.compliance.report_entries import ReportEntry, Withholding, disclosed, withheld_counts
from gateway.compliance.subject_reports import SubjectReport
from gateway.hub import Hub
from gateway.organization.roles import Role
from gateway.web.console.common import Auditors, Blank, Day, Releasers, acting, speech
from gateway.web.page import OwnPage, see_other
from schemas.china_time import day_end, day_start
from schemas.codes import AnswerState, IdType
from schemas.identifiers import IdentifierError, masked

router = APIRouter(prefix="/console/reports", include_in_schema=False)

PATH: Final = "/console/reports"


class ReportApplication(RequestModel):
    """The form of a new report; personal, and so only sent as a body."""

    csrf_token: str = ""
    id_type: IdType
    id_number: Annotated[str, Field(min_length=1, max_length=64)]
    since: Day = None
    until: Day = None
    note: Annotated[str, Field(max_length=2000)] = ""


@router.get("")
async def all_reports(page: Releasers, hub: TheHub) -> Response:
    """The reports of the court, and the form of a new one."""
    return await _first(page, hub)


@router.post("")
async def draft(page: Auditors, hub: TheHub, form: Annotated[ReportApplication, Form()]) -> Response:
    """Drafts a report, and redirects to it."""
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
        return see_other(f"{PATH}/{report}")
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
        id_types=words.choices(IdType),
    )


@router.get("/{report}")
async def report(page: Releasers, hub: TheHub, report: UUID) -> Response:
    """A report with all its entries, for its drafter and its releaser."""
    document = await hub.compliance.reports.read(page.member, acting(page), report)
    heading, member = document.summary, page.member
    words = speech(page, hub, people=True)
    waits = heading.released_at is None
    return page.show(
        "console/report.html",
        report=document,
        number=masked(document.subject.id_number),
        rows=[(entry, row(entry, words, hub, member.court)) for entry in document.entries],
        withheld=list(withheld_counts(document.entries).items()),
        withholds=waits and Role.AUDIT_ADMINISTRATOR in member.roles,
        releases=waits and bool(member.roles & REVIEWER_ROLES) and heading.drafted_by != member.user,
        reasons=words.choices(Withholding),
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
    """Withholds an entry until a day, or discloses it after all."""
    if reason is not None and review_on is None:
        raise Problem(
            "invalid-input",
            rule="review_day_missing",
            en="Say on which day the reason is looked at again.",
            zh="请填写重新审查该理由的日期。",
        )
    await hub.compliance.reports.withhold(page.member, acting(page), report, index, reason, review_on or date.max)
    return see_other(f"{PATH}/{report}")


@router.post("/{report}/release")
async def release(page: Releasers, hub: TheHub, report: UUID, state: Annotated[str, Form(max_length=64)]) -> Response:
    """Releases a report as the second person has just read it."""
    await hub.compliance.reports.release(page.member, acting(page), report, state)
    return see_other(f"{PATH}/{report}")


@router.get("/{report}/print")
async def printed(page: Releasers, hub: TheHub, report: UUID) -> Response:
    """A released report as the document for the person: no names of officials or other people."""
    document = await hub.compliance.reports.read(page.member, acting(page), report)
    if document.summary.released_at is None:
        raise Problem("not-found")
    words = speech(page, hub, people=True)
    return page.show(
        "console/report_print.html",
        report=document,
        number=masked(document.subject.id_number),
        rows=[row(entry, words, hub, page.member.court) for entry in disclosed(document.entries)],
        withheld=list(withheld_counts(document.entries).items()),
        court=await _court(hub, document, words),
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
    unit = next((unit for unit in units if unit.court == report.court and unit.kind == "court"), None)
    return report.court if unit is None else words.either(unit.zh, unit.en)
