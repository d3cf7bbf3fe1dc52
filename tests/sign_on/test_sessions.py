"""
How long a session lives, what ends it, and that an end holds everywhere at once.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from adapters.errors import ConfigurationError
from audit.errors import AuditUnavailable
from gateway.settings import Settings
from gateway.sign_on import session_store
from gateway.sign_on.pending_sign_ins import secret_digest
from gateway.sign_on.tables import session, sign_in_attempt
from tests.sign_on.court import ELSEWHERE, NOW, Clock, Issuer, SignOnCourt, csrf_token, own_page, problem

pytestmark = pytest.mark.anyio


async def rows(court: SignOnCourt, table: Any) -> list[dict[str, Any]]:
    """Every row of a table."""
    records: list[dict[str, Any]] = await court.hub.database.run(
        lambda connection: [dict(row) for row in connection.execute(select(table)).mappings()]
    )
    return records


async def test_a_session_that_is_not_used_is_over_after_the_idle_limit(court: SignOnCourt, clock: Clock) -> None:
    """The end is recorded with the sign-in that it ends."""
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)
        clock.now += 899
        alive = await browser.get("/v1/session")
        clock.now += 1
        over = await browser.get("/v1/session")
        still_over = await browser.get("/v1/session")
    begun, ended = court.records(before)

    assert alive.json()["idle_at"] == "2027-01-15T08:15:00Z"
    assert problem(over) == problem(still_over) == (401, "session_over")
    assert (ended["type"], ended["detail"]) == ("session.ended", {"how": "idle"})
    assert ended["xid"] == begun["xid"]
    assert await rows(court, session) == []


async def test_use_extends_a_session_and_reading_its_state_does_not(court: SignOnCourt, clock: Clock) -> None:
    """A page that watches its session must not keep it open for a chair that is empty."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        token = await csrf_token(browser)
        for _ in range(4):
            clock.now += 800
            extended = await browser.post("/v1/session", headers=own_page(token))
            assert extended.status_code == 200
        clock.now += 800
        await browser.get("/v1/session")
        clock.now += 100
        over = await browser.get("/v1/session")

    assert extended.json()["idle_at"] == "2027-01-15T09:08:20Z"
    assert problem(over) == (401, "session_over")


async def test_a_used_session_is_over_at_its_absolute_limit(open_court: Callable[..., Any], clock: Clock) -> None:
    """Eight hours by default; here half an hour."""
    court = await open_court(session_absolute=1800)
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)
        token = await csrf_token(browser)
        for _ in range(2):
            clock.now += 800
            extended = await browser.post("/v1/session", headers=own_page(token))
        clock.now += 200
        over = await browser.get("/v1/session")

    assert extended.json()["idle_at"] == extended.json()["ends_at"] == "2027-01-15T08:30:00Z"
    assert problem(over) == (401, "session_over")
    assert court.records(before)[-1]["detail"] == {"how": "expired"}


async def test_signing_in_after_an_end_demands_a_new_authentication(
    court: SignOnCourt, issuer: Issuer, clock: Clock
) -> None:
    """The sign-on server's own session is no way back in: an authentication older than the idle limit is too old."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        clock.now += 931
        issuer.identity = {"iat": int(clock.now), "auth_time": NOW}
        answer = await browser.get(issuer.returns(await court.goes_to_sign_on(browser)))

    assert problem(answer) == (403, "sign_in_too_old")


async def test_signing_out_ends_the_session_on_every_replica_at_once(
    court: SignOnCourt, open_court: Callable[..., Any]
) -> None:
    """No replica remembers a session between two calls."""
    replica = await open_court()
    before = court.length()
    async with court.browser() as browser, replica.browser() as same_browser:
        await court.signs_in(browser)
        same_browser.cookies = browser.cookies
        seen = await same_browser.get("/v1/session")
        out = await browser.post("/sign-out", headers=own_page(await csrf_token(browser)))
        answers = [
            await client.get("/v1/session", headers={"Cookie": seen.request.headers["cookie"]})
            for client in (browser, same_browser)
        ]

    assert seen.status_code == 200
    assert (out.status_code, out.headers["Location"], out.headers["Clear-Site-Data"]) == (303, "/", '"cache"')
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert [problem(answer) for answer in answers] == [(401, "session_over")] * 2
    assert [record["detail"] for record in court.records(before)][1:] == [{"how": "signed_out"}]


async def test_a_form_can_sign_out_without_any_script(court: SignOnCourt) -> None:
    """The token may come as a field of the form."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        fields = {"csrf_token": await csrf_token(browser)}
        out = await browser.post("/sign-out", data=fields, headers={"Origin": "https://shuniu.court.example"})
        afterwards = await browser.get("/v1/session")

    assert out.status_code == 303
    assert problem(afterwards) == (401, "missing")


