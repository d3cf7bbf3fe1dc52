"""
Receivers and deliveries over HTTP and on the command line, in the demo's court.
"""

from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from gateway.__main__ import app
from tests.callbacks.receiver import Receiver
from tests.court import RunningCourt

TICKETS = "ticket-system"


def register(
    court: RunningCourt, receiver: Receiver, name: str, *, user: str = "admin", **changes: Any
) -> httpx.Response:
    """An administrator registers a receiver on this machine."""
    body = {"client": TICKETS, "url": receiver.url, "internal": True} | changes
    return court.call("PUT", f"/v1/callbacks/receivers/{name}", body, user=user)


def until(court: RunningCourt, delivery: str, state: str) -> dict[str, Any]:
    """The delivery once it stands there."""
    for _ in range(600):
        found: dict[str, Any] = court.call("GET", f"/v1/callbacks/deliveries/{delivery}", client=TICKETS).json()
        if found["state"] == state:
            return found
    raise AssertionError(found["state"])


def test_a_receiver_is_registered_tried_and_removed(court: RunningCourt, tickets: Receiver) -> None:
    """The secret is shown once; the trial arrives signed with it; the log tells of each change."""
    made = register(court, tickets, "trial-desk").json()
    again = register(court, tickets, "trial-desk").json()
    tried = court.call("POST", "/v1/callbacks/receivers/trial-desk/trial", client=TICKETS).json()["delivery"]
    seen = until(court, tried, "delivered")
    removed = court.call("DELETE", "/v1/callbacks/receivers/trial-desk", user="admin")

    assert made["secret"].startswith("whsec_")
    assert again | {"secret": made["secret"], "changed_at": made["changed_at"]} == made
    assert again["secret"] is None
    assert (seen["receiver"], seen["attempts"], seen["reason"]) == ("trial-desk", 1, None)
    (call,) = tickets.calls
    assert Webhook(made["secret"]).verify(call.body, call.headers)["data"] == {"receiver": "trial-desk"}
    assert removed.json() == {"receivers": ["trial-desk"]}
    assert court.call("GET", "/v1/callbacks/receivers/trial-desk", user="admin").status_code == 404
    changes = [
        one["event"]["detail"]["change"]
        for one in court.events(type="admin.changed")
        if one["event"].get("detail", {}).get("callback_receiver") == "trial-desk"
    ]
    assert changes == ["registered", "registered", "removed"]


@pytest.mark.parametrize("user", ["li.ting", "feng.an", "chen.jing", "wu.fang"])
def test_nobody_but_the_system_administrator_registers(court: RunningCourt, tickets: Receiver, user: str) -> None:
    """And the ticket system does not, either."""
    refused = register(court, tickets, "refused-desk", user=user)

    assert refused.status_code == 403
    assert refused.json()["rule"] == "callbacks_by_system_administrator"


def test_the_ticket_system_itself_registers_nothing(court: RunningCourt, tickets: Receiver) -> None:
    """It sees its receivers, and that is all."""
    body = {"client": TICKETS, "url": tickets.url, "internal": True}

    assert court.call("PUT", "/v1/callbacks/receivers/own", body, client=TICKETS).status_code == 403


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
def test_an_address_inside_is_refused_with_its_rule(
    court: RunningCourt, tickets: Receiver, url: str, rule: str
) -> None:
    """Unless the administrator says that the host stands inside."""
    refused = register(court, tickets, "inside-desk", url=url, internal=False)

    assert refused.status_code == 422
    assert [(one["field"], one["rule"]) for one in refused.json()["errors"]] == [("url", rule)]


def test_another_court_sees_nothing_of_it(court: RunningCourt, tickets: Receiver) -> None:
    """The same name is free there, and its administrator sees neither receiver nor delivery."""
    register(court, tickets, "own-desk")
    tried = court.call("POST", "/v1/callbacks/receivers/own-desk/trial", user="admin").json()["delivery"]

    assert court.call("GET", "/v1/callbacks/receivers/own-desk", user="shen.yu").status_code == 404
    assert court.call("GET", f"/v1/callbacks/deliveries/{tried}", user="shen.yu").status_code == 404
    assert court.call("POST", "/v1/callbacks/receivers/own-desk/secret", user="shen.yu").status_code == 404


def test_a_pause_holds_back_and_a_resume_lets_go(court: RunningCourt, tickets: Receiver) -> None:
    """For one client, at one receiver."""
    register(court, tickets, "pause-desk")
    body = {"client": TICKETS, "receiver": "pause-desk"}
    paused = court.call("POST", "/v1/callbacks/pause", body, user="admin").json()
    tried = court.call("POST", "/v1/callbacks/receivers/pause-desk/trial", user="admin").json()["delivery"]
    waiting = court.call("GET", f"/v1/callbacks/deliveries/{tried}", user="admin").json()
    resumed = court.call("POST", "/v1/callbacks/resume", body, user="admin").json()
    until(court, tried, "delivered")

    assert (paused, resumed) == ({"receivers": ["pause-desk"]}, {"receivers": ["pause-desk"]})
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)


def test_dead_letters_are_listed_page_by_page_and_taken_up_again(court: RunningCourt, tickets: Receiver) -> None:
    """Three were given up; they are found by two pages, taken up by reason, and delivered."""
    register(court, tickets, "dead-desk")
    tickets.answers = [(410, {})]
    body = {"client": TICKETS, "receiver": "dead-desk"}
    tried = []
    for _ in range(3):
        court.call("POST", "/v1/callbacks/resume", body, user="admin")
        tickets.answers = [(410, {})]
        tried.append(court.call("POST", "/v1/callbacks/receivers/dead-desk/trial", user="admin").json()["delivery"])
        until(court, tried[-1], "dead_lettered")
        while court.call("GET", "/v1/callbacks/receivers/dead-desk", user="admin").json()["state"] != "gone":
            pass
    query = "/v1/callbacks/deliveries?state=dead_lettered&receiver=dead-desk&reason=gone&most=2"
    first = court.call("GET", query, client=TICKETS).json()
    second = court.call("GET", f"{query}&after={httpx.QueryParams({'a': first['next']})['a']}", client=TICKETS).json()
    court.call("POST", "/v1/callbacks/resume", body, user="admin")
    asked = {"receiver": "dead-desk", "reason": "gone"}
    resent = court.call("POST", "/v1/callbacks/resend", asked, user="admin").json()

    assert [one["id"] for one in first["deliveries"] + second["deliveries"]] == tried
    assert second["next"] is None
    assert resent["deliveries"] == tried
    for one in tried:
        assert until(court, one, "delivered")["attempts"] == 1
    assert {call.id for call in tickets.calls} == set(tried)


def test_the_command_line_does_the_same(
    court: RunningCourt, tickets: Receiver, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Register, rotate, try, list, pause, resume, resend, remove."""

    def shuniu(*words: str) -> str:
        app(["callbacks", *words, "--hub", court.demo.address], standalone_mode=False)
        said = capsys.readouterr()
        return " ".join((said.out + said.err).split())

    monkeypatch.setenv("SHUNIU_TOKEN", court.token(user="admin"))
    secret = shuniu("register", "cli-desk", tickets.url, "--client", TICKETS, "--internal").split()[0]
    fresh = shuniu("rotate", "cli-desk")
    tried = shuniu("try", "cli-desk").split()[-1]
    until(court, tried, "delivered")

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
