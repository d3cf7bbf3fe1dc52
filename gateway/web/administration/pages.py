"""
The routes of administration, together.
"""

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from gateway.web.administration import callbacks, delegations, status, tree
from gateway.web.administration.common import OfTheTree
from gateway.web.headers import PAGE_HEADERS

router = APIRouter(include_in_schema=False)
for room in (tree, delegations, status, callbacks):
    router.include_router(room.router)


@router.get("/administration")
async def first(_page: OfTheTree) -> Response:
    """Leads to the first page."""
    return RedirectResponse(tree.PATH, 303, headers=PAGE_HEADERS)
