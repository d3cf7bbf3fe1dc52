"""
The HTTP application of a hub.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from audit.errors import AuditUnavailable
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
from gateway.api.docs_page import add_page
from gateway.api.draining import DrainMiddleware, DrainState
from gateway.api.fast_path import FastPath
from gateway.api.limits import RequestLimitsMiddleware
from gateway.api.problems import Problem, ProblemBody, plainly
from gateway.api.refusal_log import RefusalLog
from gateway.api.telemetry_middleware import TelemetryMiddleware
from gateway.api.validation_errors import as_problem, invalid
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.sign_on import NotFromOurPages, NotSignedIn, SignInFailed, SignOnUnavailable
from schemas.identifiers import IdentifierError
from schemas.lookup import LookupRequest

ErrorHandler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

DESCRIPTION = (
    "The data-exchange gateway of a court: one hub that asks other agencies about a party to a case, inside an open "
    "work order, and records every access in a log that anyone can check. Personal identifiers stand in bodies only, "
    "never in an address."
)

ROOMS = (
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
    The application; `start` makes the hub when the server starts, in the server's event loop.

    `add_pages` adds the routes for people, and `error_page` lets an error handler answer them with a page;
    `drain_state` is for the server that stops the application.
    """
    handlers: dict[Any, ErrorHandler] = {
        Problem: refusal_log.respond,
        RequestValidationError: _invalid,
        HTTPException: _http,
        ClientDisconnect: _gone,
        NotSignedIn: _not_signed_in,
        NotFromOurPages: _not_from_our_pages,
        SignInFailed: _sign_in_failed,
        SignOnUnavailable: _plain("sign-on-unavailable", retry_after=5),
        AuditUnavailable: _plain("audit-unavailable", retry_after=2),
        DatabaseUnavailable: _plain("database-unavailable", retry_after=2),
        IdentifierError: _identifier,
        Exception: _plain("internal"),
    }
    app = FastAPI(
        title="Shuniu",
        version="1",
        description=DESCRIPTION,
        lifespan=_lifespan(start),
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        exception_handlers={kind: error_page(handler) for kind, handler in handlers.items()},
    )
    for room in ROOMS:
        app.include_router(room.router)
    add_page(app)
    add_pages(app)
    _document_problems(app)
    told = error_page(plainly)
    fast_path = FastPath(app, lookups.PATH, lookups.look_up, LookupRequest)
    limited = RequestLimitsMiddleware(fast_path, in_flight=in_flight, told=told)
    return TelemetryMiddleware(DrainMiddleware(limited, drain_state or DrainState(), told), app)


def _lifespan(start: Callable[[], Awaitable[Hub]]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # In this order: what was refused last is written before the hub gives its log back.
        async with await start() as hub, RefusalLog(hub.log) as app.state.refusals:
            app.state.hub = hub
            yield

    return lifespan


def _plain(name: str, **members: Any) -> Callable[[Request, Any], Coroutine[Any, Any, Response]]:
    async def handler(_request: Request, _error: Exception) -> Response:
        return Problem(name, **members).response()

    return handler


async def _not_signed_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSignedIn)  # noqa: S101 - registered for nothing else
    refusal_log.count(request, error.rule)
    challenge = f'Bearer realm="shuniu", error="invalid_token", error_description="{error.rule}"'
    return Problem("not-signed-in", rule=str(error.rule), headers={"WWW-Authenticate": challenge}).response()


async def _not_from_our_pages(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotFromOurPages)  # noqa: S101 - registered for nothing else
    refusal_log.count(request, error.rule)
    return Problem("not-permitted", rule=str(error.rule), en=error.rule.en, zh=error.rule.zh).response()


async def _sign_in_failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInFailed)  # noqa: S101 - registered for nothing else
    refusal_log.count(request, error.rule)
    en, zh = error.rule.en, error.rule.zh
    if error.because is not None:
        en, zh = f"{en} ({error.because.en}.)", f"{zh}（{error.because.zh}。）"
    return Problem("sign-in-failed", rule=str(error.rule), en=en, zh=zh).response()


async def _identifier(_request: Request, error: Exception) -> Response:
    assert isinstance(error, IdentifierError)  # noqa: S101 - registered for nothing else
    return invalid("subject.id_number", str(error.rule), error.help("en"), error.help("zh")).response()


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    names = {404: "not-found", 405: "method-not-allowed", 415: "wrong-content-type"}
    name = names.get(error.status_code, "invalid-input" if error.status_code < 500 else "internal")
    return Problem(name, headers=error.headers).response()


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads this: the caller hung up, or its body was cut off at the bound.
    return Response(status_code=400)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return as_problem(error).response()


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
