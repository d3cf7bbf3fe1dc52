"""
An answer on a terminal: identity, ranked addresses with source, date and legal basis, registrations, who was heard.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from gateway.cli.folding_table import FoldingTable
from schemas.codes import AddressKind, AnswerState
from schemas.provenance import CASE_FILE

STATE_STYLE = {
    AnswerState.FOUND: "green",
    AnswerState.NOT_FOUND: "yellow",
    AnswerState.AMBIGUOUS: "magenta",
    AnswerState.UNAVAILABLE: "red",
    AnswerState.REFUSED: "red",
    AnswerState.NOT_ASKED: "dim",
}


def result(answer: dict[str, Any]) -> RenderableType:
    """A whole lookup result."""
    cite = _Citations(answer)
    parts: list[RenderableType] = [_answers(cite.answers)]
    if "identity" in answer:
        parts.append(_titled("Identity 身份信息", _fields(answer["identity"], cite)))
    parts += [Text(f"! {switch['en']}", "bold magenta") for switch in answer.get("switches", ())]
    if "addresses" in answer:
        addresses = Group(*(_address(address, cite) for address in answer["addresses"]))
        parts.append(_titled("Addresses for service 送达地址", addresses))
    parts += [Text(f"! {note['en']}", "magenta") for note in answer["ladder"].get("notes", ())]
    for kind, entries in groupby(answer.get("registrations", ()), key=lambda entry: entry["kind"]):
        parts.append(_titled(f"Registrations 登记信息 · {kind}", _entries(list(entries), cite)))
    audit = answer["audit"]
    parts.append(Text(f"audit: intent {audit['intent']}, outcome {audit['outcome']}", "dim"))
    return Group(*parts)


def _titled(title: str, inside: RenderableType) -> Panel:
    return Panel(inside, title=title, title_align="left", border_style="dim")


class _Citations:
    """The sources of a result in words: agencies and the day for which they vouch, each once."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answers: list[dict[str, Any]] = answer.get("answers", [])
        self.legal_basis: dict[str, dict[str, str]] = answer.get("legal_basis", {})
        self._at: str = answer["at"]

    def __call__(self, sources: Iterable[dict[str, Any]]) -> str:
        days: dict[str, list[str]] = {}
        for source in sources:
            answered = self.answers[source["answer"]] if "answer" in source else {"agency": CASE_FILE}
            day = source.get("as_of") or answered.get("as_of") or self._at
            agencies = days.setdefault(day[:10], [])
            if answered["agency"] not in agencies:
                agencies.append(answered["agency"])
        return "; ".join(f"{', '.join(agencies)} {day}" for day, agencies in days.items())


def _answers(answers: list[dict[str, Any]]) -> FoldingTable:
    table = FoldingTable("agency", "question", "state", "reason", "ms")
    for answer in answers:
        state = AnswerState(answer["state"])
        why = " ".join(answer[name] for name in ("reason", "authority") if name in answer)
        words = Text(state.en, STATE_STYLE[state])
        table.add_row(answer["agency"], answer["capability"], words, why, str(answer["elapsed_ms"]))
    return table


def _fields(record: dict[str, Any], cite: _Citations) -> FoldingTable:
    table = FoldingTable("field", "value", "source, as of")
    for name, field in record.items():
        if isinstance(field, dict):
            table.add_row(name, str(field["value"]), cite(field["sources"]))
            for other in field.get("alternatives", ()):
                table.add_row("", Text(f"but also: {other['value']}", "magenta"), cite(other["sources"]))
    return table


def _address(address: dict[str, Any], cite: _Citations) -> Text:
    kind = AddressKind(address["kind"])
    rank = f"rank {address['rank']}" if "rank" in address else "lead"
    text = Text()
    text.append(f"{rank:7}", "bold")
    text.append(f"{address['text']['value']}\n")
    text.append(f"       {kind.zh} {kind.en}\n       {cite(address['text']['sources'])}", "dim")
    for basis in address.get("legal_basis", ()):
        text.append(f"\n       {cite.legal_basis[basis]['article']}", "green")
    for warning in address.get("warnings", ()):
        text.append(f"\n       ! {warning['en']}", "magenta")
    return text


def _entries(entries: list[dict[str, Any]], cite: _Citations) -> FoldingTable:
    """Entries of one kind, a line each: what they say, and who says it."""
    table = FoldingTable("entry", "source, as of")
    for entry in entries:
        fields = {name: field for name, field in entry.items() if isinstance(field, dict)}
        words = ", ".join(f"{name} {field['value']}" for name, field in fields.items())
        table.add_row(words, cite(source for field in fields.values() for source in field["sources"]))
    return table
