"""
Verification of the log: starts a job, shows its progress, and reports what was and was not checked.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from gateway.api.dependencies import TheHub
from gateway.compliance.verification_jobs import VerificationJob
from gateway.web.console.common import Auditors, Day, acting
from gateway.web.labels import ANCHOR_KINDS, ANCHOR_STATES
from gateway.web.page import see_other
from schemas.codes import Code

router = APIRouter(prefix="/console/verify", include_in_schema=False)

PATH: Final = "/console/verify"


class VerificationEnding(Code):
    """The state of a job."""

    RUNNING = "running", "校验中", "Running"
    INTACT = "intact", "完好", "Intact"
    ALTERED = "altered", "有改动", "Altered"
    CANNOT_SAY = "cannot_say", "无法判定", "Cannot say"
    FAILED = "failed", "未能完成", "Not finished"


class NotChecked(Code):
    """Checks that a job of the console never makes."""

    SEALED = (
        "sealed",
        "密封的个人数据及检索索引：在枢纽主机运行 shuniu audit verify --deep 校验。",
        "Sealed personal values and the search index: shuniu audit verify --deep on the hub's host checks them.",
    )
    OUTSIDE = (
        "outside",
        "外部锚定证据本身：导出日志后，用公开工具（openssl 等）校验。",
        "The evidence of anchors itself: export the log, and check it with public tools (openssl and others).",
    )
    CUT = (
        "cut",
        "末次留存于他处的检查点之后，是否有记录被截去：请用纸质或他人留存的检查点比对（--against）。",
        "Whether records were cut off after the newest checkpoint that is kept elsewhere: compare with one of those "
        "(--against).",
    )


def ending(run: VerificationJob) -> VerificationEnding:
    """The state of a job."""
    if run.failed:
        return VerificationEnding.FAILED
    if run.result is None:
        return VerificationEnding.RUNNING
    return VerificationEnding(run.result.verdict.name.lower())


@router.get("")
async def first(page: Auditors, hub: TheHub) -> Response:
    """The form, and the jobs of this process."""
    runs = hub.compliance.verifications.all(page.member)
    return page.show(
        "console/verify.html", runs=[(run, ending(run)) for run in runs], size=hub.log.checkpoint_size, page_of=PATH
    )


@router.post("")
async def begin(
    page: Auditors, hub: TheHub, since: Annotated[Day, Form()] = None, until: Annotated[Day, Form()] = None
) -> Response:
    """Starts a job, which is recorded, and redirects to it."""
    run = await hub.compliance.verifications.start(page.member, acting(page), since, until)
    return see_other(f"{PATH}/{run}")


@router.get("/{run}")
async def show(page: Auditors, hub: TheHub, run: UUID) -> Response:
    """A job: its progress, or its report.  The page reloads by itself until the end, also without scripts."""
    job = hub.compliance.verifications.find(page.member, run)
    values: dict[str, Any] = {
        "run": job,
        "ending": ending(job),
        "result": job.result,
        "not_checked": list(NotChecked),
        "anchor_kinds": ANCHOR_KINDS,
        "anchor_states": ANCHOR_STATES,
        "now": datetime.now(UTC),
    }
    # A header and no script: it works everywhere, and stops with the run.
    headers = {"Refresh": "1"} if job.ended_at is None else {}
    return page.show("console/verification.html", headers=headers, **values)