async def test_a_new_sign_in_replaces_the_session_of_the_same_browser(court: SignOnCourt) -> None:
    """The old secret is worth nothing from then on."""
    before = court.length()
    async with court.browser() as browser:
        await court.signs_in(browser)
        old = browser.cookies["__Host-shuniu-session"]
        await court.signs_in(browser)
        new = browser.cookies["__Host-shuniu-session"]
        answer = await browser.get("/v1/session")

    assert old != new
    assert answer.status_code == 200
    assert len(await rows(court, session)) == 1
    assert [(record["type"], record.get("detail", {}).get("how")) for record in court.records(before)] == [
        ("session.signed_in", None),
        ("session.ended", "replaced"),
        ("session.signed_in", None),
    ]


async def test_a_session_used_from_another_address_is_ended(court: SignOnCourt) -> None:
    """Nobody can tell the thief from the owner, so both must sign in."""
    before = court.length()
    async with court.browser() as owner, court.browser(ELSEWHERE) as thief:
        await court.signs_in(owner)
        cookie = {"Cookie": f"__Host-shuniu-session={owner.cookies['__Host-shuniu-session']}"}
        stolen = await thief.get("/v1/session", headers=cookie)
        afterwards = await owner.get("/v1/session")

    assert problem(stolen) == (401, "session_moved")
    assert problem(afterwards) == (401, "session_over")
    assert court.records(before)[-1]["detail"] == {"how": "moved"}


async def test_the_binding_to_the_address_can_be_switched_off(open_court: Callable[..., Any]) -> None:
    """Behind several proxies one browser comes from several addresses."""
    court = await open_court(session_bound_to_address=False)
    async with court.browser() as browser, court.browser(ELSEWHERE) as other_way:
        await court.signs_in(browser)
        cookie = {"Cookie": f"__Host-shuniu-session={browser.cookies['__Host-shuniu-session']}"}
        answer = await other_way.get("/v1/session", headers=cookie)

    assert answer.status_code == 200


async def test_expired_sessions_are_recorded_with_the_next_sign_in(court: SignOnCourt, clock: Clock) -> None:
    """A browser that was closed never comes back to say so."""
    before = court.length()
    async with court.browser() as gone, court.browser() as next_one:
        await court.signs_in(gone)
        clock.now += 900
        court.issuer.identity = {"iat": int(clock.now), "exp": int(clock.now) + 600, "auth_time": int(clock.now)}
        await court.signs_in(next_one)

    assert [(record["type"], record["detail"].get("how")) for record in court.records(before)] == [
        ("session.signed_in", None),
        ("session.signed_in", None),
        ("session.ended", "idle"),
    ]
    assert len(await rows(court, session)) == 1


