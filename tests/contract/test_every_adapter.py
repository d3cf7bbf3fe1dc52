"""
The contract of every adapter, lookup by lookup and fault by fault, against the mock agencies as real servers.

What a fault may lead to is keyed by the fault and never by the agency: a new adapter is covered by its entry point and
its mock server, and a fault that the table does not know fails the suite.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import unquote_plus

import pytest

from adapters.contract import Adapter, Question
from adapters.errors import AgencyError, UnsupportedLookup
from adapters.mapping import CodeTable, RecordMap
from mock_agencies.faults.catalogue import CATALOGUE
from schemas.codes import AnswerState, IdType, Reason, SubjectKind
from schemas.subject import Subject
from tests.contract.scenarios import Ask, Play, Scenario

pytestmark = pytest.mark.anyio

Outcome = tuple[AnswerState, Reason | None]
Scene = Callable[..., Scenario]

STANDS: Final[Outcome] = (AnswerState.FOUND, None)
NO_RECORD: Final[Outcome] = (AnswerState.NOT_FOUND, None)


def unavailable(*reasons: Reason) -> frozenset[Outcome]:
    """The agency was not heard, for one of these reasons."""
    return frozenset((AnswerState.UNAVAILABLE, reason) for reason in reasons)


UNREADABLE: Final = unavailable(Reason.UNDECODABLE)
CUT: Final = unavailable(Reason.UNREACHABLE, Reason.UNDECODABLE)
LATE: Final = unavailable(Reason.TIMEOUT)
# A form that some routes declare: there the answer stands, on any other it is unreadable.  It is never half right.
BY_ROUTE: Final = frozenset({STANDS}) | UNREADABLE
# A secret that died is renewed where the format says that it died; elsewhere it looks like a failure of theirs.
SECRET: Final = frozenset({STANDS}) | unavailable(Reason.AUTH, Reason.FAULT, Reason.PROVIDER_ERROR)

EXPECTED: Final[dict[str, frozenset[Outcome]]] = {
    "latency": frozenset({STANDS}),
    "hang": LATE,
    "hang_mid_body": LATE,
    "drip": LATE,
    "reset": unavailable(Reason.UNREACHABLE),
    "close_after_read": unavailable(Reason.UNREACHABLE),
    "reset_mid_body": CUT,
    "truncated": CUT,
    "not_http": CUT,
    "huge_body": UNREADABLE,
    "html_error_page": UNREADABLE,
    "wrong_content_type": UNREADABLE,
    "wrong_charset": UNREADABLE,
    "empty_body": UNREADABLE,
    "gzip_bomb": UNREADABLE,
    "throttled": unavailable(Reason.THROTTLED),
    "unauthorized": unavailable(Reason.AUTH),
    "forbidden": frozenset({(AnswerState.REFUSED, Reason.NO_PERMISSION)}),
    "server_error": unavailable(Reason.HTTP),
    "redirect": unavailable(Reason.HTTP),
    "no_record": frozenset({NO_RECORD}),
    "transient_empty": frozenset({NO_RECORD, STANDS}),
    "wrong_subject": unavailable(Reason.WRONG_SUBJECT),
    "two_matches": frozenset({(AnswerState.AMBIGUOUS, Reason.SEVERAL_MATCHES)}),
    "name_mismatch": frozenset({(AnswerState.AMBIGUOUS, Reason.NAME_MISMATCH)}),
    "unknown_code": unavailable(Reason.UNKNOWN_CODE),
    "extra_field": frozenset({STANDS}),
    "missing_field": unavailable(Reason.MISSING_LEAF),
    "odd_dates": BY_ROUTE,
    "duplicate_keys": UNREADABLE,
    "nan": UNREADABLE,
    "deep_json": UNREADABLE,
    "deep_xml": UNREADABLE,
    "dtd_inner": UNREADABLE,
    "external_entity": UNREADABLE,
    "entity_bomb": UNREADABLE,
    "columns_permuted": frozenset({STANDS}),
    "short_row": UNREADABLE,
    "single_object": BY_ROUTE,
    "double_encoded_json": BY_ROUTE,
    "half_escaped_xml": BY_ROUTE,
    "provider_envelope": BY_ROUTE,
    "cdata_out": frozenset({STANDS}),
    "success_variant": frozenset({STANDS}),
    "json_relay": BY_ROUTE,
    "fault": unavailable(Reason.FAULT, Reason.PROVIDER_ERROR, Reason.UNKNOWN_CODE),
    "provider_error": unavailable(Reason.PROVIDER_ERROR),
    "unknown_envelope_code": unavailable(Reason.UNKNOWN_CODE),
    "out_of_hours": unavailable(Reason.OUTSIDE_HOURS, Reason.UNKNOWN_CODE, Reason.PROVIDER_ERROR),
    "not_whitelisted": unavailable(Reason.PROVIDER_ERROR, Reason.FAULT),
    "over_quota": unavailable(Reason.QUOTA),
    "plain_text_refusal": frozenset({(AnswerState.REFUSED, Reason.NO_PERMISSION)}),
    "expired_secret": SECRET,
    "bad_signature": SECRET,
    "off_clock": frozenset({STANDS}),
    "undecryptable_secret": unavailable(Reason.AUTH, Reason.UNDECODABLE),
}

# Faults that leave out some of several records; those that come are whole.
FEWER: Final = frozenset({"single_object"})


def allowed(scenario: Scenario) -> frozenset[Outcome]:
    """What the scenario may lead to."""
    expected = EXPECTED[scenario.fault]
    if scenario.operation != scenario.capability:
        # Where secrets are fetched, a fault can also mean that ours is not accepted, or not matter at all.
        return expected | unavailable(Reason.AUTH) | {STANDS}
    if scenario.fault == "no_record" and scenario.options:
        # A form of "nothing" that the route does not declare.
        return expected | UNREADABLE
    return expected


def test_every_fault_of_the_mocks_is_in_the_table() -> None:
    """A new way in which agencies fail needs a decision here about what it means."""
    assert set(EXPECTED) == set(CATALOGUE)


def test_the_table_promises_nothing_else_than_the_catalogue() -> None:
    """Where the catalogue says what an honest caller makes of a fault, the table says the same state."""
    for name, fault in CATALOGUE.items():
        if fault.state != "by_route" and EXPECTED[name] is not SECRET:
            assert {state.value for state, _ in EXPECTED[name]} == {fault.state}, name


async def test_an_undisturbed_answer_is_found_and_brings_no_drift(lookup: tuple[str, str], undisturbed: Play) -> None:
    """Adapter and mock server were written from the same page, independently; nothing is left over."""
    assert (undisturbed.state, undisturbed.reason) == STANDS
    assert undisturbed.records
    assert undisturbed.drift == ()


async def test_every_scenario_ends_as_the_table_says(scenario: Scenario, play: Play, undisturbed: Play) -> None:
    """Whatever an agency does, the answer is one of the agreed states, and never a half or a guess."""
    assert (play.state, play.reason) in allowed(scenario)
    if scenario.fault in FEWER:
        assert [record for record in play.records if record not in undisturbed.records] == []
    elif play.state is AnswerState.FOUND:
        assert play.records == undisturbed.records
    elif play.state is not AnswerState.AMBIGUOUS:
        assert play.records == []


async def test_no_library_exception_leaves_the_wire_family(scenario: Scenario, play: Play) -> None:
    """Only errors of `adapters.errors` come out, with no exception of a library as cause or context."""
    if play.error is not None:
        assert isinstance(play.error, AgencyError)
        assert (play.error.__cause__, play.error.__context__) == (None, None)


async def test_no_personal_data_survives_in_log_transcript_or_exception(
    scenario: Scenario, play: Play, undisturbed: Play, secrets: list[str]
) -> None:
    """No leaf of the answer, nothing about the official, no credential: not in a log, an error, a representation."""
    canaries = [leaf for leaf in (*undisturbed.leaves, *secrets) if len(leaf) > 3]

    assert canaries
    assert [canary for canary in canaries if canary in play.transcript] == []


async def test_keeps_the_answer_byte_for_byte_before_reading_it(scenario: Scenario, play: Play) -> None:
    """Every whole answer to the question is kept as it came, whether or not it could be read afterwards."""
    bodies = [answer.body for answer in play.evidence.answers]
    answered = [body for body in play.wire if body in bodies]

    assert answered == bodies
    for answer in play.evidence.answers:
        assert answer.digest == hashlib.sha256(answer.body).hexdigest()
    if play.reading is not None or play.reason in {Reason.UNKNOWN_CODE, Reason.MISSING_LEAF, Reason.WRONG_SUBJECT}:
        assert bodies or scenario.operation != scenario.capability
    assert len(bodies) <= play.evidence.attempts


async def test_asks_once_and_counts_every_attempt(scenario: Scenario, play: Play) -> None:
    """Nothing is repeated behind the hub's back, except that a dead secret is renewed within three tries."""
    sent = play.sent.get(scenario.capability, 0)

    assert sent == play.evidence.attempts
    assert sent <= (3 if EXPECTED[scenario.fault] in (SECRET, EXPECTED["transient_empty"]) else 1)
    assert "trap" not in play.sent


