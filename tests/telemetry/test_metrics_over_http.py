"""
`/metrics` of a whole court: what a lookup leaves there, who may read it, and nothing about a person.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.errors import ConfigurationError
from gateway.settings import Settings
from gateway.telemetry.service import Telemetry
from tests.court import RunningCourt


def scraped(address: str, **headers: str) -> httpx.Response:
    """One scrape."""
    return httpx.get(f"{address}/metrics", headers=headers, trust_env=False)


def samples(court: RunningCourt) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of a scrape, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(scraped(court.demo.address).text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """A sample's name and labels."""
    return name, frozenset(labels.items())


ASKED = (
    ("public_security", "identity"),
    ("public_security", "addresses"),
    ("human_resources", "participation"),
    ("market_regulation", "positions"),
)


def test_a_lookup_is_counted_once_as_a_call_a_lookup_four_questions_and_two_records(court: RunningCourt) -> None:
    """Every room counts its own, and they agree."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    before = samples(court)
    court.look_up(number, person).raise_for_status()
    after = samples(court)

    expected = {
        key(
            "http_server_request_duration_seconds_count",
            http_request_method="POST",
            http_route="/v1/lookups",
            http_response_status_code="200",
        ): 1,
        key("shuniu_lookups_total", outcome="whole"): 1,
        key("shuniu_audit_appends_total"): 2,
        **{key("shuniu_agency_attempts_total", agency=a, capability=c, outcome="answered"): 1 for a, c in ASKED},
        **{key("shuniu_agency_answer_seconds_count", agency=a, capability=c): 1 for a, c in ASKED},
    }
    assert {series: after[series] - before.get(series, 0) for series in expected} == expected
    answers = sum(
        value - before.get(series, 0) for series, value in after.items() if series[0] == "shuniu_agency_answers_total"
    )
    assert answers == len(ASKED)


def test_half_an_answer_is_counted_as_partial_and_the_agency_by_its_reason(
    court: RunningCourt, healed: Callable[..., None]
) -> None:
    """An operator sees which agency, and why."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    before = samples(court)
    healed("human_resources", "fault")
    court.look_up(number, person).raise_for_status()
    after = samples(court)

    fault = {
        series: value - before.get(series, 0)
        for series, value in after.items()
        if series[0] == "shuniu_agency_answers_total" and dict(series[1])["agency"] == "human_resources"
    }
    assert {tuple(sorted(dict(series[1]).items()))[-1]: value for series, value in fault.items() if value} == {
        ("state", "unavailable"): 1
    }
    partial = key("shuniu_lookups_total", outcome="partial")
    assert after[partial] - before.get(partial, 0) == 1


def test_a_refusal_is_counted_by_problem_and_rule_and_bears_the_trace_of_its_caller(court: RunningCourt) -> None:
    """The member `trace_id` of a problem is what the caller's own trace is called."""
    refusal = key("shuniu_refusals_total", problem="not-permitted", rule="work_order_not_held")
    before = samples(court).get(refusal, 0)
    headers = {
        "Authorization": f"Bearer {court.token(user='li.ting')}",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    body = court.question("T-none", court.cast["moved"])
    answer = httpx.post(f"{court.demo.address}/v1/lookups", json=body, headers=headers, trust_env=False)

    assert (answer.status_code, answer.json()["trace_id"]) == (403, "0af7651916cd43dd8448eb211c80319c")
    assert samples(court)[refusal] == before + 1


def test_paths_are_counted_by_their_template_and_the_unknown_ones_together(court: RunningCourt) -> None:
    """A path may hold a number of ours, and a stranger can make up as many as he likes."""
    for path in ("/v1/lookups/6f1ed002-ab5e-4d04-8d4b-0a1b1c1d1e1f", "/33080219900307123X", "/v1/nothing"):
        court.call("GET", path, user="li.ting")

    routes = {dict(labels)["http_route"] for name, labels in samples(court) if name.startswith("http_server_request_d")}
    assert {"/v1/lookups/{lookup_id}", "other"} <= routes
    assert not [route for route in routes if "6f1ed002" in route or "3308" in route or "nothing" in route]


def test_nothing_about_a_person_is_served(court: RunningCourt) -> None:
    """Neither party nor clerk nor work order."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    court.look_up(number, person).raise_for_status()
    served = scraped(court.demo.address).text

    canaries = (person["id_number"], person["name"], person["telephone"], "li.ting", "李婷", number, "浙0802")
    assert [canary for canary in canaries if canary in served] == []


def test_openmetrics_is_served_to_who_asks_for_it(court: RunningCourt) -> None:
    """Prometheus asks for either."""
    plain = scraped(court.demo.address)
    newer = scraped(court.demo.address, accept="application/openmetrics-text; version=1.0.0")

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.text.endswith("# EOF\n")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_what_a_proxy_passed_on_is_refused(court: RunningCourt, header: str) -> None:
    """Behind a proxy on this machine everybody comes from this machine."""
    answer = scraped(court.demo.address, **{header: "203.0.113.7"})

    assert (answer.status_code, answer.json()["rule"]) == (403, "metrics_this_machine")


@pytest.mark.parametrize(
    ("mode", "text", "expected"),
    [(0o644, "x" * 40, "only its owner can read"), (0o600, "short", "holds less than"), (None, "", "must be a file")],
)
def test_a_token_file_that_protects_nothing_stops_the_start(
    folder: Path, mode: int | None, text: str, expected: str
) -> None:
    """The text says how to make one."""
    file = folder / "token"
    if mode is not None:
        file.write_text(text)
        file.chmod(mode)
    values: dict[str, Any] = {"metrics_token_file": file}

    with pytest.raises(ConfigurationError, match=expected):
        Telemetry.from_settings(Settings(**values))
