"""
Receivers and deliveries over HTTP and on the command line, in the demo's court.
"""

from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from gateway.__main__ import app
from tests.callbacks.receiver import Receiver
from tests.desk import Desk

TICKETS = "ticket-system"


def register(desk: Desk, receiver: Receiver, name: str, *, user: str = "admin", **changes: Any) -> httpx.Response:
    """An administrator registers a receiver on this machine."""
    body = {"client": TICKETS, "url": receiver.url, "internal": True} | changes
    return desk.call("PUT", f"/v1/callbacks/receivers/{name}", body, user=user)


def until(desk: Desk, delivery: str, state: str) -> dict[str, Any]:
    """The delivery once it stands there."""
    for _ in range(600):
        found: dict[str, Any] = desk.call("GET", f"/v1/callbacks/deliveries/{delivery}", client=TICKETS).json()
        if found["state"] == state:
            return found
    raise AssertionError(found["state"])


def test_a_receiver_is_registered_tried_and_removed(desk: Desk, tickets: Receiver) -> None:
    """The secret is shown once; the trial arrives signed with it; the log tells of each change."""
    made = register(desk, tickets, "trial-desk").json()
    again = register(desk, tickets, "trial-desk").json()
    tried = desk.call("POST", "/v1/callbacks/receivers/trial-desk/trial", client=TICKETS).json()["delivery"]
    seen = until(desk, tried, "delivered")
    removed = desk.call("DELETE", "/v1/callbacks/receivers/trial-desk", user="admin")

    assert made["secret"].startswith("whsec_")
    assert again | {"secret": made["secret"], "changed_at": made["changed_at"]} == made
    assert again["secret"] is None
    assert (seen["receiver"], seen["attempts"], seen["reason"]) == ("trial-desk", 1, None)
    (call,) = tickets.calls
    assert Webhook(made["secret"]).verify(call.body, call.headers)["data"] == {"receiver": "trial-desk"}
    assert removed.json() == {"receivers": ["trial-desk"]}
    assert desk.call("GET", "/v1/callbacks/receivers/trial-desk", user="admin").status_code == 404
    changes = [
        one["event"]["detail"]["change"]
        for one in desk.events(type="admin.changed")
        if one["event"].get("detail", {}).get("callback_receiver") == "trial-desk"
    ]
    assert changes == ["registered", "registered", "removed"]


@pytest.mark.parametrize("user", ["li.ting", "feng.an", "chen.jing", "wu.fang"])
def test_nobody_but_the_system_administrator_registers(desk: Desk, tickets: Receiver, user: str) -> None:
    """And the ticket system does not, either."""
    refused = register(desk, tickets, "refused-desk", user=user)

    assert refused.status_code == 403
    assert refused.json()["rule"] == "callbacks_by_system_administrator"


def test_the_ticket_system_itself_registers_nothing(desk: Desk, tickets: Receiver) -> None:
    """It sees its receivers, and that is all."""
    body = {"client": TICKETS, "url": tickets.url, "internal": True}

    assert desk.call("PUT", "/v1/callbacks/receivers/own", body, client=TICKETS).status_code == 403


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://10.0.0.17/hooks", "receiver_address_forbidden"),
        ("https://127.0.0.1/hooks", "receiver_address_forbidden"),
        ("https://[fe80::1]/hooks", "receiver_address_forbidden"),
        ("https://169.254.169.254/latest", "receiver_address_never"),
        ("http://tickets.example/hooks", "receiver_url_form"),
    ],
)
def test_an_address_inside_is_refused_with_its_rule(desk: Desk, tickets: Receiver, url: str, rule: str) -> None:
    """Unless the administrator says that the host stands inside."""
    refused = register(desk, tickets, "inside-desk", url=url, internal=False)

    assert refused.status_code == 422
    assert [(one["field"], one["rule"]) for one in refused.json()["errors"]] == [("url", rule)]


def test_another_court_sees_nothing_of_it(desk: Desk, tickets: Receiver) -> None:
    """The same name is free there, and its administrator sees neither receiver nor delivery."""
    register(desk, tickets, "own-desk")
    tried = desk.call("POST", "/v1/callbacks/receivers/own-desk/trial", user="admin").json()["delivery"]

    assert desk.call("GET", "/v1/callbacks/receivers/own-desk", user="shen.yu").status_code == 404
    assert desk.call("GET", f"/v1/callbacks/deliveries/{tried}", user="shen.yu").status_code == 404
    assert desk.call("POST", "/v1/callbacks/receivers/own-desk/secret", user="shen.yu").status_code == 404