async def test_no_personal_data_stands_in_an_address(scenario: Scenario, play: Play, secrets: list[str]) -> None:
    """Paths and queries of every request are free of everything that the question is about."""
    for request in play.requests:
        assert request["query"] == ""
        assert [secret for secret in secrets if secret in unquote_plus(request["path"])] == []


async def test_an_extra_leaf_is_reported_as_drift_and_the_answer_stands(
    lookup: tuple[str, str], undisturbed: Play, ask: Ask, scene: Scene
) -> None:
    """Agencies add fields on working days: the path is reported, and nothing else changes."""
    play = await ask(scene("extra_field"))

    assert (play.state, play.reason) == STANDS
    assert play.records == undisturbed.records
    assert play.drift


async def test_an_unlisted_code_is_unavailable_and_not_a_guess(lookup: tuple[str, str], ask: Ask, scene: Scene) -> None:
    """Whichever leaf with a closed table holds a code outside it."""
    leaves = sorted(coded(*lookup))

    assert leaves
    for leaf in leaves:
        play = await ask(scene("unknown_code", leaf=leaf, value="Z9"))
        assert (play.state, play.reason, play.error.at) == (AnswerState.UNAVAILABLE, Reason.UNKNOWN_CODE, leaf)


async def test_a_missing_leaf_is_unavailable_and_named(lookup: tuple[str, str], ask: Ask, scene: Scene) -> None:
    """Whichever leaf that the answer needs is left out."""
    for leaf in sorted(required(*lookup)):
        play = await ask(scene("missing_field", leaf=leaf))
        assert (play.state, play.reason, play.error.at) == (AnswerState.UNAVAILABLE, Reason.MISSING_LEAF, leaf)


