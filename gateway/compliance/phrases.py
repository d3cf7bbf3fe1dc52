"""
How a record speaks of people and things: in Chinese or English, masked unless a reason to see them is on record.

A masked value still lets an auditor recognise what they know already; it tells nobody what they do not know.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from audit.store.search import Hit
from gateway.access.catalogue.masks import BULLETS, Mask
from gateway.access.rules import AccessRule
from schemas.codes import AnswerState, Code, Reason
from schemas.identifiers import CaseNumber, IdentifierError, masked, parse_case_number

Language = Literal["zh", "en"]
AgencyNames = Mapping[str, Mapping[str, str]]


class Permitting(Code):
    """The one rule that permits (`access.cedar`); those that refuse have words of their own."""

    HELD = "held", "工单由其承办", "the work order is in their hands"


_RULES: Final = {one.value: one for one in (*AccessRule, *Permitting)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """
    In which language, with which agencies' names (by id, then language), and whether people are shown in full.
    """

    language: Language
    agencies: AgencyNames
    people: bool = False

    def label(self, code: Code) -> str:
        """A word of a closed table."""
        return code.zh if self.language == "zh" else code.en

    def either(self, zh: str, en: str) -> str:
        """One of two texts."""
        return zh if self.language == "zh" else en

    def agency(self, name: str) -> str:
        """The short official name of an agency, or its id."""
        return self.agencies.get(name, {}).get(self.language, name)

    def person(self, name: str) -> str:
        """A name."""
        return name if self.people else Mask.FIRST.apply(name)

    def number(self, number: str) -> str:
        """An identifier."""
        return number if self.people else masked(number)

    def case(self, number: str) -> str:
        """A case number; masked, year and court are left of it."""
        if self.people:
            return number
        try:
            read = parse_case_number(number)
        except IdentifierError:
            return BULLETS
        return f"({read.year}){read.court}…号" if isinstance(read, CaseNumber) else BULLETS

    def listed(self, words: list[str]) -> str:
        """Several words as one."""
        return self.either("、", ", ").join(words)


def actor(hit: Hit, speech: Wording) -> str:
    """Who acted: the person where one is known, or else the program."""
    said, clear = hit.people.get("who", {}), hit.leaf.get("who", {})
    program = str(clear.get("client", ""))
    name = said.get("name") or said.get("user")
    if name and name != program:
        return speech.person(name)
    if clear.get("c") and not name:
        return speech.either("某人（数据已销毁）", "somebody (erased)")
    return program or speech.either("枢纽", "the hub")


def parties(hit: Hit, speech: Wording) -> str:
    """Whom the record is about; beyond two only how many more."""
    clear = hit.leaf.get("whose", [])
    said = [_party(hit.people.get(f"whose.{n}"), speech) for n in range(len(clear))]
    if len(said) > 2:
        more = len(said) - 2
        return speech.listed(said[:2]) + speech.either(f"等{len(said)}人", f" and {more} more")
    return speech.listed(said)


def case_label(hit: Hit, speech: Wording) -> str:
    """The case of the record, empty if it has none."""
    number = hit.people.get("why", {}).get("case_number", "")
    return speech.case(number) if number else ""


def asked_agencies(hit: Hit, speech: Wording) -> str:
    """The agencies that were asked, each once."""
    names = dict.fromkeys(str(question).partition(".")[0] for question in hit.leaf.get("ask", ()))
    return speech.listed([speech.agency(name) for name in names])


def agency_answers(leaf: Mapping[str, Any], speech: Wording) -> str:
    """What agencies answered, in the six words and their reasons; agencies that said the same are counted together."""
    said = [_answer(one, speech) for one in leaf.get("heard", ())]
    if len(set(said)) == 1:
        return said[0]
    told = (
        [
            f"{speech.agency(str(one['q']).partition('.')[0])} {word}"
            for one, word in zip(leaf["heard"], said, strict=True)
        ]
        if said
        else []
    )
    return speech.listed(list(dict.fromkeys(told)))


def rule_text(name: str, speech: Wording) -> str:
    """What a rule says, its first sentence alone; a rule of another room by its word."""
    rule = _RULES.get(name)
    if rule is None:
        return name
    text = speech.label(rule)
    return text.partition(speech.either("。", ". "))[0].rstrip(".")


def _party(said: Mapping[str, str] | None, speech: Wording) -> str:
    if said is None:
        return speech.either("某当事人（数据已销毁）", "a party (erased)")
    number, name = speech.number(said.get("id_number", "")), said.get("name")
    return speech.either(f"{speech.person(name)}（{number}）", f"{speech.person(name)} ({number})") if name else number


def _answer(one: Mapping[str, Any], speech: Wording) -> str:
    state = AnswerState(one["is"])
    word = speech.label(state) if speech.language == "zh" else speech.label(state).lower()
    if one.get("why"):
        because = speech.label(Reason(one["why"]))
        return speech.either(f"{word}（{because}）", f"{word} ({because})")
    return word


def pretty(leaf: Mapping[str, Any]) -> str:
    """A leaf as JSON for people to read; nothing personal is in it."""
    return json.dumps(leaf, ensure_ascii=False, indent=2)
