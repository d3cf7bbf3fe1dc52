"""
The demo court as a browser meets it: real sockets, the real sign-on server, plain HTTP on this machine.
"""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.court import RunningCourt


@pytest.fixture
def browser(court: RunningCourt) -> Iterator[httpx.Client]:
    """A browser in the clerk's hands."""
    with httpx.Client(base_url=court.demo.address, follow_redirects=True, trust_env=False, timeout=30) as client:
        yield client


def signs_in(browser: httpx.Client, user: str, to: str = "/v1/session") -> httpx.Response:
    """Chooses a person on the sign-on server's page, as its form does."""
    page = browser.get("/sign-in", params={"to": to})
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return browser.post(page.url.copy_with(query=None), data=hidden | {"user": user})


def test_a_clerk_signs_in_looks_up_and_signs_out(court: RunningCourt, browser: httpx.Client) -> None:
    """The session carries the same right as the clerk's access token, and ends when she says so."""
    person = court.cast["moved"]
    number = court.dispatch(person)

    session = signs_in(browser, "li.ting")
    own = {"Origin": court.demo.address, "X-CSRF-Token": session.json()["csrf_token"]}
    answer = browser.post("/v1/lookups", json=court.question(number, person), headers=own)
    forged = browser.post("/v1/lookups", json=court.question(number, person))
    out = browser.post("/sign-out", headers=own, follow_redirects=False)
    afterwards = browser.get("/v1/session")

    assert (session.status_code, session.url.path, session.json()["user"]) == (200, "/v1/session", "li.ting")
    assert (answer.status_code, answer.json()["identity"]["full_name"]["value"]) == (200, person["name"])
    assert (forged.status_code, forged.json()["rule"]) == (403, "cross_site")
    assert out.status_code == 303
    assert (afterwards.status_code, afterwards.json()["rule"]) == (401, "missing")


def test_sign_in_and_sign_out_are_in_the_audit_log(court: RunningCourt, browser: httpx.Client) -> None:
    """Sign-in and end are one exchange; how strongly the person authenticated stands in clear."""
    session = signs_in(browser, "wang.qiang")
    own = {"Origin": court.demo.address, "X-CSRF-Token": session.json()["csrf_token"]}
    browser.post("/sign-out", headers=own, follow_redirects=False)
    begun, ended = [record["event"] for record in court.events() if record["event"]["type"].startswith("session.")][-2:]

    assert (begun["type"], begun["detail"]) == (
        "session.signed_in",
        {"acr": "urn:demo:acr:password", "method": "pwd"},
    )
    assert (ended["type"], ended["detail"]) == ("session.ended", {"how": "signed_out"})
    assert ended["xid"] == begun["xid"]
