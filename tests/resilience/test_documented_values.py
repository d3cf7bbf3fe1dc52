"""
docs/resilience.md says what the hub does: its numbers are the code's, and its example can be loaded.
"""

import re
from pathlib import Path

from adapters.call_policy import AgencyPolicy, BreakerPolicy, CallPolicy
from adapters.config_file import ConfigFile
from adapters.wire.configuration import RouteTable
from gateway.resilience import call_guard, limiters
from gateway.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "resilience.md").read_text(encoding="utf-8")


ROUTE = """
family = "national"
path = "/x"
credentials = "x"
parameters.uscc = "uniscid"
options.matters = { "*" = "x" }
"""


def usual(key: str) -> str:
    match = re.search(rf"^\| `{key}` \| `([^`]+)`", DOCUMENT, re.MULTILINE)
    assert match, key
    return match[1]


def test_the_documented_defaults_are_the_codes() -> None:
    agency, call = AgencyPolicy(), CallPolicy()

    assert {key: float(usual(key)) for key in ("queue", "longest_wait", "timeout", "attempts", "fresh_for")} == {
        "queue": agency.queue,
        "longest_wait": agency.longest_wait,
        "timeout": call.timeout,
        "attempts": call.attempts,
        "fresh_for": call.fresh_for,
    }


def test_the_documented_example_is_read_with_the_default_breaker() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    file = ConfigFile("resilience.md", example.replace("registration]\n", f"registration]\n{ROUTE}", 1))
    call = file.parse(RouteTable, at=("market_regulation", "registration"))

    assert call is not None, file.problems

    assert (call.per_minute, call.per_day, call.fresh_for, call.breaker) == (300, 20000, 600.0, BreakerPolicy())


def test_the_numbers_in_the_text_are_the_codes() -> None:
    transient = call_guard.TRANSIENT_BACKOFF_SECONDS * 1000
    passages = {
        f"(`SHUNIU_DEADLINE`, {Settings.model_fields['deadline'].default:.0f} s)",
        f"than {call_guard.MIN_ATTEMPT_SECONDS} s left",
        f"between nothing and {transient:.0f} ms, then {2 * transient:.0f} ms",
        f"within {limiters.BREAKER_SECONDS} s",
        f"longer than {limiters.SLOW_SHARE} of its timeout",
    }
    words = {0.1: "a tenth", 10.0: "ten", 2: "two good answers close it"}

    assert {text for text in passages if text not in DOCUMENT} == set()
    assert f"{words[limiters.BUDGET_SHARE]} of the first ones and {words[limiters.BUDGET_FLOOR]}," in DOCUMENT
    assert words[limiters.BREAKER_SUCCESSES] in DOCUMENT
