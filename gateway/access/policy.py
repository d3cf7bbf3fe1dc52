"""
The policy decision: facts in, a permit or the rules that forbid out, by Cedar alone.

A decision is a function of its facts.  The facts are read fresh every time; only decisions on equal facts are cached.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import cedarpy

from adapters.errors import ConfigurationError
from gateway.access.rules import AccessRule

MAX_CACHED_DECISIONS: Final = 4_096
_ORDER: Final = {rule.value: place for place, rule in enumerate(AccessRule)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """
    The facts of a decision.  Holds no identifier and no name of a party.

    `deputy`: the caller is the holder's deputy now.  `lookups` and `wants` are sorted.
    """

    caller: str
    caller_court: str
    member: bool
    roles: tuple[str, ...]
    refused_too_often: bool
    court: str
    holder: str
    deputy: bool
    open: bool
    recorded: bool
    begun: bool
    ended: bool
    party_named: bool
    name_fits: bool
    lookups: tuple[str, ...]
    questions_left: bool
    second_person_needed: bool
    confirmed_by_another: bool
    wants: tuple[str, ...]

    def evaluation(self) -> dict[str, Any]:
        """The facts in the shape of AuthZEN's Authorization API 1.0: subject, action, resource, context."""
        return {
            "subject": {
                "type": "Person",
                "id": f"{self.caller_court}/{self.caller}",
                "properties": {
                    "court": self.caller_court,
                    "member": self.member,
                    "roles": list(self.roles),
                    "refused_too_often": self.refused_too_often,
                },
            },
            "action": {"name": "look_up"},
            "resource": {
                "type": "Grant",
                "id": "grant",
                "properties": {
                    "court": self.court,
                    "open": self.open,
                    "recorded": self.recorded,
                    "begun": self.begun,
                    "ended": self.ended,
                    "party_named": self.party_named,
                    "name_fits": self.name_fits,
                    "lookups": list(self.lookups),
                    "questions_left": self.questions_left,
                    "second_person_needed": self.second_person_needed,
                    "confirmed_by_another": self.confirmed_by_another,
                },
            },
            "context": {"wants": list(self.wants)},
        }


@dataclass(frozen=True, slots=True)
class PolicyDecision:
    """Whether the lookup is permitted; the rules that permitted it, or all that forbid it, the gravest first."""

    permitted: bool
    rules: tuple[str, ...]

    @property
    def refusal(self) -> AccessRule:
        """The rule that the caller is given."""
        return AccessRule(self.rules[0]) if self.rules else AccessRule.NOT_HELD


class Policies:
    """
    The policies of this version, parsed and validated once.  `digest` (64 hex digits) names them in the audit log.
    """

    def __init__(self, text: str, schema: str) -> None:
        try:
            self._policies = cedarpy.PolicySet.from_str(text)
            result = cedarpy.validate_policies(text, cedarpy.Schema.from_str(schema))
            problem = "; ".join(f"{error.policy_id}: {error.error}" for error in result.errors)
        except ValueError as error:
            problem = str(error)
        if problem:
            raise ConfigurationError(f"the access policies do not hold together: {problem}")
        self.text = text
        self.digest = hashlib.sha256(f"{schema}\0{text}".encode()).hexdigest()
        self.decide = lru_cache(maxsize=MAX_CACHED_DECISIONS)(self._decide)

    @classmethod
    def load(cls) -> "Policies":
        """The policies that ship with this version.  Raises `ConfigurationError`."""
        return cls(_text("access.cedar"), cls.schema_text())

    @staticmethod
    def schema_text() -> str:
        """The schema that every policy must fit."""
        return _text("access.cedarschema")

    def _decide(self, facts: PolicyFacts) -> PolicyDecision:
        """Evaluates the policies; an engine error forbids."""
        evaluation = facts.evaluation()
        principal, grant = _entity(evaluation["subject"]), _entity(evaluation["resource"])
        holder = {"type": "Person", "id": f"{facts.court}/{facts.holder}"}
        grant["attrs"]["holder"] = {"__entity": holder}
        grant["attrs"]["deputies"] = [{"__entity": principal["uid"]}] if facts.deputy else []
        answer = cedarpy.is_authorized(
            {
                "principal": principal["uid"],
                "action": {"type": "Action", "id": evaluation["action"]["name"]},
                "resource": grant["uid"],
                "context": evaluation["context"],
            },
            self._policies,
            [principal, grant],
        )
        names = answer.diagnostics.id_annotations_by_reason
        rules = sorted((names.get(reason) or reason for reason in answer.diagnostics.reasons), key=_place)
        permitted = answer.decision is cedarpy.Decision.Allow and not answer.diagnostics.errors
        return PolicyDecision(permitted, tuple(rules))


def _text(name: str) -> str:
    return files("gateway.access.policies").joinpath(name).read_text(encoding="utf-8")


def _entity(entity: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": {"type": entity["type"], "id": entity["id"]}, "attrs": dict(entity["properties"]), "parents": []}


def _place(rule: str) -> int:
    return _ORDER.get(rule, len(_ORDER))
