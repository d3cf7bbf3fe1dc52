"""
An answer on a terminal: identity, ranked addresses with source, date and legal basis, registrations, who was heard.
"""

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

STATE_STYLE = {
    "found": "green",
    "not_found": "yellow",
    "ambiguous": "magenta",
    "unavailable": "red",
    "refused": "red",
    "not_asked": "dim",
}


def result(answer: dict[str, Any]) -> RenderableType:
    """A whole lookup result."""
    parts: list[RenderableType] = [_agencies(answer["agencies"])]
    if answer["identity"]:
        parts.append(_identity(answer["identity"]))
    parts += [Text(f"! {switch['en']}", "bold magenta") for switch in answer["switches"]]
    if answer["addresses"]:
        parts.append(_addresses(answer["addresses"]))
    parts += [Text(f"! {note['en']}", "magenta") for note in answer["ladder"]["notes"]]
    parts += [_registration(one) for one in answer["registrations"]]
    audit = answer["audit"]
    if audit:
        parts.append(Text(f"audit: intent {audit['intent']}, outcome {audit['outcome']}", "dim"))
    return Group(*parts)


def _agencies(answers: list[dict[str, Any]]) -> Table:
    table = Table("agency", "question", "state", "reason", "ms", box=None, header_style="dim")
    for one in answers:
        state = Text(one["state"], STATE_STYLE[one["state"]])
        table.add_row(one["agency"], one["capability"], state, one["reason"] or "", str(one["elapsed_ms"]))
    return table


def _sources(field: dict[str, Any]) -> str:
    return "; ".join(f"{one['agency']} {one['as_of'][:10]}" for one in field["sources"])


def _identity(identity: dict[str, Any]) -> Panel:
    table = Table("field", "value", "source, as of", box=None, header_style="dim")
    for name, field in identity.items():
        if not isinstance(field, dict):
            continue
        table.add_row(name, str(field["value"]), _sources(field))
        for other in field["alternatives"]:
            table.add_row("", Text(f"but also: {other['value']}", "magenta"), _sources(other))
    return Panel(table, title="Identity 身份信息", title_align="left")


def _addresses(addresses: list[dict[str, Any]]) -> Panel:
    table = Table("rank", "address", "kind", "source, as of", "usable under", box=None, header_style="dim")
    for one in addresses:
        rank = "lead" if one["rank"] is None else str(one["rank"])
        basis = "\n".join(provision["article"] for provision in one["legal_basis"]) or "—"
        text = Text(one["text"]["value"])
        for warning in one["warnings"]:
            text.append(f"\n! {warning['en']}", "magenta")
        table.add_row(rank, text, one["kind"], _sources(one["text"]), basis)
    return Panel(table, title="Addresses for service 送达地址", title_align="left")


def _registration(registration: dict[str, Any]) -> Panel:
    table = Table("field", "value", "source, as of", box=None, header_style="dim")
    for name, field in registration.items():
        if isinstance(field, dict) and field.get("value") is not None:
            table.add_row(name, str(field["value"]), _sources(field))
    return Panel(table, title=f"Registration 登记信息 · {registration['kind']}", title_align="left")
