"""
All pages, put into the application.
"""

from typing import Final

from fastapi import FastAPI
from starlette.routing import Route

from gateway.web import assets, home, verify_printout
from gateway.web.administration import pages as administration
from gateway.web.clerk import lookup_form, printout, stored_result, work_orders
from gateway.web.console import pages as console

ROUTERS: Final = (
    home.router,
    verify_printout.router,
    work_orders.router,
    lookup_form.router,
    stored_result.router,
    printout.router,
    console.router,
    administration.router,
)


def add_pages(app: FastAPI) -> None:
    """Adds every page; the OpenAPI document knows nothing of them."""
    for router in ROUTERS:
        app.include_router(router)
    app.router.routes.append(Route(f"{assets.PREFIX}/{{path:path}}", assets.serve))
