"""
The HTTP application of a hub.
"""

import re
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
from gateway.api import agencies, audit, health, lookups, session, work_orders
from gateway.api.limits import Limits
from gateway.api.page import add_page
from gateway.api.problems import InputError, Problem, ProblemBody, respond
from gateway.api.short_way import ShortWay
from gateway.database import DatabaseUnavailable
from gateway.hub import Hub
from gateway.sign_on import NotFromOurPages, NotSignedIn, SignInFailed, SignOnUnavailable
from schemas.identifiers import IdentifierError
from schemas.lookup import LookupRequest

DESCRIPTION = (
    "The data-exchange gateway of a court: one hub that asks other agencies about a party to a case, inside an open "
    "work order, and records every access in a log that anyone can check. Personal identifiers stand in bodies only, "
    "never in an address."
)

# A name that a caller made up may itself be somebody's number; only names of our own shape are repeated.
FIELD_NAME = re.compile(r"[a-z_]{1,40}|[0-9]{1,4}")


def create_app(start: Callable[[], Awaitable[Hub]], *, in_flight: int) -> ASGIApp:
    """
    The application; `start` makes the hub when the server starts, in the server's event loop.
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
            Problem: respond,
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
        },
    )
    for room in (lookups, work_orders, agencies, audit, session, health):
        app.include_router(room.router)
    add_page(app)
    _document_problems(app)
    way_in = ShortWay(app, lookups.PATH, lookups.look_up, LookupRequest)
    return Limits(way_in, in_flight=in_flight)


def _lifespan(start: Callable[[], Awaitable[Hub]]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await start() as hub:
            app.state.hub = hub
            yield

    return lifespan


def _plain(name: str, **members: Any) -> Callable[[Request, Any], Coroutine[Any, Any, Response]]:
    async def handler(_request: Request, _error: Exception) -> Response:
        return Problem(name, **members).response()

    return handler


async def _not_signed_in(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSignedIn)  # noqa: S101 - registered for nothing else
    challenge = f'Bearer realm="shuniu", error="invalid_token", error_description="{error.rule}"'
    return Problem("not-signed-in", rule=str(error.rule), headers={"WWW-Authenticate": challenge}).response()


async def _not_from_our_pages(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotFromOurPages)  # noqa: S101 - registered for nothing else
    return Problem("not-permitted", rule=str(error.rule), en=error.rule.en, zh=error.rule.zh).response()


async def _sign_in_failed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInFailed)  # noqa: S101 - registered for nothing else
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
    errors = [_input_error(one) for one in error.errors()]
    return Problem("invalid-input", errors=errors).response()


def invalid(field: str, rule: str, en: str, zh: str) -> Problem:
    """A problem about one field, told in both languages."""
    return Problem("invalid-input", en=en, zh=zh, errors=[InputError(field=field, rule=rule, detail=en)])


def _input_error(error: dict[str, Any]) -> InputError:
    steps = [str(step) for step in error["loc"] if step != "body"]
    field = ".".join(step if FIELD_NAME.fullmatch(step) else "(unknown member)" for step in steps) or "(body)"
    rule = error["type"]
    detail = _ADVICE.get(rule, "The value breaks the rule of this field; /docs shows its form.")
    return InputError(field=field, rule=rule, detail=detail)


_ADVICE = {
    "extra_forbidden": "The hub does not know this member. Leave it out, or check its spelling against /docs.",
    "missing": "This member is required. Add it.",
    "json_invalid": "The body is not well-formed JSON in UTF-8. Check quotes, commas and encoding.",
    "enum": "The value is not one of the closed list of this field. /docs shows the list.",
    "string_too_short": "The text is shorter than this field takes.",
    "string_too_long": "The text is longer than this field takes.",
    "string_pattern_mismatch": "The text does not have the form of this field; /docs shows the form.",
    "string_type": "This member must be a text.",
    "model_attributes_type": "This member must be an object.",
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