async def test_stops_at_the_deadline_in_mid_body(lookup: tuple[str, str], ask: Ask, scene: Scene) -> None:
    """Half an answer that never ends is no answer; nothing of it is read."""
    play = await ask(scene("hang_mid_body"))

    assert (play.state, play.reason, play.reading) == (AnswerState.UNAVAILABLE, Reason.TIMEOUT, None)


async def test_honours_retry_after_in_seconds_and_as_a_date(lookup: tuple[str, str], ask: Ask, scene: Scene) -> None:
    """Both forms of the header become seconds."""
    seconds = await ask(scene("throttled", seconds=3600))
    dated = await ask(scene("throttled", seconds=3600, form="date"))

    assert seconds.error.retry_after == 3600
    assert 0 < dated.error.retry_after <= 3600


async def test_every_field_names_its_path(lookup: tuple[str, str], undisturbed: Play) -> None:
    """No field that differs from its constant without the leaf that it came from, and the answer has its time."""
    assert undisturbed.reading
    assert undisturbed.reading.answered_at.tzinfo is not None
    constant = {"kind", "recipient_role"}
    for record, paths in undisturbed.records:
        named = {name for name in record.__slots__ if getattr(record, name) not in (None, False)} - constant
        assert named - set(paths) == set()
        assert all(paths.values())


