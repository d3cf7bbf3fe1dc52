"""
Error pages: a problem of the API, rendered as a page for a person with a browser, with the same status and record.
"""

import json
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.api.problems import MEDIA_TYPE, PROBLEMS, URN
from gateway.api.session import LOCAL_PAGE
from gateway.web.i18n import Language, word
from gateway.web.page import PageContext, bare, see_other
from schemas.codes import Code

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
# Renders the page of a refused form again, with its values: (problem, status).
FormPage = Callable[[dict[str, Any], int], Awaitable[Response]]

# Addresses for programs, never for a person with a browser.
FOR_PROGRAMS: Final = ("/v1/", "/audit/", "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics")


class ErrorHeading(Code):
    """The heading of an error page, by status."""

    S401 = "401", "请登录", "Sign in"
    S403 = "403", "不允许此操作", "Not permitted"
    S404 = "404", "页面不存在", "Nothing here"
    S405 = "405", "不支持此方法", "Not possible here"
    S409 = "409", "内容已变更", "Changed meanwhile"
    S413 = "413", "内容过大", "Too large"
    S422 = "422", "填写有误", "Something is not right"
    S503 = "503", "暂不可用", "Not available now"
    OTHER = "other", "系统出错", "Something went wrong"


class Plain(Code):
    """Texts for people in place of those for programs."""

    INPUT = (
        "input",
        "有内容未按要求填写，未作任何变更。请返回检查后重新提交。",
        "Something is not filled in as it must be, and nothing was changed. Go back, correct it, and send it again.",
    )


def is_page(request: Request) -> bool:
    """Whether the request is for a page."""
    path, accepted = request.url.path, request.headers.get("accept", "")
    return "text/html" in accepted and not path.startswith(FOR_PROGRAMS)


def for_people(handler: Handler) -> Handler:
    """The same handler, with problems rendered as pages in requests for pages."""

    async def render(request: Request, error: Any) -> Response:
        answer = await handler(request, error)
        if answer.headers.get("content-type") != MEDIA_TYPE or not is_page(request):
            return answer
        return await _page(request, answer, json.loads(bytes(answer.body)))

    return render


async def _page(request: Request, answer: Response, problem: dict[str, Any]) -> Response:
    page: PageContext = getattr(request.state, "page", None) or bare(request)
    back = page.path if request.method == "GET" else "/"
    if problem["status"] == 401 and request.method == "GET" and not page.in_part:
        # The first page offers the sign-in, which leads back here.
        return see_other("/" if back == "/" else f"/sign-in?to={quote(back)}")
    values = in_words(page, problem) | {
        "signed_out": problem["status"] == 401,
        "back": back,
        "before": _before(request),
    }
    headers = {name: answer.headers[name] for name in ("retry-after", "allow", "connection") if name in answer.headers}
    form: FormPage | None = getattr(request.state, "form", None)
    if form is not None:
        return await form(values, answer.status_code)
    if page.in_part:
        return page.part("problem.html", "problem", status=problem["status"], **values)
    return page.show("problem.html", status=problem["status"], headers=headers, **values)


def _before(request: Request) -> str | None:
    """The page of ours whose form was sent, according to the browser."""
    came = urlsplit(request.headers.get("referer", ""))
    if request.method == "GET" or came.netloc != request.headers.get("host"):
        return None
    path = came.path + (f"?{came.query}" if came.query else "")
    return path if re.match(LOCAL_PAGE, path) else None


def in_words(page: PageContext, problem: dict[str, Any]) -> dict[str, Any]:
    """The texts of an error page, in the reader's language."""
    known = {heading.value: heading for heading in ErrorHeading}
    heading = known.get(str(problem["status"]), ErrorHeading.OTHER)
    zh = page.language is Language.ZH
    detail = problem["detail_zh"] if zh else problem["detail"]
    if problem["detail"] == PROBLEMS["invalid-input"].en:
        # Written for programs, which read the list of errors.
        detail = word(page.language, Plain.INPUT)
    return {
        "heading": heading.zh if zh else heading.en,
        "detail": detail,
        "fields": [error["field"] for error in problem.get("errors", ())],
        "kind": str(problem["type"]).removeprefix(URN),
        "rule": problem.get("rule"),
        "audit": problem.get("audit"),
        "signed_out": False,
        "back": "/",
        "before": None,
    }