def test_a_pause_holds_back_and_a_resume_lets_go(desk: Desk, tickets: Receiver) -> None:
    """For one client, at one receiver."""
    register(desk, tickets, "pause-desk")
    body = {"client": TICKETS, "receiver": "pause-desk"}
    paused = desk.call("POST", "/v1/callbacks/pause", body, user="admin").json()
    tried = desk.call("POST", "/v1/callbacks/receivers/pause-desk/trial", user="admin").json()["delivery"]
    waiting = desk.call("GET", f"/v1/callbacks/deliveries/{tried}", user="admin").json()
    resumed = desk.call("POST", "/v1/callbacks/resume", body, user="admin").json()
    until(desk, tried, "delivered")

    assert (paused, resumed) == ({"receivers": ["pause-desk"]}, {"receivers": ["pause-desk"]})
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)


def test_dead_letters_are_listed_page_by_page_and_taken_up_again(desk: Desk, tickets: Receiver) -> None:
    """Three were given up; they are found by two pages, taken up by reason, and delivered."""
    register(desk, tickets, "dead-desk")
    tickets.answers = [(410, {})]
    body = {"client": TICKETS, "receiver": "dead-desk"}
    tried = []
    for _ in range(3):
        desk.call("POST", "/v1/callbacks/resume", body, user="admin")
        tickets.answers = [(410, {})]
        tried.append(desk.call("POST", "/v1/callbacks/receivers/dead-desk/trial", user="admin").json()["delivery"])
        until(desk, tried[-1], "dead_lettered")
        while desk.call("GET", "/v1/callbacks/receivers/dead-desk", user="admin").json()["state"] != "gone":
            pass
    query = "/v1/callbacks/deliveries?state=dead_lettered&receiver=dead-desk&reason=gone&most=2"
    first = desk.call("GET", query, client=TICKETS).json()
    second = desk.call("GET", f"{query}&after={httpx.QueryParams({'a': first['next']})['a']}", client=TICKETS).json()
    desk.call("POST", "/v1/callbacks/resume", body, user="admin")
    asked = {"receiver": "dead-desk", "reason": "gone"}
    resent = desk.call("POST", "/v1/callbacks/resend", asked, user="admin").json()

    assert [one["id"] for one in first["deliveries"] + second["deliveries"]] == tried
    assert second["next"] is None
    assert resent["deliveries"] == tried
    for one in tried:
        assert until(desk, one, "delivered")["attempts"] == 1
    assert {call.id for call in tickets.calls} == set(tried)


def test_the_command_line_does_the_same(
    desk: Desk, tickets: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Register, rotate, try, list, pause, resume, resend, remove."""

    def shuniu(*words: str) -> str:
        app(["callbacks", *words, "--hub", desk.court.address], standalone_mode=False)
        said = capsys.readouterr()
        return " ".join((said.out + said.err).split())

    monkeypatch.setenv("SHUNIU_TOKEN", desk.token(user="admin"))
    secret = shuniu("register", "cli-desk", tickets.url, "--client", TICKETS, "--internal").split()[0]
    fresh = shuniu("rotate", "cli-desk")
    tried = shuniu("try", "cli-desk").split()[-1]
    until(desk, tried, "delivered")

    assert secret.startswith("whsec_")
    assert fresh.startswith("whsec_")
    assert fresh != secret
    assert "cli-desk" in shuniu("receivers")
    assert tried[:20] in shuniu("list", "--receiver", "cli-desk", "--json")
    assert '"state": "delivered"' in shuniu("show", tried)
    assert shuniu("pause", "--client", TICKETS, "--receiver", "cli-desk") == "paused: cli-desk"
    assert shuniu("resume", "--client", TICKETS, "--receiver", "cli-desk") == "resumed: cli-desk"
    assert shuniu("resend", "--receiver", "cli-desk").startswith("0 deliveries wait again")
    assert shuniu("remove", "cli-desk") == "cli-desk is removed."
