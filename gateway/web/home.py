"""
The first page: the way in for who is not signed in, the first room for who is; and the switches of language and theme.
"""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from gateway.api import browser_session
from gateway.api.dependencies import TheHub
from gateway.api.problems import Problem
from gateway.api.session import LOCAL_PAGE
from gateway.sign_on import NotFromOurPages, NotSignedIn, OriginRule
from gateway.web.i18n import Language
from gateway.web.page import LANGUAGE, THEME, Anybodys, PageRule, Theme, own, see_other

router = APIRouter(include_in_schema=False)

A_YEAR: Final = 366 * 86_400


@router.get("/")
async def home(request: Request, page: Anybodys, hub: TheHub) -> Response:
    """Leads to the first room of the reader, or to the sign-in."""
    try:
        here = await own(request, hub)
    except NotSignedIn:
        return page.show("home.html")
    if not here.rooms:
        raise Problem.from_rule(PageRule.NO_ROOM)
    return see_other(here.rooms[0].address)


@router.get("/signed-in-again")
async def signed_in_again(page: Anybodys) -> Response:
    """Where a sign-in in a second tab ends."""
    return page.show("signed_in_again.html")


@router.post("/preferences")
async def prefer(
    request: Request,
    hub: TheHub,
    to: Annotated[str, Form(max_length=2000)] = "/",
    language: Annotated[Language | None, Form()] = None,
    theme: Annotated[Theme | None, Form()] = None,
) -> Response:
    """Keeps the language or the theme in a cookie, for who is signed in and who is not."""
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site") not in {None, "same-origin"} or (
        origin is not None and origin != browser_session.own_address(request, hub)
    ):
        raise NotFromOurPages(OriginRule.CROSS_SITE)
    response = see_other(to if re.match(LOCAL_PAGE, to) else "/")
    secure = (browser_session.own_address(request, hub) or "").startswith("https:")
    for name, value in ((LANGUAGE, language), (THEME, theme)):
        if value is not None:
            response.set_cookie(name, value.value, max_age=A_YEAR, secure=secure, httponly=True, samesite="lax")
    return response
