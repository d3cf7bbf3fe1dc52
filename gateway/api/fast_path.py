"""
The short way in for the one call that is made all day.

The same endpoint is a FastAPI route like any other, which describes it; calls are led past the framework's layers,
read straight from their bytes, and their caller is known before their body is looked at.  Without this the hub
answers the same, only later.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.api.dependencies import hub_of, json_body, signed_in
from gateway.hub import Hub
from gateway.sign_on import Caller

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[Request, Exception], Awaitable[Response]]


class FastPath(Generic[M]):
    """
    Leads `POST path` to `endpoint(body, caller, hub)`, and everything else to the application.
    """

    def __init__(
        self, app: FastAPI, path: str, endpoint: Callable[[M, Caller, Hub], Awaitable[Response]], model: type[M]
    ) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint
        self._model = model
        # What the framework would leave in the scope, for whoever asks which route a call took.
        self._route = Route(path, endpoint, methods=["POST"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, with the application's own handlers for everything that is raised."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        scope["app"], scope["route"] = self._app, self._route
        request = Request(scope, receive)
        unknown: Exception | None = None
        try:
            response = await self._answer(request)
        except Exception as error:  # noqa: BLE001 - the handlers' table says what each becomes
            response, unknown = await self._told(request, error)
        await response(scope, receive, send)
        if unknown is not None:
            raise unknown

    async def _answer(self, request: Request) -> Response:
        hub, caller = hub_of(request), await signed_in(request)
        await json_body(request)
        errors: list[Any] = []
        try:
            body = self._model.model_validate_json(await request.body())
        except ValidationError as error:
            errors = error.errors(include_url=False, include_context=False, include_input=False)
        if errors:
            raise RequestValidationError(errors)
        return await self._endpoint(body, caller, hub)

    async def _told(self, request: Request, error: Exception) -> tuple[Response, Exception | None]:
        """The response of the nearest handler; an error that only the last one knows is the server's to log."""
        nearest = next(kind for kind in type(error).__mro__ if kind in self._app.exception_handlers)
        handler = cast("Handler", self._app.exception_handlers[nearest])
        response = await handler(request, error)
        return response, error if nearest is Exception else None
