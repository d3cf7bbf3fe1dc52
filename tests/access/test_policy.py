"""
The decision: what Cedar says equals what a short evaluator in plain Python says, for whatever facts.
"""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.errors import ConfigurationError
from gateway.access.policy import Policies, PolicyDecision, PolicyFacts
from gateway.access.rules import AccessRule

POLICIES = Policies.load()
FLAGS = [field.name for field in fields(PolicyFacts) if field.type in {bool, "bool"}]
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
    holds = facts.court == facts.caller_court and (facts.holder == facts.caller or facts.deputy)
    business = {"assistant", "judge", "group_leader", "centre_administrator"}
    separated = {"system_administrator", "security_administrator", "audit_administrator"}
    broken = {
        AccessRule.NOT_A_MEMBER: not facts.member,
        AccessRule.SEPARATED_ROLE: bool(separated & set(facts.roles)),
        AccessRule.NO_BUSINESS_ROLE: not business & set(facts.roles),
        AccessRule.REFUSED_TOO_OFTEN: facts.refused_too_often,
        AccessRule.NOT_HELD: not holds,
        AccessRule.NOT_OPEN: not facts.open,
        AccessRule.NOT_RECORDED: not facts.recorded,
        AccessRule.NOT_BEGUN: not facts.begun,
        AccessRule.ENDED: facts.ended,
        AccessRule.SECOND_PERSON_MISSING: facts.second_person_needed and not facts.confirmed_by_another,
        AccessRule.PARTY_NOT_NAMED: not facts.party_named,
        AccessRule.NAME_DIFFERS: not facts.name_fits,
        AccessRule.NOT_GRANTED: not set(facts.wants) <= set(facts.lookups),
        AccessRule.USED_UP: not facts.questions_left,
    }
    rules = tuple(rule.value for rule in AccessRule if broken[rule])
    return PolicyDecision(not rules, rules or ("held",))


@settings(max_examples=1_000)
@given(facts=anything)
def test_cedar_agrees_with_a_plain_evaluator(facts: PolicyFacts) -> None:
    assert POLICIES.decide(facts) == oracle(facts)


def test_a_request_that_breaks_no_rule_is_permitted() -> None:
    assert POLICIES.decide(GRANTED) == PolicyDecision(permitted=True, rules=("held",))


@pytest.mark.parametrize("rule", list(AccessRule))
def test_every_rule_is_a_policy_of_that_name(rule: AccessRule) -> None:
    assert f'@id("{rule.value}")\nforbid' in POLICIES.text


def test_every_forbidding_policy_is_a_rule_and_one_policy_permits() -> None:
    assert POLICIES.text.count("\nforbid (") == len(AccessRule)
    assert POLICIES.text.count("\npermit (") == 1


@pytest.mark.parametrize("line", POLICIES.text.split('@id("')[2:], ids=lambda text: text.split('"')[0])
def test_removing_any_rule_permits_a_request_that_it_refuses(line: str) -> None:
    """Each rule does its own work: leaving it out changes a decision."""
    weaker = Policies(POLICIES.text.replace(f'@id("{line}', ""), SCHEMA)
    name = line.split('"', maxsplit=1)[0]
    facts = BROKEN[AccessRule(name)]

    assert POLICIES.decide(facts) == PolicyDecision(permitted=False, rules=(name,))
    # Who neither holds nor stands in is not permitted by default either.
    assert weaker.decide(facts).permitted is (name != "work_order_not_held" or facts.deputy)


@pytest.mark.parametrize(
    ("old", "new"), [("resource.open", "resource.opened"), ("permit (", "permt ("), ("principal.member", '"yes"')]
)
def test_a_misspelt_policy_is_found_at_start(old: str, new: str) -> None:
    with pytest.raises(ConfigurationError, match="the access policies do not hold together"):
        Policies(POLICIES.text.replace(old, new), SCHEMA)


def test_evaluation_has_the_shape_of_authzen() -> None:
    evaluation = GRANTED.evaluation()

    assert list(evaluation) == ["subject", "action", "resource", "context"]
    assert (evaluation["subject"]["type"], evaluation["subject"]["id"]) == ("Person", "浙0802/clerk.a")
    assert (evaluation["action"], evaluation["context"]) == ({"name": "look_up"}, {"wants": ["identity"]})


SCHEMA = Policies.schema_text()

BROKEN = {
    AccessRule.NOT_A_MEMBER: replace(GRANTED, member=False),
    AccessRule.SEPARATED_ROLE: replace(GRANTED, roles=("assistant", "audit_administrator")),
    AccessRule.NO_BUSINESS_ROLE: replace(GRANTED, roles=("region_administrator",)),
    AccessRule.REFUSED_TOO_OFTEN: replace(GRANTED, refused_too_often=True),
    AccessRule.NOT_HELD: replace(GRANTED, court="浙0803", deputy=True),
    AccessRule.NOT_OPEN: replace(GRANTED, open=False),
    AccessRule.NOT_RECORDED: replace(GRANTED, recorded=False),
    AccessRule.NOT_BEGUN: replace(GRANTED, begun=False),
    AccessRule.ENDED: replace(GRANTED, ended=True),
    AccessRule.SECOND_PERSON_MISSING: replace(GRANTED, second_person_needed=True),
    AccessRule.PARTY_NOT_NAMED: replace(GRANTED, party_named=False),
    AccessRule.NAME_DIFFERS: replace(GRANTED, name_fits=False),
    AccessRule.NOT_GRANTED: replace(GRANTED, lookups=("addresses",)),
    AccessRule.USED_UP: replace(GRANTED, questions_left=False),
}
