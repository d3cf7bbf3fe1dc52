"""
Phrases for people and things in records: in Chinese or English, masked unless a recorded reason reveals them.

A masked value lets an auditor recognise what they know already, and discloses nothing else.
"""

import json
from collections.abc import Iterable, Mapping
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
    """The one rule that permits (`access.cedar`); those that refuse have labels of their own."""

    HELD = "held", "工单由其承办", "the work order is in their hands"


_RULES: Final = {rule.value: rule for rule in (*AccessRule, *Permitting)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """
    The language, the agencies' names (by id, then language), and whether people are shown in full.
    """

    language: Language
    agencies: AgencyNames
    people: bool = False

    def label(self, code: Code) -> str:
        """The label of an entry of a closed table."""
        return code.zh if self.language == "zh" else code.en

    def choices(self, codes: Iterable[Code]) -> list[tuple[str, str]]:
        """The entries of a closed table as choices of a form."""
        return [(code.value, self.label(code)) for code in codes]

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
    person, clear = hit.people.get("who", {}), hit.leaf.get("who", {})
    program = str(clear.get("client", ""))
    name = person.get("name") or person.get("user")
    if name and name != program:
        return speech.person(name)
    if clear.get("c") and not name:
        return speech.either("某人（数据已销毁）", "a person (erased)")
    return program or speech.either("枢纽", "the hub")


def parties(hit: Hit, speech: Wording) -> str:
    """The parties of the record; beyond two only the number of the others."""
    clear = hit.leaf.get("whose", [])
    names = [_party(hit.people.get(f"whose.{n}"), speech) for n in range(len(clear))]
    if len(names) > 2:
        more = len(names) - 2
        return speech.listed(names[:2]) + speech.either(f"等{len(names)}人", f" and {more} more")
    return speech.listed(names)


def case_label(hit: Hit, speech: Wording) -> str:
    """The case of the record, empty if it has none."""
    number = hit.people.get("why", {}).get("case_number", "")
    return speech.case(number) if number else ""


def asked_agencies(hit: Hit, speech: Wording) -> str:
    """The agencies with a question, each once."""
    names = dict.fromkeys(str(question).partition(".")[0] for question in hit.leaf.get("ask", ()))
    return speech.listed([speech.agency(name) for name in names])


def agency_answers(leaf: Mapping[str, Any], speech: Wording) -> str:
    """The agencies' answers as states with their reasons; equal answers of all agencies are told once."""
    words = [_answer(answer, speech) for answer in leaf.get("heard", ())]
    if len(set(words)) == 1:
        return words[0]
    by_agency = (
        [
            f"{speech.agency(str(answer['q']).partition('.')[0])} {word}"
            for answer, word in zip(leaf["heard"], words, strict=True)
        ]
        if words
        else []
    )
    return speech.listed(list(dict.fromkeys(by_agency)))


def rule_text(name: str, speech: Wording) -> str:
    """The first sentence of a rule; the bare name of an unknown one."""
    rule = _RULES.get(name)
    if rule is None:
        return name
    text = speech.label(rule)
    return text.partition(speech.either("。", ". "))[0].rstrip(".")


def _party(party: Mapping[str, str] | None, speech: Wording) -> str:
    if party is None:
        return speech.either("某当事人（数据已销毁）", "a party (erased)")
    number, name = speech.number(party.get("id_number", "")), party.get("name")
    return speech.either(f"{speech.person(name)}（{number}）", f"{speech.person(name)} ({number})") if name else number


def _answer(answer: Mapping[str, Any], speech: Wording) -> str:
    state = AnswerState(answer["is"])
    word = speech.label(state) if speech.language == "zh" else speech.label(state).lower()
    if answer.get("why"):
        because = speech.label(Reason(answer["why"]))
        return speech.either(f"{word}（{because}）", f"{word} ({because})")
    return word


def pretty(leaf: Mapping[str, Any]) -> str:
    """A leaf as indented JSON; it has no personal values."""
    return json.dumps(leaf, ensure_ascii=False, indent=2)
