"""
The first page: sign-in, or a redirect to the reader's first section; and the switches of language and theme.
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
from gateway.web.page import LANGUAGE, THEME, AnyPage, PageRule, Theme, own, see_other

router = APIRouter(include_in_schema=False)

A_YEAR: Final = 366 * 86_400


@router.get("/")
async def home(request: Request, page: AnyPage, hub: TheHub) -> Response:
    """Redirects to the first section of the reader, or offers the sign-in."""
    try:
        here = await own(request, hub)
    except NotSignedIn:
        return page.show("home.html")
    if not here.sections:
        raise Problem.from_rule(PageRule.NO_SECTION)
    return see_other(here.sections[0].address)


@router.get("/signed-in-again")
async def signed_in_again(page: AnyPage) -> Response:
    """The end of a sign-in in a second tab."""
    return page.show("signed_in_again.html")


@router.post("/preferences")
async def prefer(
    request: Request,
    hub: TheHub,
    to: Annotated[str, Form(max_length=2000)] = "/",
    language: Annotated[Language | None, Form()] = None,
    theme: Annotated[Theme | None, Form()] = None,
) -> Response:
    """Stores the language or the theme in a cookie, also for readers who are not signed in."""
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
