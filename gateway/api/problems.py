"""
Problems (RFC 9457): every refusal names the rule, who can help and the next step, in both languages.

`PROBLEMS` is the closed list; docs/problems.md has a heading for each.  No text repeats content of the request.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.telemetry.request_context import CURRENT
from schemas.codes import Code

MEDIA_TYPE = "application/problem+json"
URN = "urn:shuniu:problem:"

# The problems of most routes, for `documented`: of those that read, that record a change, and that take a body as well.
READING = ("not-signed-in", "sign-on-unavailable", "not-permitted", "database-unavailable", "internal")
CHANGING = (*READING, "invalid-input", "audit-unavailable")
WITH_BODY = (*CHANGING, "body-too-large", "wrong-content-type", "busy")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem: its stable name, status, and text."""

    name: str
    status: int
    en: str
    zh: str
    retryable: bool = False


_KINDS = (
    ProblemKind(
        "not-signed-in",
        401,
        "This call is not signed in; `rule` says why. With a browser, sign in again. A program sends a token of "
        "the court's sign-on server as `Authorization: Bearer …`. If that fails, ask the sign-on administrator.",
        "本次请求未登录，rule 说明原因。使用浏览器的，请重新登录；程序请以 Authorization: Bearer 发送本院统一登录的"
        "令牌。仍不成功的，请联系统一登录管理员。",
    ),
    ProblemKind(
        "sign-in-failed",
        403,
        "The sign-in was not completed. The member `rule` names the rule and `detail` says who can help.",
        "登录未完成。rule 为规则名，detail 说明由谁处理。",
    ),
    ProblemKind(
        "sign-on-unavailable",
        503,
        "The sign-on server cannot be reached, so no caller can be recognised. Try again shortly; if it lasts, tell "
        "the sign-on administrator.",
        "统一登录暂不可用，无法核验身份。请稍后重试；持续不可用的，请联系统一登录管理员。",
        retryable=True,
    ),
    ProblemKind(
        "not-permitted",
        403,
        "A rule refuses this. The member `rule` names it and `detail` says who can change that.",
        "有规则不允许此操作。rule 为规则名，detail 说明由谁处理。",
    ),
    ProblemKind(
        "not-found",
        404,
        "There is nothing here that you may see. Check the address; an id from another court or another holder looks "
        "the same as none.",
        "此处没有您可查看的内容。请核对地址；他院或他人承办的编号与不存在的编号答复相同。",
    ),
    ProblemKind(
        "method-not-allowed",
        405,
        "This address does not take that method. The header `Allow` lists those that it takes; see /docs.",
        "该地址不支持此方法。响应头 Allow 列出可用方法，参见 /docs。",
    ),
    ProblemKind(
        "version-conflict",
        409,
        "The work order already stands at this or a later version with other content. Read the member `current`, "
        "and state the work order again with a higher version.",
        "工单已有相同或更高版本且内容不同。请以高于 current 的版本号重新推送。",
    ),
    ProblemKind(
        "changed-meanwhile",
        409,
        "The tree was changed by another person while this change was recorded, so it was not made. Read the tree "
        "again, and repeat the change if it is still wanted.",
        "记录期间组织架构已被他人变更，本次变更未生效。请重新查看组织架构，确需变更的请重新提交。",
        retryable=True,
    ),
    ProblemKind(
        "key-in-use",
        409,
        "The first request with this Idempotency-Key is still being accepted. Send it again after the time in "
        "`Retry-After`; it will be answered with what it made.",
        "使用同一 Idempotency-Key 的首个请求仍在受理中。请在 Retry-After 所示时间后重发，将得到首个请求的结果。",
        retryable=True,
    ),
    ProblemKind(
        "key-reused",
        422,
        "This Idempotency-Key came with another body before. Send a new request with a new key; repeat an earlier one "
        "exactly as it was.",
        "此 Idempotency-Key 此前用于不同内容的请求。新请求请使用新的键；重发须与原请求完全一致。",
    ),
    ProblemKind(
        "body-too-large",
        413,
        "What was sent is larger than the hub takes, and nothing was done. Send one lookup or one work order per call; "
        "a file that is to be checked has at most 256 kB.",
        "所发送的内容超过上限，未作处理。每次请求只发送一项查询或一个工单；待校验的文件不超过256 kB。",
    ),
    ProblemKind(
        "wrong-content-type",
        415,
        "The body must be JSON. Send `Content-Type: application/json` and UTF-8.",
        "请求体须为 JSON。请以 UTF-8 编码并设置 Content-Type: application/json。",
    ),
    ProblemKind(
        "invalid-input",
        422,
        "The input breaks the rules listed in `errors`, each with the field, the rule and the next step.",
        "输入不符合 errors 中所列规则，其中注明字段、规则与处理办法。",
    ),
    ProblemKind(
        "audit-unavailable",
        503,
        "The audit log cannot record this, so nothing was asked and nothing is released. Try again shortly; if it "
        "lasts, tell the system administrator.",
        "审计日志暂不能记录，未向外查询，也不释放任何结果。请稍后重试；持续不可用的，请联系系统管理员。",
        retryable=True,
    ),
    ProblemKind(
        "database-unavailable",
        503,
        "The hub's database does not answer, so no right can be checked and nothing is released. Try again shortly; "
        "if it lasts, tell the system administrator.",
        "数据库暂不可用，无法核验查询权，不释放任何结果。请稍后重试；持续不可用的，请联系系统管理员。",
        retryable=True,
    ),
    ProblemKind(
        "busy",
        503,
        "The hub has as many calls in flight as it takes, and did nothing. Try again in a moment; a program waits as "
        "long as `Retry-After` says.",
        "在途请求已达上限，本次未作处理。请稍候重试；程序请按 Retry-After 所示时间等待。",
        retryable=True,
    ),
    ProblemKind(
        "draining",
        503,
        "The hub is being stopped: it answers what it has begun and takes nothing new. Try again in a few seconds; a "
        "program waits as long as `Retry-After` says. Where several hubs serve, another one takes the call at once.",
        "系统正在停止服务，只处理已受理的请求。请过几秒重试；程序请按 Retry-After 所示时间等待。部署多个节点的，"
        "其他节点可立即受理。",
        retryable=True,
    ),
    ProblemKind(
        "internal",
        500,
        "The hub failed in a way that it does not know. Nothing was released. Tell the system administrator the "
        "time of this call.",
        "系统出现未知错误，未释放任何结果。请将发生时间告知系统管理员。",
    ),
)

