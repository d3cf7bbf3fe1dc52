"""
The short way in for the call that is made all day.

FastAPI describes the route in OpenAPI as any other; the call itself is read straight from its bytes, once, and its
caller is known before its body is looked at.
"""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from gateway.api.callers import hub_of, signed_in
from gateway.api.limits import json_body


class LeanRoute(APIRoute):
    """
    A route whose endpoint takes exactly one body model, the caller and the hub, in this order, and makes its response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler: caller, content type, body, endpoint."""
        endpoint = self.endpoint
        model: type[BaseModel] = next(iter(inspect.signature(endpoint, eval_str=True).parameters.values())).annotation

        async def handle(request: Request) -> Response:
            hub, caller = hub_of(request), await signed_in(request)
            await json_body(request)
            errors: list[Any] = []
            try:
                body = model.model_validate_json(await request.body())
            except ValidationError as error:
                errors = error.errors(include_url=False, include_context=False, include_input=False)
            if errors:
                raise RequestValidationError(errors)
            response: Response = await endpoint(body, caller, hub)
            return response

        return handle
