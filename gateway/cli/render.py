"""
An answer on a terminal: identity, ranked addresses with source, date and legal basis, registrations, who was heard.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from schemas.codes import AddressKind, AnswerState

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
    parts: list[RenderableType] = [_agencies(answer["agencies"])]
    if answer["identity"]:
        parts.append(_titled("Identity 身份信息", _fields(answer["identity"])))
    parts += [Text(f"! {switch['en']}", "bold magenta") for switch in answer["switches"]]
    if answer["addresses"]:
        parts.append(_titled("Addresses for service 送达地址", Group(*map(_address, answer["addresses"]))))
    parts += [Text(f"! {note['en']}", "magenta") for note in answer["ladder"]["notes"]]
    for kind, entries in groupby(answer["registrations"], key=lambda entry: entry["kind"]):
        parts.append(_titled(f"Registrations 登记信息 · {kind}", _entries(list(entries))))
    audit = answer["audit"]
    parts.append(Text(f"audit: intent {audit['intent']}, outcome {audit['outcome']}", "dim"))
    return Group(*parts)


def _titled(title: str, inside: RenderableType) -> Panel:
    return Panel(inside, title=title, title_align="left", border_style="dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _agencies(answers: list[dict[str, Any]]) -> Table:
    table = _table("agency", "question", "state", "reason", "ms")
    for one in answers:
        state = AnswerState(one["state"])
        said = Text(state.en, STATE_STYLE[state])
        why = " ".join(filter(None, (one["reason"], one["authority"])))
        table.add_row(one["agency"], one["capability"], said, why, str(one["elapsed_ms"]))
    return table


def _sources(sources: Iterable[dict[str, Any]]) -> str:
    """Agencies and the day for which they vouch, each once."""
    days: dict[str, list[str]] = {}
    for source in sources:
        agencies = days.setdefault(source["as_of"][:10], [])
        if source["agency"] not in agencies:
            agencies.append(source["agency"])
    return "; ".join(f"{', '.join(agencies)} {day}" for day, agencies in days.items())


def _fields(record: dict[str, Any]) -> Table:
    table = _table("field", "value", "source, as of")
    for name, field in record.items():
        if isinstance(field, dict):
            table.add_row(name, str(field["value"]), _sources(field["sources"]))
            for other in field["alternatives"]:
                table.add_row("", Text(f"but also: {other['value']}", "magenta"), _sources(other["sources"]))
    return table


def _address(address: dict[str, Any]) -> Text:
    kind = AddressKind(address["kind"])
    rank = "lead" if address["rank"] is None else f"rank {address['rank']}"
    text = Text()
    text.append(f"{rank:7}", "bold")
    text.append(f"{address['text']['value']}\n")
    text.append(f"       {kind.zh} {kind.en}\n       {_sources(address['text']['sources'])}", "dim")
    for provision in address["legal_basis"]:
        text.append(f"\n       {provision['article']}", "green")
    for warning in address["warnings"]:
        text.append(f"\n       ! {warning['en']}", "magenta")
    return text


def _entries(entries: list[dict[str, Any]]) -> Table:
    """Entries of one kind, a line each: what they say, and who says it."""
    table = _table("entry", "source, as of")
    for entry in entries:
        held = {name: field for name, field in entry.items() if isinstance(field, dict)}
        said = ", ".join(f"{name} {field['value']}" for name, field in held.items())
        table.add_row(said, _sources(source for field in held.values() for source in field["sources"]))
    return table
