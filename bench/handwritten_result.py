"""
The result of the hand-written gateway: the hub's shape, each field with its sources.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.handwritten_upstreams import Row

SEX = {"1": "male", "2": "female", "0": "unknown", "9": "not_stated"}
LIFE = {"0": "alive", "1": "deceased"}
YES = {"0": False, "1": True}
OTHER_ADDRESS = {"1": "residence", "9": "other_residence"}
INSURANCE = {
    "110": "enterprise_pension",
    "120": "public_body_pension",
    "150": "resident_pension",
    "170": "resident_pension",
    "210": "unemployment",
    "310": "employee_health",
    "390": "resident_health",
    "410": "work_injury",
    "510": "maternity",
}
PARTICIPATION = {"1": "active", "2": "paused", "3": "ended"}
STATES = {
    "存续（在营、开业、在册）": "active",
    "吊销，未注销": "revoked",
    "吊销，已注销": "revoked_deregistered",
    "注销": "deregistered",
    "撤销": "rescinded",
    "迁出": "moved_out",
    "其他": "other",
}
RANKS = {"household": 5, "residence": 5}
LEGAL_BASIS = {5: ["service_opinion_9"]}
PROVISIONS = {"service_opinion_9": {"article": "法发〔2017〕19号第九条"}}

Read = Callable[[Any], Any]
Fields = dict[str, Any]


@dataclass(frozen=True)
class UpstreamAnswer:
    """The answer of one upstream, with its time (ISO 8601) and its index among the answers."""

    index: int
    agency: str
    capability: str
    state: str
    as_of: str
    elapsed_ms: int
    rows: list[Row]
    reference: str | None = None

    def summary(self) -> Fields:
        """The entry in `answers`."""
        return {
            "agency": self.agency,
            "capability": self.capability,
            "state": self.state,
            "elapsed_ms": self.elapsed_ms,
            "as_of": self.as_of,
            "reference": self.reference,
        }


def day(raw: Any) -> str:
    """`19900307`, a text or a number, as `1990-03-07`."""
    digits = str(raw).replace("-", "")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()


def month(raw: Any) -> str:
    """`202610` as `2026-10`."""
    return f"{str(raw)[:4]}-{str(raw)[4:]}"


def code(table: Mapping[str, Any]) -> Read:
    """A reader of one code table; an unknown code is a KeyError."""
    return lambda raw: table[str(raw).strip()]


def state(raw: Any) -> str:
    """The state of an organization, by its text."""
    return STATES[str(raw).replace(",", "，").replace(" ", "")]


IDENTITY: dict[str, dict[str, tuple[str, Read]]] = {
    "identity": {
        "id_number": ("GMSFHM", str),
        "full_name": ("XM", str),
        "sex": ("XBDM", code(SEX)),
        "born_on": ("CSRQ", day),
        "life_status": ("SWBS", code(LIFE)),
    },
    "addresses": {
        "id_number": ("GMSFHM", str),
        "full_name": ("XM", str),
        "former_name": ("CYM", str),
        "sex": ("XB", code(SEX)),
        "born_on": ("CSRQ", day),
        "life_status": ("SWBS", code(LIFE)),
        "serving_soldier": ("BYQK", code(YES)),
    },
    "participation": {
        "id_number": ("AAC002", str),
        "full_name": ("AAC003", str),
        "sex": ("AAC004", code(SEX)),
        "born_on": ("AAC006", day),
        "telephone": ("AAC067", str),
    },
}
INSURED: dict[str, tuple[str, Read]] = {
    "insurance": ("AAE140", code(INSURANCE)),
    "state": ("AAC031", code(PARTICIPATION)),
    "employer": ("AAB004", str),
    "employer_number": ("AAB001", str),
    "since": ("AAC030", day),
    "paid_until": ("AAE003", month),
    "office": ("AAB300", str),
}
POSITION: dict[str, tuple[str, Read]] = {
    "organization": ("entname", str),
    "role": ("position", str),
    "uscc": ("uniscid", str),
    "state": ("regstateCn", state),
}


def identity(answers: Iterable[UpstreamAnswer]) -> Fields | None:
    """One identity out of all answers; where sources disagree, the others stand beside the first."""
    merged: Fields = {}
    for answer in answers:
        for row in answer.rows:
            for name, (leaf, read) in IDENTITY.get(answer.capability, {}).items():
                if row.get(leaf) not in (None, ""):
                    _add(merged, name, read(row[leaf]), _source(answer, leaf))
    return {"kind": "person", **merged} if merged else None


def addresses(answers: Iterable[UpstreamAnswer]) -> list[Fields]:
    """The addresses, the registered ones first; the same address of two sources once."""
    merged: dict[tuple[str, str], Fields] = {}
    for answer in answers:
        for row in answer.rows:
            for kind, leaf, since, more in _addresses_of(answer.capability, row):
                key = kind, row[leaf]
                as_of = day(row[since]) if since and row.get(since) else None
                if key in merged:
                    merged[key]["text"]["sources"].append(_source(answer, leaf, as_of))
                    continue
                rank = RANKS.get(kind)
                usable = {} if rank is None else {"rank": rank, "legal_basis": LEGAL_BASIS[rank]}
                merged[key] = {
                    "kind": kind,
                    "text": _sourced(row[leaf], answer, leaf, as_of),
                    **usable,
                    **{name: _sourced(row[at], answer, at, as_of) for name, at in more.items() if row.get(at)},
                }
    return sorted(merged.values(), key=_usability)


def registrations(answers: Iterable[UpstreamAnswer]) -> list[Fields]:
    """Insurances, those that differ in their kind alone as one entry, and positions."""
    maps = {"participation": ("insurance", INSURED), "positions": ("position", POSITION)}
    entries: list[Fields] = [
        {"kind": kind}
        | {
            name: _sourced(read(row[leaf]), answer, leaf)
            for name, (leaf, read) in fields.items()
            if row.get(leaf) not in (None, "")
        }
        for answer in answers
        if answer.capability in maps
        for kind, fields in [maps[answer.capability]]
        for row in answer.rows
    ]
    merged: list[Fields] = []
    for entry in entries:
        kind = entry.get("insurance", {}).get("value")
        same = next((other for other in merged if _without_kind(other) == _without_kind(entry)), None)
        if kind is None or same is None or kind in same["insurance"]["value"]:
            merged.append(entry if kind is None else {**entry, "insurance": {**entry["insurance"], "value": [kind]}})
        else:
            same["insurance"]["value"].append(kind)
    return merged


def _without_kind(entry: Fields) -> Fields:
    return {name: value for name, value in entry.items() if name != "insurance"}


def _addresses_of(capability: str, row: Row) -> Iterable[tuple[str, str, str | None, dict[str, str]]]:
    if capability == "addresses":
        if row.get("ZZXZ"):
            yield "household", "ZZXZ", "ZZQSRQ", {"region_code": "ZZSSXQ"}
        if row.get("QTZZXZ"):
            yield OTHER_ADDRESS[row.get("QTZZLX") or "9"], "QTZZXZ", "QTZZQSRQ", {"region_code": "QTZZSSXQ"}
        if row.get("FWCS"):
            yield "employer", "FWCS", None, {}
    if capability == "participation":
        if row.get("AAB004") and str(row["AAC031"]) != "3":
            yield "employer", "AAB004", "AAC030", {}
        if row.get("AAE006"):
            yield "contact", "AAE006", "AAE036", {"postcode": "AAE007", "telephone": "AAC067"}


def _usability(address: Fields) -> tuple[bool, int]:
    since = int(address["text"]["sources"][0].get("as_of", "0001-01-01").replace("-", ""))
    return "rank" not in address, -since


def _source(answer: UpstreamAnswer, leaf: str, as_of: str | None = None) -> Fields:
    source = {"answer": answer.index, "path": leaf}
    return source if as_of is None else {**source, "as_of": as_of}


def _sourced(value: Any, answer: UpstreamAnswer, leaf: str, as_of: str | None = None) -> Fields:
    return {"value": value, "sources": [_source(answer, leaf, as_of)]}


def _add(merged: Fields, name: str, value: Any, source: Fields) -> None:
    field = merged.get(name)
    if field is None:
        merged[name] = {"value": value, "sources": [source]}
        return
    for statement in (field, *field.get("alternatives", ())):
        if statement["value"] == value:
            if source not in statement["sources"]:
                statement["sources"].append(source)
            return
    field.setdefault("alternatives", []).append({"value": value, "sources": [source]})
