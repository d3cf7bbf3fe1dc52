"""
What is refused before it is read: a program is told as a problem, a person with a browser as a page.
"""

import httpx
import pytest
from bs4 import BeautifulSoup
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.middleware import DrainMiddleware, DrainState, RequestLimitsMiddleware
from gateway.api.problems import render_json
from gateway.web.error_pages import for_people
from gateway.web.headers import PAGE_HEADERS

PERSON = {"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en"}
TOLD = for_people(render_json)


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An application that is never reached."""
    raise AssertionError


def closed() -> DrainState:
    """A door of a hub that is being stopped."""
    door = DrainState()
    door.close()
    return door


REFUSING: dict[str, ASGIApp] = {
    "busy": RequestLimitsMiddleware(nothing, in_flight=0, render=TOLD),
    "body-too-large": RequestLimitsMiddleware(nothing, in_flight=1, max_body=3, render=TOLD),
    "draining": DrainMiddleware(nothing, closed(), TOLD),
}


async def request_refused(name: str, path: str = "/verify", **headers: str) -> httpx.Response:
    """A form that is sent."""
    transport = httpx.ASGITransport(REFUSING[name])
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
        return await client.post(path, content=b"four", headers=headers)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "status", "heading", "preserved"),
    [
        ("busy", 503, "Not available now", {"retry-after": "1"}),
        ("body-too-large", 413, "Too large", {"connection": "close"}),
        ("draining", 503, "Not available now", {"retry-after": "5", "connection": "close"}),
    ],
)
async def test_a_refusal_is_a_page_for_a_person(
    name: str, status: int, heading: str, preserved: dict[str, str]
) -> None:
    """With the headers of every page, in their language, and a way back to the form."""
    answer = await request_refused(name, **PERSON, Referer="http://hub.example/verify?record=1")
    page = BeautifulSoup(answer.text, "lxml")

    assert (answer.status_code, [title.get_text() for title in page.select("h1")]) == (status, [heading])
    assert answer.headers.items() >= ({key.lower(): value for key, value in PAGE_HEADERS.items()} | preserved).items()
    assert [str(link["href"]) for link in page.select(".problem a")] == ["/verify?record=1", "/"]


@pytest.mark.anyio
async def test_a_page_of_another_host_is_not_linked() -> None:
    """Only our own pages are."""
    answer = await request_refused("busy", **PERSON, Referer="http://evil.example/verify")

    assert [str(link["href"]) for link in BeautifulSoup(answer.text, "lxml").select(".problem a")] == ["/"]


@pytest.mark.anyio
async def test_a_refusal_is_a_fragment_for_htmx() -> None:
    """Without the frame of the page that it stands in already."""
    answer = await request_refused("busy", **PERSON, **{"HX-Request": "true"})

    assert answer.text.strip().startswith('<section class="problem" role="alert">')


@pytest.mark.anyio
@pytest.mark.parametrize("name", REFUSING)
@pytest.mark.parametrize(("path", "accepted"), [("/v1/lookups", "text/html"), ("/verify", "application/json")])
async def test_a_refusal_is_a_problem_for_a_program(name: str, path: str, accepted: str) -> None:
    """By its address or by what it takes."""
    answer = await request_refused(name, path, Accept=accepted)

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:shuniu:problem:{name}"
