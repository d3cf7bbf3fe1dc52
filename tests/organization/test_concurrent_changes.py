"""
Changes while something is wrong: no record, no change; overtaken, no change; and no ending before a release is done.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.organization.court import Answer, OrganizationCourt
from tests.organization.tasks import confirm, delegate, dispatch, emergency, look_up, review, told

GROUP = "zj0802-service-1"


@contextmanager
def held(court: OrganizationCourt, statement: bytes, *values: str) -> Iterator[psycopg.Connection]:
    """A lock of somebody else's, until the end."""
    with psycopg.connect(court.owner) as connection:
        connection.execute(statement, values)
        yield connection
        connection.rollback()


def log_shut(court: OrganizationCourt) -> object:
    """Nothing can be appended."""
    return held(court, b"LOCK TABLE audit.head IN ACCESS EXCLUSIVE MODE")


def in_background(call: Callable[[], Answer]) -> tuple[threading.Thread, list[Answer]]:
    """Runs a call beside the test."""
    answers: list[Answer] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    return thread, answers


def wait_until(happened: Callable[[], bool]) -> None:
    """Waits for another thread's doing, and fails after a bound instead of hanging."""
    stop = threading.Event()
    for _ in range(500):
        if happened():
            return
        stop.wait(0.02)
    raise AssertionError("did not happen")


CALLS: dict[str, tuple[Callable[[OrganizationCourt], Answer], str]] = {
    "a new account": (
        lambda court: court.put_person("admin", "xu.lan", unit=GROUP, name="许兰"),
        "SELECT * FROM org_person WHERE \"user\" = 'xu.lan'",
    ),
    "an account switched off": (
        lambda court: court.call("admin", "DELETE", "/v1/organization/people/li.ting"),
        "SELECT * FROM org_person WHERE NOT active",
    ),
    "standing in": (lambda court: delegate(court, "sun.li", "li.ting", "wang.qiang"), "SELECT * FROM delegation"),
    "an emergency": (lambda court: emergency(court, "li.ting"), "SELECT * FROM work_order WHERE recorded"),
}


@pytest.mark.parametrize(("call", "left"), list(CALLS.values()), ids=list(CALLS))
def test_a_change_without_its_record_does_not_take_effect(
    court: OrganizationCourt, call: Callable[[OrganizationCourt], Answer], left: str
) -> None:
    """503, to be tried again; and then it works."""
    with log_shut(court):
        assert told(call(court)) == (503, "audit-unavailable")
        assert court.query(left) == []

    assert call(court).status_code < 300


def test_a_change_fails_if_its_actor_is_deactivated_meanwhile(court: OrganizationCourt) -> None:
    """What was decided is decided again when it is written; the log says that it was overtaken."""
    body = {"unit": GROUP, "name": "许兰"}
    before = len(court.admin_changes())
    with log_shut(court):
        thread, answers = in_background(lambda: court.call("admin", "PUT", "/v1/organization/people/xu.lan", body))
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'audit.head'::regclass"
        wait_until(lambda: bool(court.query(waiting)))
        court.query("UPDATE org_person SET active = false, roles = '{}' WHERE \"user\" = 'admin'")
    thread.join()

    assert told(answers[0]) == (409, "changed-meanwhile")
    assert court.query("SELECT * FROM org_person WHERE \"user\" = 'xu.lan'") == []
    assert [leaf["outcome"] for leaf in court.admin_changes()[before:]] == ["changed", "overtaken"]


def test_confirmations_and_reviews_take_effect_only_with_their_record(court: OrganizationCourt) -> None:
    """A second person's word that nobody could find later is none."""
    number = emergency(court, "li.ting").json()["work_order"]
    with log_shut(court):
        assert told(confirm(court, "sun.li", number)) == (503, "audit-unavailable")
        assert told(review(court, "chen.jing", number)) == (503, "audit-unavailable")

    assert told(look_up(court, "li.ting", number)) == (403, "second_person_missing")
    assert len(court.call("chen.jing", "GET", "/v1/reviews").json()) == 1


@pytest.mark.parametrize(
    ("end", "whose"),
    [
        (lambda court, made: court.call("sun.li", "DELETE", f"/v1/delegations/{made}"), "wang.qiang"),
        (lambda court, _: court.call("admin", "DELETE", "/v1/organization/people/wang.qiang"), "wang.qiang"),
        (lambda court, _: court.put_person("feng.an", "wang.qiang", unit=GROUP, roles=[]), "wang.qiang"),
    ],
    ids=["standing in ends", "an account is switched off", "a role is taken"],
)
def test_a_right_does_not_end_during_a_release(
    court: OrganizationCourt, end: Callable[[OrganizationCourt, str], Answer], whose: str
) -> None:
    """The ending waits for the answer that is on its way out; when it has returned, none leaves any more."""
    dispatch(court)
    made = delegate(court, "sun.li", "li.ting", "wang.qiang").json()["id"]
    name = f"person|浙0802|{whose}"
    with held(court, b"SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", name):
        thread, answers = in_background(lambda: end(court, made))
        wait_until(lambda: bool(court.query("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")))
    thread.join()

    assert answers[0].status_code < 300
    assert look_up(court, "wang.qiang").status_code == 403
