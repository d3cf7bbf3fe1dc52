"""
Administration over HTTP: everybody sees and changes what their office allows, and every change is on record.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from schemas.china_time import CHINA
from tests.court import RunningCourt
from tests.web.reader import Reader

Readers = Callable[..., Reader]

EVERYWHERE = ["tree", "kinds", "agencies", "health"]


@pytest.mark.parametrize(
    ("user", "language"),
    [("admin", "zh"), ("feng.an", "en"), ("wu.fang", "zh"), ("zheng.hao", "en"), ("sun.li", "zh"), ("chen.jing", "en")],
)
def test_who_looks_after_something_sees_every_page_in_both_languages(reader: Readers, user: str, language: str) -> None:
    """One heading each; the pages beside are the ones that they may enter."""
    visitor = reader(user, language=language)
    for sheet in EVERYWHERE:
        assert visitor.get(f"/administration/{sheet}").status_code == 200, sheet
        assert len(visitor.texts("h1")) == 1
    for link in visitor.page.select("nav.chips a"):
        assert visitor.client.get(str(link["href"])).status_code == 200


def test_clerks_administer_nothing(reader: Readers) -> None:
    """Neither by the page nor by the form."""
    clerk = reader("li.ting")
    assert [clerk.get(f"/administration/{sheet}").status_code for sheet in [*EVERYWHERE, "callbacks", "deputies"]] == [
        403
    ] * 6


def test_the_security_administrator_gives_a_role_and_the_log_says_so(reader: Readers, court: RunningCourt) -> None:
    """By a form of the tree; whom it concerns is in no address."""
    security = reader("feng.an", language="en")
    security.get("/administration/tree")
    form = next(form for form in security.page.select("form.person") if form.select_one("[value='qian.wei']"))
    token = str(form.select_one("[name=csrf_token]")["value"])  # type: ignore[index]
    own = {"Origin": court.demo.address, "Sec-Fetch-Site": "same-origin"}
    values = {"csrf_token": token, "user": "qian.wei", "unit": "zj0802-service-2", "with_roles": "true"}

    given = security.client.post(str(form["action"]), data=values | {"roles": ["assistant", "judge"]}, headers=own)
    last = court.events(type="admin.changed")[-1]["event"]["detail"]
    security.client.post(str(form["action"]), data=values | {"roles": ["assistant"]}, headers=own)

    assert given.status_code == 200
    assert "qian.wei" not in str(given.url)
    assert last == {"units": 0, "people": 1, "unit": "zj0802-service-2", "roles": "assistant,judge", "active": 1}


def test_a_change_beyond_ones_office_is_refused_in_words(reader: Readers, court: RunningCourt) -> None:
    """The system administrator gives no role; nothing is written."""
    system = reader("admin", language="en")
    system.get("/administration/tree")
    form = next(form for form in system.page.select("form.person") if form.select_one("[value='qian.wei']"))
    token = str(form.select_one("[name=csrf_token]")["value"])  # type: ignore[index]
    values = {"csrf_token": token, "user": "qian.wei", "unit": "zj0802-service-2", "with_roles": "true"}
    own = {"Origin": court.demo.address, "Sec-Fetch-Site": "same-origin"}

    refused = system.client.post(str(form["action"]), data=values | {"roles": ["judge"]}, headers=own)
    forged = system.client.post(str(form["action"]), data=values | {"csrf_token": "x"}, headers=own)

    assert (refused.status_code, forged.status_code) == (403, 403)
    assert "gives no roles" in refused.text


def test_a_group_leader_arranges_who_stands_in(reader: Readers) -> None:
    """And ends it."""
    leader, today = reader("sun.li", language="en"), datetime.now(CHINA).date()
    leader.get("/administration/deputies")
    leader.send(
        "form.arrange", absent="li.ting", deputy="wang.qiang", since=str(today), until=str(today + timedelta(days=5))
    )
    arranged = leader.texts("tbody td")
    leader.send("form.end")

    assert arranged[:2] == ["李婷", "王强"]
    assert leader.texts("tbody td") == []


def test_callbacks_are_the_system_administrators(reader: Readers) -> None:
    """Receivers and dead letters; nobody else enters."""
    assert reader("admin").get("/administration/callbacks").status_code == 200
    assert reader("wu.fang").get("/administration/callbacks").status_code == 403


def test_the_state_of_agencies_and_of_the_log_is_told_without_secrets(reader: Readers, court: RunningCourt) -> None:
    """Lines, drift, keys by name and age."""
    visitor = reader("admin", language="en")
    visitor.get("/administration/agencies")
    assert len(visitor.page.select("section.sheet")) == len(visitor.page.select("section.sheet table")) >= 3
    visitor.get("/administration/health")
    assert {"hub.key", "audit.keys", "audit.guard"} <= set(visitor.texts(".facts dt"))
    assert "No checkpoint of this log is kept elsewhere." in visitor.text(".notice-warning")
