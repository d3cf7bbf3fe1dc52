"""
Pages in states that no running demo court reaches: made by the real templates, in this process.
"""

from typing import Any

from starlette.requests import Request

from gateway.web.i18n import Language
from gateway.web.page import PageContext, Theme
from tests.web.browser import Visit


def rendered(template: str, path: str, language: Language, **values: Any) -> str:
    """The HTML of a page at an address."""
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "scheme": "http"}
    page = PageContext(request=Request(scope), language=language, theme=Theme.AUTO)
    return bytes(page.show(template, **values).body).decode()


def show(visit: Visit, path: str, html: str) -> None:
    """Puts it into the browser at that address; its styles and scripts are the hub's."""
    address = visit.address + path
    visit.page.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    visit.page.goto(address)
    visit.page.unroute(address)
