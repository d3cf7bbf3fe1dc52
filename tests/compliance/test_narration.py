"""
Every record as one sentence, in two languages, masked unless there is a reason.
"""

from dataclasses import replace
from uuid import UUID

import pytest

from audit.format.event import Event, EventType
from audit.sealing.keys import KeyFile
from audit.sealing.sealer import Sealer
from audit.store.sealed_values import SealedValues
from audit.store.search import Hit, HitEvidence
from gateway.compliance.narration import sentence
from gateway.compliance.phrases import Wording
from schemas.codes import AnswerState, Reason
from tests.audit.examples import EXAMPLES
from tests.compliance.court import NOW, intent, outcome, person

AGENCIES = {"public_security": {"zh": "公安机关", "en": "Public security"}}
MASKED_ZH, MASKED_EN = Wording(language="zh", agencies=AGENCIES), Wording(language="en", agencies=AGENCIES)
ZH, EN = replace(MASKED_ZH, people=True), replace(MASKED_EN, people=True)


def hit(event: Event, done: Event | None = None, *, folder: object) -> Hit:
    """An event as a search finds it."""
    who, why = event.who, event.why
    people = {"who": {"user": who.user or "", "name": who.name or ""}} if who.user else {}
    if why is not None:
        people["why"] = {"work_order": why.work_order or "", "case_number": why.case_number or ""}
    for n, party in enumerate(event.whose):
        people[f"whose.{n}"] = {"id_number": party.id_number} | ({"name": party.name} if party.name else {})
    return Hit(
        index=1,
        type=event.type,
        at=event.at,
        exchange=event.exchange,
        body=folder.seal(event).body,  # type: ignore[attr-defined]
        evidence=HitEvidence.PROVED,
        values=SealedValues.OPENED,
        people=people,
        outcome=None if done is None else hit(done, folder=folder),
    )


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> Sealer:
    """Something that makes leaves."""
    return Sealer(KeyFile.create(tmp_path_factory.mktemp("keys") / "keys", origin="court.example/audit/1"), 0)


def test_a_lookup_is_told_with_actor_party_agency_case_and_outcome(sealer: Sealer) -> None:
    """In full only where people are shown; masked, case and people keep what tells nobody anything new."""
    lookup = intent("li.ting", "李婷", person(), NOW, UUID(int=7))
    record = hit(lookup, outcome(lookup), folder=sealer)

    assert [sentence(record, speech) for speech in (ZH, EN, MASKED_ZH, MASKED_EN)] == [
        "李婷为（2026）浙0802民初1877号向公安机关查询钱多多（330802199001010001）：已查到。",
        "李婷 looked up 钱多多 (330802199001010001) at Public security for （2026）浙0802民初1877号: found.",
        "李••••••为(2026)浙0802…号向公安机关查询钱••••••（3308••••••••••0001）：已查到。",
        "李•••••• looked up 钱•••••• (3308••••••••••0001) at Public security for (2026)浙0802…号: found.",
    ]


def test_an_answer_without_a_record_is_told_with_its_reason(sealer: Sealer) -> None:
    """In words and not in codes."""
    lookup = intent("li.ting", "李婷", person(), NOW)
    ended = outcome(lookup, AnswerState.UNAVAILABLE)
    late = replace(ended, answered=(replace(ended.answered[0], reason=Reason.TIMEOUT),))

    assert sentence(hit(lookup, late, folder=sealer), MASKED_ZH).endswith("：暂不可用（在时限内未答复）。")
    assert sentence(hit(lookup, late, folder=sealer), MASKED_EN).endswith(
        ": not available now (did not answer in time)."
    )
    assert sentence(hit(lookup, folder=sealer), MASKED_EN).endswith(": no outcome yet.")


def test_a_lookup_answered_from_the_cache_is_told_as_such(sealer: Sealer) -> None:
    """No agency is named, since none heard of it again."""
    lookup = replace(intent("li.ting", "李婷", person(), NOW), asked=())
    stored = replace(outcome(lookup), answered=(), detail={"reused": f"public_security.identity:{UUID(int=7)}"})
    record = hit(lookup, stored, folder=sealer)

    assert [sentence(record, speech) for speech in (MASKED_ZH, MASKED_EN)] == [
        "李••••••为(2026)浙0802…号查询钱••••••（3308••••••••••0001）：采用此前已得的答复，未再向单位查询。",
        "李•••••• looked up 钱•••••• (3308••••••••••0001) for (2026)浙0802…号: answered from what was there already.",
    ]


def test_a_refused_lookup_says_by_which_rule(sealer: Sealer) -> None:
    """The rule's own words, its first sentence."""
    refused = replace(
        intent("li.ting", "李婷", person(), NOW),
        type=EventType.LOOKUP_DENIED,
        asked=(),
        outcome="refused",
        detail={"rule": "party_not_named"},
    )

    assert sentence(hit(refused, folder=sealer), MASKED_EN) == (
        "李•••••• was refused a lookup of 钱•••••• (3308••••••••••0001) for (2026)浙0802…号: "
        "The work order does not name this party."
    )
    assert sentence(hit(refused, folder=sealer), MASKED_ZH).endswith("被拒：该工单未列明此当事人。")


@pytest.mark.parametrize("kind", EventType, ids=lambda kind: kind.value)
def test_every_type_of_record_has_a_sentence_in_both_languages(kind: EventType, sealer: Sealer) -> None:
    """A whole one, without anything that is sealed unless people are shown."""
    record = hit(EXAMPLES[kind], folder=sealer)
    zh, en = sentence(record, MASKED_ZH), sentence(record, MASKED_EN)

    assert (zh[-1], en[-1]) == ("。", ".")
    assert zh != en
    sealed = {value for values in record.people.values() for value in values.values() if value != "ticket-system"}
    assert not [value for value in sealed if value and value in zh + en]
