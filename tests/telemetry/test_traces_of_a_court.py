"""
Traces of a whole court, as a receiver of OTLP gets them: every stretch of a lookup's way, and nothing about a person.
"""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from gateway.demo import tour, world
from tests.autofill.conftest import ENDS
from tests.court import RunningCourt
from tests.telemetry.conftest import Receiver, receiving

CALLERS_TRACE, CALLERS_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TOKEN = "a-synthetic-token-for-the-meters"


@dataclass(frozen=True, slots=True)
class Traced:
    """What a court was answered, what its receiver of traces got, and the status of scrapes by what they showed."""

    receiver: Receiver
    answers: list[httpx.Response]
    scrapes: dict[str, int]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """
    A court that is asked, refused and half answered, and then stopped: all spans are there.  Its meters want a token.
    """
    folder = tmp_path_factory.mktemp("traced")
    token = folder / "metrics.token"
    token.touch(mode=0o600)
    token.write_text(TOKEN + "\n")
    with receiving() as receiver:
        with tour.court(folder / "hub", deadline=3.0, otlp_endpoint=receiver.address, metrics_token_file=token) as demo:
            court = RunningCourt(demo=demo, cast=world.cast(), numbers=itertools.count(1))
            person, stranger = court.cast["moved"], court.cast["stayed"]
            number = court.dispatch(person)
            headers = {
                "Authorization": f"Bearer {court.token(user='li.ting')}",
                "traceparent": f"00-{CALLERS_TRACE}-{CALLERS_SPAN}-01",
                "tracestate": f"vendor={person['id_number']}",
                "baggage": f"subject={person['id_number']}",
            }
            answers = [
                httpx.post(
                    f"{demo.address}/v1/lookups",
                    json=court.question(number, party),
                    headers=headers if party is person else headers | {"traceparent": ""},
                    trust_env=False,
                    timeout=30,
                )
                for party in (person, stranger)
            ]
            form = court.call(
                "POST", "/v1/autofill", {"work_order": court.dispatch(person)}, client="ticket-system"
            ).headers["Location"]
            while court.call("GET", form, client="ticket-system").json()["state"] not in ENDS:
                time.sleep(0.1)
            demo.outside.fault("human_resources", "hang")
            answers.append(court.look_up(court.dispatch(person), person))
            scrapes = {shown: scraped(demo.address, shown) for shown in (f"Bearer {TOKEN}", "Bearer another", "")}
        yield Traced(receiver, answers, scrapes)


def scraped(address: str, shown: str) -> int:
    """The status of a scrape by somebody who shows this."""
    headers = {"Authorization": shown}
    return httpx.get(f"{address}/metrics", headers=headers, trust_env=False).status_code


def said_of(party: dict[str, Any]) -> list[str]:
    """Number, name, telephone and every address of a member of the cast."""
    addresses = [value["text"] for value in party.values() if isinstance(value, dict) and "text" in value]
    return [*addresses, *(str(party[key]) for key in ("id_number", "name", "telephone") if party.get(key))]


def of_trace(receiver: Receiver, trace_id: str) -> list[Span]:
    """The spans of one trace."""
    return [span for span in receiver.spans() if span.trace_id.hex() == trace_id]


def tree(spans: list[Span], parent: str) -> list[tuple[str, list[object]]]:
    """Names of spans with those below them, sorted."""
    return sorted((span.name, tree(spans, span.span_id.hex())) for span in spans if span.parent_span_id.hex() == parent)


def attributes(span: Span) -> dict[str, str | int]:
    """A span's attributes."""
    return {attribute.key: attribute.value.string_value or attribute.value.int_value for attribute in span.attributes}


def test_a_lookup_is_a_tree_of_spans_below_the_span_of_its_caller(traced: Traced) -> None:
    """Right, record, four questions with one request each, merging, right again, record."""
    question = ("question", [("POST", [])])

    assert [answer.status_code for answer in traced.answers] == [200, 403, 200]
    assert tree(of_trace(traced.receiver, CALLERS_TRACE), CALLERS_SPAN) == [
        (
            "POST /v1/lookups",
            [
                ("access", []),
                ("intent", []),
                ("merge", []),
                ("outcome", []),
                question,
                question,
                question,
                question,
                ("release", []),
            ],
        )
    ]


def test_a_forms_lookup_is_a_trace_of_its_own_with_the_same_spans(traced: Traced) -> None:
    """A worker answers no call from outside: the lookup is the root."""
    question = ("question", [("POST", [])])

    (root,) = (span for span in traced.receiver.spans() if span.name == "lookup")
    assert root.parent_span_id == b""
    assert tree(of_trace(traced.receiver, root.trace_id.hex()), root.span_id.hex()) == [
        ("access", []),
        ("intent", []),
        ("merge", []),
        ("outcome", []),
        question,
        question,
        question,
        question,
        ("release", []),
    ]


def test_spans_say_what_became_of_each_question_in_words_of_ours(traced: Traced) -> None:
    """Agency, capability, state, reason."""
    from_spans = {
        (values["shuniu.agency"], values["shuniu.capability"], values["shuniu.state"], values.get("shuniu.reason"))
        for values in map(attributes, traced.receiver.spans())
        if "shuniu.agency" in values
    }
    from_answer = {
        (reply["agency"], reply["capability"], reply["state"], reply.get("reason"))
        for answer in traced.answers
        if answer.status_code == 200
        for reply in answer.json()["answers"]
    }
    assert from_spans == from_answer
    assert ("human_resources", "participation", "unavailable", "timeout") in from_spans


def test_a_refusal_bears_the_id_of_its_trace(traced: Traced) -> None:
    """Whoever reports a problem can be helped: its `trace_id` is the trace."""
    spans = of_trace(traced.receiver, traced.answers[1].json()["trace_id"])

    assert sorted(span.name for span in spans) == ["POST /v1/lookups", "access"]


def test_no_byte_that_leaves_is_about_a_person(traced: Traced) -> None:
    """All members of the cast, in the bytes as they were sent; the search does find what stands there."""
    sent = b"".join(traced.receiver.bodies)
    canaries = [canary for party in world.cast().values() for canary in said_of(party)]
    canaries += ["li.ting", "李婷", "330802199003071239", "民初1877号"]

    escaped = {canary: json.dumps(canary).encode().strip(b'"') for canary in canaries}
    assert [canary for canary in canaries if canary.encode() in sent or escaped[canary] in sent] == []
    assert b"public_security" in sent
    assert set(traced.receiver.paths) == {"/v1/traces"}


def test_with_a_token_file_the_meters_want_the_token(traced: Traced) -> None:
    """From this machine too."""
    assert traced.scrapes == {f"Bearer {TOKEN}": 200, "Bearer another": 403, "": 403}
