"""
The routes of all pages.
"""

from typing import Final

from fastapi import FastAPI
from starlette.routing import Route

from gateway.web import assets, home, verify_printout
from gateway.web.administration import callbacks, delegations, status, tree
from gateway.web.clerk import lookup_form, printout, stored_result, work_orders
from gateway.web.console import event, events, export, figures, reports, review, verify

PAGES: Final = (
    *(home, verify_printout),
    *(work_orders, lookup_form, stored_result, printout),
    *(events, event, verify, export, reports, review, figures),
    *(tree, delegations, status, callbacks),
)


def add_pages(app: FastAPI) -> None:
    """Adds every page; none is part of the OpenAPI document."""
    for page in PAGES:
        app.include_router(page.router, include_in_schema=False)
    app.router.routes.append(Route(f"{assets.PREFIX}/{{path:path}}", assets.serve))
