"""
The decision: what Cedar says equals what a short evaluator in plain Python says, for whatever facts.
"""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import ConfigurationError
from gateway.access.policy import Policies, PolicyDecision, PolicyFacts
from gateway.access.rules import Rule

POLICIES = Policies.load()
FLAGS = [one.name for one in fields(PolicyFacts) if one.type in {bool, "bool"}]
ROLES = (
    "region_administrator",
    "centre_administrator",
    "group_leader",
    "assistant",
    "judge",
    "system_administrator",
    "security_administrator",
    "audit_administrator",
)
WANTS = ("addresses", "identity", "registrations")

GRANTED = PolicyFacts(
    caller="clerk.a",
    caller_court="浙0802",
    member=True,
    roles=("assistant",),
    refused_too_often=False,
    court="浙0802",
    holder="clerk.a",
    deputy=False,
    open=True,
    recorded=True,
    begun=True,
    ended=False,
    party_named=True,
    name_fits=True,
    lookups=WANTS,
    questions_left=True,
    second_person_needed=False,
    confirmed_by_another=False,
    wants=("identity",),
)


def words(of: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(of)).map(lambda chosen: tuple(sorted(chosen)))


anything = st.builds(
    PolicyFacts,
    caller=st.sampled_from(["clerk.a", "clerk.b"]),
    caller_court=st.sampled_from(["浙0802", "浙0803"]),
    court=st.sampled_from(["浙0802", "浙0803", ""]),
    holder=st.sampled_from(["clerk.a", "clerk.b", ""]),
    roles=words(ROLES),
    lookups=words(WANTS),
    wants=words(WANTS),
    **{name: st.booleans() for name in FLAGS},
)


def oracle(facts: PolicyFacts) -> PolicyDecision:
    """The same rules, said once more and differently."""
    held = facts.court == facts.caller_court and (facts.holder == facts.caller or facts.deputy)
    business = {"assistant", "judge", "group_leader", "centre_administrator"}
    separated = {"system_administrator", "security_administrator", "audit_administrator"}
    broken = {
        Rule.NOT_A_MEMBER: not facts.member,
        Rule.SEPARATED_ROLE: bool(separated & set(facts.roles)),
        Rule.NO_BUSINESS_ROLE: not business & set(facts.roles),
        Rule.REFUSED_TOO_OFTEN: facts.refused_too_often,
        Rule.NOT_HELD: not held,
        Rule.NOT_OPEN: not facts.open,
        Rule.NOT_RECORDED: not facts.recorded,
        Rule.NOT_BEGUN: not facts.begun,
        Rule.ENDED: facts.ended,
        Rule.SECOND_PERSON_MISSING: facts.second_person_needed and not facts.confirmed_by_another,
        Rule.PARTY_NOT_NAMED: not facts.party_named,
        Rule.NAME_DIFFERS: not facts.name_fits,
        Rule.NOT_GRANTED: not set(facts.wants) <= set(facts.lookups),
        Rule.USED_UP: not facts.questions_left,
    }
    rules = tuple(rule.value for rule in Rule if broken[rule])
    return PolicyDecision(not rules, rules or ("held",))


@settings(max_examples=1_000)
@given(facts=anything)
def test_cedar_and_the_plain_evaluator_agree(facts: PolicyFacts) -> None:
    assert POLICIES.decide(facts) == oracle(facts)


def test_what_every_rule_grants_is_permitted() -> None:
    assert POLICIES.decide(GRANTED) == PolicyDecision(permitted=True, rules=("held",))


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_is_a_policy_of_that_name(rule: Rule) -> None:
    assert f'@id("{rule.value}")\nforbid' in POLICIES.text


def test_no_policy_forbids_that_is_not_a_rule_and_one_alone_permits() -> None:
    assert POLICIES.text.count("\nforbid (") == len(Rule)
    assert POLICIES.text.count("\npermit (") == 1


@pytest.mark.parametrize("line", POLICIES.text.split('@id("')[2:], ids=lambda text: text.split('"')[0])
def test_without_any_one_rule_something_would_be_permitted_that_is_not(line: str) -> None:
    """Each rule does its own work: leaving it out changes a decision."""
    weaker = Policies(POLICIES.text.replace(f'@id("{line}', ""), SCHEMA)
    name = line.split('"', maxsplit=1)[0]
    facts = BROKEN[Rule(name)]

    assert POLICIES.decide(facts) == PolicyDecision(permitted=False, rules=(name,))
    # Who neither holds nor stands in is not permitted by default either.
    assert weaker.decide(facts).permitted is (name != "work_order_not_held" or facts.deputy)


@pytest.mark.parametrize(
    ("old", "new"), [("resource.open", "resource.opened"), ("permit (", "permt ("), ("principal.member", '"yes"')]
)
def test_a_misspelt_policy_is_found_at_start(old: str, new: str) -> None:
    with pytest.raises(ConfigurationError, match="the access policies do not hold together"):
        Policies(POLICIES.text.replace(old, new), SCHEMA)


def test_the_question_has_the_shape_of_authzen() -> None:
    asked = GRANTED.evaluation()

    assert list(asked) == ["subject", "action", "resource", "context"]
    assert (asked["subject"]["type"], asked["subject"]["id"]) == ("Person", "浙0802/clerk.a")
    assert (asked["action"], asked["context"]) == ({"name": "look_up"}, {"wants": ["identity"]})


SCHEMA = Policies.schema_text()

BROKEN = {
    Rule.NOT_A_MEMBER: replace(GRANTED, member=False),
    Rule.SEPARATED_ROLE: replace(GRANTED, roles=("assistant", "audit_administrator")),
    Rule.NO_BUSINESS_ROLE: replace(GRANTED, roles=("region_administrator",)),
    Rule.REFUSED_TOO_OFTEN: replace(GRANTED, refused_too_often=True),
    Rule.NOT_HELD: replace(GRANTED, court="浙0803", deputy=True),
    Rule.NOT_OPEN: replace(GRANTED, open=False),
    Rule.NOT_RECORDED: replace(GRANTED, recorded=False),
    Rule.NOT_BEGUN: replace(GRANTED, begun=False),
    Rule.ENDED: replace(GRANTED, ended=True),
    Rule.SECOND_PERSON_MISSING: replace(GRANTED, second_person_needed=True),
    Rule.PARTY_NOT_NAMED: replace(GRANTED, party_named=False),
    Rule.NAME_DIFFERS: replace(GRANTED, name_fits=False),
    Rule.NOT_GRANTED: replace(GRANTED, lookups=("addresses",)),
    Rule.USED_UP: replace(GRANTED, questions_left=False),
}
