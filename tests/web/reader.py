"""
A reader of the pages over HTTP: signs in as people do, follows links, and sends the forms that a page holds.
"""

from typing import Any

import httpx
from bs4 import BeautifulSoup
from bs4.element import Tag

from tests.court import RunningCourt


class Reader:
    """A browser without JavaScript.  `at` is the page where the reader is, `page` its parsed HTML."""

    def __init__(self, court: RunningCourt, user: str | None = None, *, language: str = "zh") -> None:
        self.court = court
        self.client = httpx.Client(base_url=court.demo.address, follow_redirects=True, trust_env=False, timeout=30)
        self.client.headers.update({"Accept": "text/html", "Accept-Language": language})
        self.at = httpx.Response(0)
        self.page = BeautifulSoup("", "lxml")
        if user is not None:
            self.sign_in(user)

    def sign_in(self, user: str, to: str = "/") -> httpx.Response:
        """Chooses a person on the sign-on server's page."""
        choice = self.client.get("/sign-in", params={"to": to})
        form = BeautifulSoup(choice.text, "lxml")
        hidden = {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
        return self._arrive(self.client.post(choice.url.copy_with(query=None), data=hidden | {"user": user}))

    def get(self, path: str) -> httpx.Response:
        """Follows a link."""
        return self._arrive(self.client.get(path))

    def send(self, selector: str, button: str | None = None, **changes: Any) -> httpx.Response:
        """Sends the form that `selector` finds on this page, filled in as it stands but for `changes`."""
        form = self.page.select_one(selector)
        assert form is not None, selector
        values: dict[str, Any] = {}
        for field in form.select("input[name], select[name], textarea[name]"):
            name, value = str(field["name"]), _value(field)
            if value is not None:
                values.setdefault(name, []).append(value)
        if button is not None:
            name, _, value = button.partition("=")
            values[name] = value
        values |= changes
        address = str(form.get("action") or self.at.url)
        if str(form.get("method", "get")).lower() == "get":
            return self._arrive(self.client.get(address, params={name: v for name, v in values.items() if v != [""]}))
        own = {"Origin": self.court.demo.address, "Sec-Fetch-Site": "same-origin"}
        return self._arrive(self.client.post(address, data=values, headers=own))

    def text(self, selector: str = "main") -> str:
        """What stands there, with single blanks."""
        element = self.page.select_one(selector)
        assert element is not None, selector
        return " ".join(element.get_text(" ").split())

    def texts(self, selector: str) -> list[str]:
        """What stands at each place."""
        return [" ".join(element.get_text(" ").split()) for element in self.page.select(selector)]

    def close(self) -> None:
        """Ends the browser."""
        self.client.close()

    def _arrive(self, response: httpx.Response) -> httpx.Response:
        self.at, self.page = response, BeautifulSoup(response.text, "lxml")
        return response


def _value(field: Tag) -> str | None:
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.select_one("option")
        return None if chosen is None else str(chosen.get("value", ""))
    if field.name == "textarea":
        return field.get_text()
    if field.get("type") in {"checkbox", "radio"} and field.get("checked") is None:
        return None
    return str(field.get("value", ""))