async def test_sends_case_purpose_and_official(lookup: tuple[str, str], undisturbed: Play, asking: Question) -> None:
    """The official's own number, name and unit go with the question, and the task where the format has a place."""
    own = next(request for request in undisturbed.requests if request["operation"] == lookup[1])
    written = unquote_plus(own["body"]) + json.dumps(own["headers"], ensure_ascii=False)

    official, matter = asking.official, asking.matter
    assert [part for part in (official.id_number, official.unit_name) if part not in written] == []
    where_placed = (official.name, official.terminal, official.unit_code, matter.work_order)
    assert len([part for part in where_placed if part in written]) >= 2


async def test_is_not_asked_without_a_responsible_official(
    lookup: tuple[str, str], ask: Ask, scene: Scene, asking: Question
) -> None:
    """One part missing, and nothing leaves the house, not even to fetch a secret."""
    for part in ("name", "id_number", "unit_code", "unit_name", "terminal"):
        play = await ask(scene(), official=replace(asking.official, **{part: ""}))
        assert (play.state, play.reason, play.sent) == (AnswerState.NOT_ASKED, Reason.OFFICIAL_INCOMPLETE, {})
    play = await ask(scene(), matter=replace(asking.matter, work_order=""))
    assert (play.state, play.reason, play.sent) == (AnswerState.NOT_ASKED, Reason.OFFICIAL_INCOMPLETE, {})


async def test_refuses_what_it_does_not_declare(
    lookup: tuple[str, str], adapters: dict[str, type[Adapter]], ask: Ask, scene: Scene, asking: Question
) -> None:
    """Another kind of subject or of identifier is not asked about, and an undeclared lookup does not exist."""
    declared = adapters[lookup[0]].capabilities[lookup[1]]
    for kind in SubjectKind:
        for id_type in IdType:
            if kind is not declared.subject or id_type not in declared.by:
                play = await ask(scene(), subject=replace(asking.subject, kind=kind, id_type=id_type))
                assert (play.state, play.reason) == (AnswerState.NOT_ASKED, Reason.ID_TYPE_NOT_SUPPORTED)
                assert play.sent == {}
    with pytest.raises(UnsupportedLookup) as caught:
        await adapters[lookup[0]]({}).ask("undeclared", asking)
    assert caught.value.reason is Reason.NOT_CONFIGURED


async def test_is_asked_without_a_name_only_if_it_does_not_declare_one(
    lookup: tuple[str, str], adapters: dict[str, type[Adapter]], ask: Ask, scene: Scene, asking: Question
) -> None:
    """An agency that wants number and name together is not asked with the number alone."""
    play = await ask(scene(), subject=replace(asking.subject, name=None))

    if adapters[lookup[0]].capabilities[lookup[1]].name_required:
        assert (play.state, play.reason, play.sent) == (AnswerState.NOT_ASKED, Reason.NAME_REQUIRED, {})
    else:
        assert (play.state, play.reason) == STANDS


async def test_takes_every_type_of_identifier_that_it_declares(
    lookup: tuple[str, str], adapters: dict[str, type[Adapter]], ask: Ask, scene: Scene, subject: Callable[..., Subject]
) -> None:
    """Each declared identifier reaches the agency and is answered, by a record or by none."""
    for id_type in adapters[lookup[0]].capabilities[lookup[1]].by:
        play = await ask(scene(), subject=subject(*lookup, id_type))
        assert (play.state, play.reason) in {STANDS, NO_RECORD}


def maps(agency: str, capability: str) -> Iterator[RecordMap]:
    """The mapping of a lookup, found by its name."""
    for member in vars(importlib.import_module(f"adapters.{agency}.mapping")).values():
        if isinstance(member, RecordMap) and member.name == f"{agency}.{capability}":
            yield member


def coded(agency: str, capability: str) -> set[str]:
    """The leaves that are read through a closed table."""
    return {
        leaf.at
        for record_map in maps(agency, capability)
        for part in record_map.parts
        for leaf in (*part.takes, part.condition, *(take.condition for take in part.takes))
        if leaf is not None and isinstance(leaf.via, CodeTable)
    }


def required(agency: str, capability: str) -> set[str]:
    """The leaves without which there is no record at all, or every leaf where they are requested by name."""
    return {leaf for record_map in maps(agency, capability) if record_map.complete for leaf in record_map.elements} | {
        take.at
        for record_map in maps(agency, capability)
        for part in record_map.parts
        for take in part.takes
        if take.required and not (part.when or part.condition or take.condition)
    }
