"""
The HTTP application of a hub: routes, error handlers and middleware.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from audit.errors import AuditUnavailable
from gateway.access.emergency_rules import EmergencyRefused, WorkOrderNotFound
from gateway.access.work_orders import VersionConflict
from gateway.api import (
    agencies,
    audit,
    audit_search,
    autofill,
    callback_deliveries,
    callbacks,
    delegations,
    emergencies,
    explain,
    health,
    lookups,
    metrics,
    organization,
    refusal_log,
    session,
    witness,
    work_orders,
)
from gateway.api.docs_page import add_docs_page
from gateway.api.middleware import DrainMiddleware, DrainState, RequestLimitsMiddleware, TelemetryMiddleware
from gateway.api.problems import Problem, ProblemBody, render_json
from gateway.api.refusal_log import RefusalLog
from gateway.api.validation_errors import as_problem, invalid
from gateway.autofill.service import RequestNotFound
from gateway.callbacks.receivers import CallbackRefused, ReceiverNotFound
from gateway.compliance.permissions import ComplianceItemNotFound, ComplianceRefused
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.lookup.service import LookupNotFound, Withheld
from gateway.organization.change_plan import ChangeRefused
from gateway.organization.delegations import DelegationRefused
from gateway.organization.service import ConcurrentChange
from gateway.sign_on import NotFromOurPages, NotSignedIn, SignInFailed, SignOnUnavailable
from schemas.identifiers import IdentifierError

ErrorHandler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

DESCRIPTION = (
    "The data-exchange gateway of a court: one hub that asks other agencies about a party to a case, inside an open "
    "work order, and records every access in a log that anyone can check. Personal identifiers stand in bodies only, "
    "never in an address."
)

ROUTES = (
    lookups,
    work_orders,
    explain,
    agencies,
    audit_search,
    audit,
    session,
    witness,
    organization,
    delegations,
    emergencies,
    autofill,
    callbacks,
    callback_deliveries,
    health,
    metrics,
)


def create_app(
    start: Callable[[], Awaitable[Hub]],
    *,
    in_flight: int,
    drain_state: DrainState | None = None,
    add_pages: Callable[[FastAPI], None],
    error_page: Callable[[ErrorHandler], ErrorHandler],
) -> ASGIApp:
    """
    The application.  `start` makes the hub when the server starts, in the server's event loop.

    `add_pages` adds the routes for people, and `error_page` wraps an error handler so that people get a page;
    `drain_state` is for the server that stops the application.
    """
    app = FastAPI(
        title="Shuniu",
        version="1",
        description=DESCRIPTION,
        lifespan=_lifespan(start),
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        exception_handlers={
            ClientDisconnect: _disconnected,
            **{kind: error_page(_handler(to_problem)) for kind, to_problem in ERRORS.items()},
        },
    )
    for routes in ROUTES:
        app.include_router(routes.router)
    add_docs_page(app)
    add_pages(app)
    _document_problems(app)
    render = error_page(render_json)
    limited = RequestLimitsMiddleware(app, in_flight=in_flight, render=render)
    return TelemetryMiddleware(DrainMiddleware(limited, drain_state or DrainState(), render), app)


def _lifespan(start: Callable[[], Awaitable[Hub]]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # In this order: the last refusals are written before the hub closes its log.
        async with await start() as hub, RefusalLog(hub.log) as app.state.refusals:
            app.state.hub = hub
            yield

    return lifespan


def _handler(to_problem: Callable[[Any], Problem]) -> ErrorHandler:
    """Starlette's handler of an exception that becomes a problem; refusals go on record."""

    async def handler(request: Request, error: Exception) -> Response:
        if isinstance(error, NotSignedIn | NotFromOurPages | SignInFailed):
            refusal_log.count(request, error.rule)
        return await refusal_log.respond(request, to_problem(error))

    return handler


async def _disconnected(_request: Request, _error: Exception) -> Response:
    # Without a reader: the client hung up, or its body was cut off at the bound.
    return Response(status_code=400)


def _from_rule(error: Any) -> Problem:
    return Problem.from_rule(error.rule)


def _constant(name: str, **members: Any) -> Callable[[Exception], Problem]:
    return lambda _error: Problem(name, **members)


def _not_signed_in(error: NotSignedIn) -> Problem:
    challenge = f'Bearer realm="shuniu", error="invalid_token", error_description="{error.rule}"'
    return Problem("not-signed-in", rule=str(error.rule), headers={"WWW-Authenticate": challenge})


def _sign_in_failed(error: SignInFailed) -> Problem:
    en, zh = error.rule.en, error.rule.zh
    if error.because is not None:
        en, zh = f"{en} ({error.because.en}.)", f"{zh}（{error.because.zh}。）"
    return Problem("sign-in-failed", rule=str(error.rule), en=en, zh=zh)


def _from_http(error: HTTPException) -> Problem:
    names = {404: "not-found", 405: "method-not-allowed", 415: "wrong-content-type"}
    name = names.get(error.status_code, "invalid-input" if error.status_code < 500 else "internal")
    return Problem(name, headers=error.headers)


# What each exception of a call becomes.
ERRORS: Final[Mapping[Any, Callable[[Any], Problem]]] = {
    Problem: lambda problem: problem,
    RequestValidationError: as_problem,
    IdentifierError: lambda error: invalid("subject.id_number", str(error.rule), error.help("en"), error.help("zh")),
    HTTPException: _from_http,
    NotSignedIn: _not_signed_in,
    SignInFailed: _sign_in_failed,
    NotFromOurPages: _from_rule,
    CallbackRefused: _from_rule,
    ChangeRefused: _from_rule,
    ComplianceRefused: _from_rule,
    DelegationRefused: _from_rule,
    EmergencyRefused: _from_rule,
    Withheld: lambda error: Problem.from_rule(error.rule, audit=error.audit),
    **dict.fromkeys(
        (ComplianceItemNotFound, LookupNotFound, ReceiverNotFound, RequestNotFound, WorkOrderNotFound),
        _constant("not-found"),
    ),
    ConcurrentChange: _constant("changed-meanwhile"),
    VersionConflict: lambda error: Problem("version-conflict", current=error.current),
    SignOnUnavailable: _constant("sign-on-unavailable", retry_after=5),
    AuditUnavailable: _constant("audit-unavailable", retry_after=2),
    DatabaseUnavailable: _constant("database-unavailable", retry_after=2),
    Exception: _constant("internal"),
}


def _document_problems(app: FastAPI) -> None:
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            models = schema.setdefault("components", {}).setdefault("schemas", {})
            body = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            models.update(body.pop("$defs", {}))
            models["ProblemBody"] = body
            # FastAPI's own error body is never sent here.
            models.pop("HTTPValidationError", None)
            models.pop("ValidationError", None)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
