"""
The API's documentation page at /docs; all its files are served by this hub, since a court's network is closed.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).parent / "static"
VENDORED: Final = "/static/vendor/swagger-ui-dist-5.35.0"


def add_docs_page(app: FastAPI) -> None:
    """Adds /docs and its files, which OpenAPI does not list."""

    async def docs(_request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "/openapi.json",
            title="Shuniu 枢纽",
            swagger_js_url=f"{VENDORED}/swagger-ui-bundle.js",
            swagger_css_url=f"{VENDORED}/swagger-ui.css",
            swagger_favicon_url="data:,",
            swagger_ui_parameters={"validatorUrl": None},
        )

    app.router.routes.append(Route("/docs", docs))
    app.mount("/static", StaticFiles(directory=STATIC))