async def test_a_sign_in_without_its_record_makes_no_session(
    court: SignOnCourt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the log cannot write, no session begins; an end holds all the same, and is recorded later."""

    async def unavailable(*_: object, **__: object) -> int:
        raise AuditUnavailable

    async with court.browser() as browser:
        await court.signs_in(browser)
        token = await csrf_token(browser)
        cookie = {"Cookie": f"__Host-shuniu-session={browser.cookies['__Host-shuniu-session']}"}
        with monkeypatch.context() as broken:
            broken.setattr(type(court.hub.log), "append", unavailable)
            location = await court.goes_to_sign_on(browser)
            out = await browser.post("/sign-out", headers=own_page(token))
            refused = await browser.get(court.issuer.returns(location))
        afterwards = await browser.get("/v1/session", headers=cookie)
        before = court.length()
        await court.signs_in(browser)

    assert [(answer.status_code, answer.json()["type"]) for answer in (out, refused)] == [
        (503, "urn:shuniu:problem:audit-unavailable")
    ] * 2
    assert problem(afterwards) == (401, "session_over")
    assert [(record["type"], record["detail"].get("how")) for record in court.records(before)] == [
        ("session.signed_in", None),
        ("session.ended", "signed_out"),
    ]


async def test_the_tables_hold_neither_a_secret_nor_a_person(court: SignOnCourt) -> None:
    """Whoever reads them can sign in as nobody and learns of nobody."""
    async with court.browser() as browser, court.browser() as other:
        await court.signs_in(browser)
        location = await court.goes_to_sign_on(other)
        secrets = [browser.cookies["__Host-shuniu-session"], other.cookies["__Host-shuniu-sign-in"]]
        state = court.issuer.returns(location).partition("state=")[2].partition("&")[0]
        token = await csrf_token(browser)
    stored = repr(await rows(court, session)) + repr(await rows(court, sign_in_attempt))
    canaries = [*secrets, state, token, "li.ting", "李婷", repr("李婷".encode())[2:-1], "192.0.2.7"]

    assert [canary for canary in canaries if canary in stored] == []


async def test_a_session_that_does_not_decrypt_is_over(court: SignOnCourt) -> None:
    """After a change of key or version people sign in anew; nothing fails."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        await court.hub.database.run(lambda connection: connection.execute(session.update().values(caller=b"\0" * 40)))
        before = court.length()
        answer = await browser.get("/v1/session")

    assert problem(answer) == (401, "session_over")
    assert (court.length(), await rows(court, session)) == (before, [])


async def test_sessions_of_two_people_are_separate(court: SignOnCourt, issuer: Issuer) -> None:
    """Whoever can write the table cannot give a session away: its person is sealed to its own secret."""
    async with court.browser() as clerk, court.browser() as other:
        await court.signs_in(clerk)
        issuer.access = issuer.identity = {"sub": "wang.qiang"}
        await court.signs_in(other)
        first = (await rows(court, session))[0]["caller"]
        await court.hub.database.run(lambda connection: connection.execute(session.update().values(caller=first)))
        answers = [await browser.get("/v1/session") for browser in (clerk, other)]

    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_unfinished_sign_ins_are_bounded(
    court: SignOnCourt, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go after ten minutes; and beyond a bound the oldest go at once."""
    monkeypatch.setattr("gateway.sign_on.pending_sign_ins.MAX_PENDING", 3)
    secrets = []
    async with court.browser() as browser:
        for _ in range(5):
            await court.goes_to_sign_on(browser)
            clock.now += 1
            secrets.append(len(await rows(court, sign_in_attempt)))
        back = await browser.get(court.issuer.returns(await court.goes_to_sign_on(browser)))
        clock.now += 600
        await court.goes_to_sign_on(browser)

    assert secrets == [1, 2, 3, 3, 3]
    assert back.status_code == 303
    assert len(await rows(court, sign_in_attempt)) == 1


async def test_a_late_call_does_not_revive_an_ended_session(court: SignOnCourt, clock: Clock) -> None:
    """The sign of life of a call that was under way when the session ended."""
    async with court.browser() as browser:
        await court.signs_in(browser)
        secret = browser.cookies["__Host-shuniu-session"]
        ended = await court.hub.database.run(session_store.end, secret_digest(secret), "signed_out")
        await court.hub.database.run(
            session_store.note_use, secret_digest(secret), datetime.fromtimestamp(clock.now + 500, UTC)
        )
        again = await court.hub.database.run(session_store.end, secret_digest(secret), "moved")
        answer = await browser.get("/v1/session")

    assert ended is not None
    assert again is None
    assert problem(answer) == (401, "session_over")
    assert [(row["ended"], row["seen_at"].timestamp()) for row in await rows(court, session)] == [("signed_out", NOW)]


async def test_a_caller_by_token_can_read_their_own_identity(court: SignOnCourt, issuer: Issuer) -> None:
    """Such a caller has no session: it ends with the token, and no page needs a token against forged calls."""
    async with court.browser() as program:
        answer = await program.get("/v1/session", headers={"Authorization": f"Bearer {issuer.token()}"})
        out = await program.post("/sign-out", headers={"Authorization": f"Bearer {issuer.token()}"})

    assert answer.json() == {
        "user": "li.ting",
        "name": "李婷",
        "court": "浙0802",
        "unit": "演示法院",
        "client": "shuniu-pages",
        "started_at": None,
        "idle_at": None,
        "ends_at": "2027-01-15T08:10:00Z",
        "csrf_token": None,
    }
    assert problem(out) == (401, "no_session")


@pytest.mark.parametrize(
    "changes",
    [
        {"sign_on_max_age": 901},
        {"session_idle": 60},
        {"tls_certificate": "hub.pem"},
        {"tls_client_ca": "ca.pem"},
        {"public_address": "http://shuniu.court.example"},
        {"public_address": "https://shuniu.court.example/"},
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any]) -> None:
    """The hub does not start half protected."""
    with pytest.raises((ConfigurationError, ValidationError), match=r"SHUNIU_|pattern"):
        Settings(**changes)
