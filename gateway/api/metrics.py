"""
`GET /metrics` for Prometheus, for this machine alone or with the token that the settings name.

Behind a proxy on the same machine every call comes from this machine: a forwarded call is refused without the token.
"""

import asyncio
import hmac
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from audit.errors import AuditError
from gateway.anchors.service import AnchorReport
from gateway.api import refusal_log
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem, documented
from gateway.database import Database
from gateway.hub import Hub
from gateway.telemetry.logs import dropped_lines
from gateway.telemetry.prometheus import render
from gateway.telemetry.service import VERSION
from gateway.telemetry.snapshot import AuditStatus, PoolStatus, TelemetrySnapshot
from schemas.codes import Code

router = APIRouter(tags=["health"])

HERE = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
PASSED_ON = ("forwarded", "x-forwarded-for", "via")


class MetricsRule(Code):
    """A rule that refuses the metrics."""

    THIS_MACHINE = (
        "metrics_this_machine",
        "未设置 SHUNIU_METRICS_TOKEN_FILE 时，指标只对本机开放，经代理转发的请求不予答复。请联系系统管理员。",
        "Without SHUNIU_METRICS_TOKEN_FILE the metrics are for this machine alone, and not for forwarded calls. "
        "The system administrator can set it.",
    )
    TOKEN = (
        "metrics_token",
        "指标只答复持有 SHUNIU_METRICS_TOKEN_FILE 所含令牌的请求：Authorization: Bearer …。请联系系统管理员。",
        "The metrics require the token of SHUNIU_METRICS_TOKEN_FILE as `Authorization: Bearer …`. The system "
        "administrator has it.",
    )


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=PlainTextResponse,
    responses=documented("not-permitted", "internal"),
)
async def metrics(request: Request, hub: TheHub) -> Response:
    """
    The hub's metrics in the text format of Prometheus, or of OpenMetrics if accepted.
    """
    _require_reader(request, hub)
    snapshot = await take_snapshot(hub)
    accept = request.headers.get("accept", "")
    body, content_type = await asyncio.to_thread(render, hub.telemetry.metrics, snapshot, accept)
    return Response(body, media_type=content_type, headers={"Cache-Control": "no-store"})


async def take_snapshot(hub: Hub) -> TelemetrySnapshot:
    """The state of a hub.  Values of an unreachable database are left out: a scrape must always work."""
    return TelemetrySnapshot(
        at=datetime.now(UTC),
        version=VERSION,
        guards=hub.guards.states(),
        audit=await _audit(hub),
        database=_database(hub.database),
        spans=hub.telemetry.spans,
        dropped_lines=dropped_lines(),
    )


async def _audit(hub: Hub) -> AuditStatus:
    log = hub.log
    size: int | None = None
    anchors: list[AnchorReport] | None = None
    try:
        size = (await asyncio.to_thread(log.reader.head)).size
        anchors = list(await hub.anchoring.report())
    except AuditError:
        pass
    return AuditStatus(
        appended=log.appended,
        refused=log.refused,
        waiting=log.waiting,
        tree_size=size,
        checkpoint_size=log.checkpoint_size,
        checkpoint_age=log.signer.age,
        broken=log.signer.broken is not None,
        open_orphans=hub.anchoring.open_orphans,
        anchors=anchors,
    )


def _database(database: Database) -> PoolStatus:
    # One connection for each thread: what is running beyond that waits.
    in_use = min(database.running, database.connections)
    return PoolStatus(connections=database.connections, in_use=in_use, waiting=database.running - in_use)


def _require_reader(request: Request, hub: Hub) -> None:
    token = hub.telemetry.metrics_token
    if token is not None:
        shown = request.headers.get("authorization", "").encode("latin-1", "replace")
        rule = None if hmac.compare_digest(shown, b"Bearer " + token) else MetricsRule.TOKEN
    else:
        here = request.client is not None and request.client.host in HERE
        passed_on = any(name in request.headers for name in PASSED_ON)
        rule = None if here and not passed_on else MetricsRule.THIS_MACHINE
    if rule is not None:
        refusal_log.count(request, rule)
        raise Problem.from_rule(rule)
