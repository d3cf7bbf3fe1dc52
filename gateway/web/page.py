"""
A page and its reader: language, theme, session, place in the tree; and the HTML responses.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from jinja2_fragments import render_block
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.api.dependencies import TheHub, identified
from gateway.api.problems import Problem
from gateway.hub import Hub
from gateway.organization.people import Member
from gateway.organization.roles import Role
from gateway.sign_on import Caller, NotSignedIn, SignInRule
from gateway.sign_on.sessions import Session
from gateway.web.headers import PAGE_HEADERS
from gateway.web.i18n import Language, chosen
from gateway.web.navigation import Section, sections_for
from gateway.web.templating import environment
from schemas.codes import Code

LANGUAGE: Final = "shuniu-language"
THEME: Final = "shuniu-theme"


class Theme(Code):
    """Light, dark, or as the machine is set."""

    AUTO = "auto", "跟随系统", "As this computer"
    LIGHT = "light", "浅色", "Light"
    DARK = "dark", "深色", "Dark"


class PageRule(Code):
    """A rule of the pages themselves."""

    ROLE_MISSING = (
        "role_missing",
        "您的角色不包含此页面。确有需要的，请本院安全管理员授予相应角色。",
        "This page belongs to a role that you do not hold. If you need it, ask your court's security administrator.",
    )
    NO_SECTION = (
        "no_room",
        "您的角色没有对应的页面。如需办案或管理权限，请联系本院安全管理员。",
        "There is no page for your role here. If you need one, ask your court's security administrator for a role.",
    )
    NOT_IN_THE_TREE = (
        "not_a_member",
        "您未列入本院组织架构，或账号已停用。请联系本院系统管理员登记。",
        "You are not entered in the court's tree, or your account is not active. "
        "Ask your court's system administrator to enter you.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """
    The reader of a page.  `session` is None for a reader who is not signed in, `member` for one outside the tree.
    """

    request: Request
    language: Language
    theme: Theme
    session: Session | None = None
    member: Member | None = None

    @property
    def path(self) -> str:
        """The address of this page without the host."""
        query = self.request.url.query
        return f"{self.request.url.path}?{query}" if query else self.request.url.path

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections that the reader may enter."""
        return () if self.member is None else sections_for(self.member.roles)

    @property
    def in_part(self) -> bool:
        """Whether htmx asked for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    def show(
        self, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HTMLResponse:
        """The whole page, which browsers and proxies do not store."""
        body = environment(self.language).get_template(template).render(page=self, **values)
        return HTMLResponse(body, status, headers=PAGE_HEADERS | (headers or {}))

    def part(self, template: str, block: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """One block of a page, for htmx."""
        return HTMLResponse(self.text(template, block, **values), status, headers=PAGE_HEADERS)

    def text(self, template: str, block: str, **values: Any) -> str:
        """The HTML of one block of a page."""
        html: str = render_block(environment(self.language), template, block, page=self, **values)
        return html


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPage(PageContext):
    """A page of a member of the court's tree who is signed in."""

    session: Session
    member: Member

    @property
    def caller(self) -> Caller:
        """The reader as a caller."""
        return self.session.caller

    @property
    def idle_at(self) -> datetime:
        """When the session ends unless it is used before."""
        return self.session.idle_at

    def require(self, *roles: Role) -> None:
        """Raises `Problem` unless the reader holds one of these roles; the refusal is recorded."""
        if not self.member.roles & frozenset(roles):
            raise Problem.from_rule(PageRule.ROLE_MISSING)


def see_other(address: str) -> Response:
    """Redirects to another page of ours, after a form was sent."""
    return RedirectResponse(address, 303, headers=PAGE_HEADERS)


def bare(request: Request) -> PageContext:
    """The page of any reader, signed in or not."""
    theme = request.cookies.get(THEME)
    return PageContext(
        request=request,
        language=chosen(request.cookies.get(LANGUAGE), request.headers.get("accept-language", "")),
        theme=Theme(theme) if theme in set(Theme) else Theme.AUTO,
    )


async def own(request: Request, hub: Hub, *, extend: bool = True) -> OwnPage:
    """
    The page of who is signed in; with `extend` this is a sign of life of the session.

    Raises `NotSignedIn`, `NotFromOurPages`, `Problem`, `DatabaseUnavailable`, `AuditUnavailable`.
    """
    identity = await identified(request, extend=extend)
    if isinstance(identity, Caller):
        # Pages are for sessions, not for programs with a token.
        raise NotSignedIn(SignInRule.NO_SESSION)
    request.state.caller = identity.caller
    member = await hub.members.get(identity.caller.court, identity.caller.user)
    if member is None:
        raise Problem.from_rule(PageRule.NOT_IN_THE_TREE)
    plain = bare(request)
    page = OwnPage(request=request, language=plain.language, theme=plain.theme, session=identity, member=member)
    request.state.page = page
    return page


async def _own(request: Request, hub: TheHub) -> OwnPage:
    return await own(request, hub)


async def _own_in_background(request: Request, hub: TheHub) -> OwnPage:
    return await own(request, hub, extend=False)


async def _bare(request: Request) -> PageContext:
    return bare(request)


Own = Annotated[OwnPage, Depends(_own)]
# For requests that a page makes by itself, which are no sign of life.
LookedAt = Annotated[OwnPage, Depends(_own_in_background)]
AnyPage = Annotated[PageContext, Depends(_bare)]


def requires(*roles: Role) -> Callable[[OwnPage], Awaitable[OwnPage]]:
    """The dependency of pages for one of these roles."""

    async def page_of_role(page: Own) -> OwnPage:
        page.require(*roles)
        return page

    return page_of_role