PROBLEMS: Mapping[str, ProblemKind] = {kind.name: kind for kind in _KINDS}


class InputError(BaseModel):
    """One broken rule of the input."""

    field: str
    rule: str
    detail: str


class ProblemBody(BaseModel):
    """An RFC 9457 problem as this hub writes it."""

    type: str
    title: str
    status: int
    detail: str
    detail_zh: str
    retryable: bool
    retry_after: float | None = None
    rule: str | None = None
    current: int | None = None
    errors: list[InputError] | None = None
    audit: int | None = Field(default=None, description="index of the refusal in the audit log")
    trace_id: str | None = Field(default=None, description="id of this call in the hub's traces and log lines")


class Problem(Exception):
    """
    Ends a call with a problem.  `members` are added to its body and hold nothing personal.
    """

    def __init__(
        self,
        name: str,
        *,
        en: str | None = None,
        zh: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(name)
        self.kind = PROBLEMS[name]
        self.en = en or self.kind.en
        self.zh = zh or self.kind.zh
        self.retry_after = retry_after
        self.headers = dict(headers or {})
        self.members = members

    @classmethod
    def from_rule(cls, rule: Code, **members: Any) -> "Problem":
        """A refusal by one of our rules."""
        return cls("not-permitted", rule=rule.value, en=rule.en, zh=rule.zh, **members)

    def body(self) -> dict[str, Any]:
        """The problem as a JSON object."""
        context = CURRENT.get()
        body = ProblemBody(
            type=URN + self.kind.name,
            title=HTTPStatus(self.kind.status).phrase,
            status=self.kind.status,
            detail=self.en,
            detail_zh=self.zh,
            retryable=self.kind.retryable,
            retry_after=self.retry_after,
            trace_id=None if context is None else context.trace_id,
            **self.members,
        )
        return body.model_dump(exclude_none=True)

    def response(self) -> Response:
        """The problem as an HTTP response; also noted in the telemetry of the current call."""
        context = CURRENT.get()
        if context is not None:
            context.problem, context.rule = self.kind.name, str(self.members.get("rule") or "")
        headers = {"Cache-Control": "no-store", **self.headers}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, round(self.retry_after)))
        return JSONResponse(self.body(), self.kind.status, headers=headers, media_type=MEDIA_TYPE)


# Renders a problem for a request: as JSON, or as a page for a person with a browser.
ProblemRenderer = Callable[[Request, Problem], Awaitable[Response]]


async def render_json(_request: Request, problem: Problem) -> Response:
    """The problem as JSON."""
    return problem.response()


def documented(*names: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route in OpenAPI: each status with its problems."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for name in names:
        kind = PROBLEMS[name]
        entry = by_status.setdefault(
            kind.status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}},
        )
        entry["description"] = f"{entry['description']} `{name}`".strip()
    return by_status
