"""
The tree as a file: JSON or CSV, read whole before anything is taken from it, every mistake with its line and rule.

Both forms hold the same rows; docs/organization.md describes them.  What is written is read back as the same tree.
No error repeats a value: a file of people is full of them.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from json import decoder, scanner
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from gateway.organization.people import Particulars, StaffAccount, account_violation
from gateway.organization.rules import OrganizationRule
from gateway.organization.tree import Tree, Unit, unit_violations

UNIT_COLUMNS: Final = tuple(column.name for column in fields(Unit))
OFFICIAL_COLUMNS: Final = tuple(column.name for column in fields(Particulars))
COLUMNS: Final = ("row", *UNIT_COLUMNS, "user", "unit", "roles", "active", "name", *OFFICIAL_COLUMNS)
_TRUTH: Final = {"": True, "yes": True, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One broken rule of a file.  Lines count from 1."""

    line: int
    rule: OrganizationRule
    where: str = ""

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"line {self.line}: {self.rule.value}{where}: {self.rule.en}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFile:
    """
    The rows of a file, in their order, and the line of each.
    """

    units: tuple[Unit, ...]
    people: tuple[StaffAccount, ...]
    lines: Mapping[object, int]

    def mistakes(self, current: Mapping[str, Unit]) -> list[Mistake]:
        """What is wrong with these rows, put into a tree of units that stands already."""
        units = dict(current) | {unit.id: unit for unit in self.units}
        mistakes = [
            Mistake(line=self.lines[unit], rule=OrganizationRule.UNIT_FIXED)
            for unit in self.units
            if (before := current.get(unit.id)) and (before.kind, before.court) != (unit.kind, unit.court)
        ]
        broken = unit_violations(units)
        # What the file did not bring may be wrong because of what it did: then its first line is told.
        own = {unit.id: self.lines[unit] for unit in self.units}
        mistakes += [Mistake(line=own.get(unit, 1), rule=rule) for unit, rule in broken.items()]
        if broken:
            return sorted(mistakes, key=lambda mistake: mistake.line)
        tree = Tree(units)
        for person in self.people:
            rule = account_violation(person, tree)
            if rule is not None:
                mistakes.append(Mistake(line=self.lines[person], rule=rule))
        return sorted(mistakes, key=lambda mistake: mistake.line)


def read_organization(content: bytes, *, form: str) -> tuple[OrganizationFile, list[Mistake]]:
    """
    The rows of a file (`form` is json or csv), and what is wrong with its form; a row that is wrong is left out.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = list(_json_rows(text) if form == "json" else _csv_rows(text))
    except (ValueError, csv.Error, RecursionError):
        return _gathered(())[0], [Mistake(line=1, rule=OrganizationRule.ENCODING)]
    return _gathered(rows)


def dump_json(units: Iterable[Unit], people: Iterable[StaffAccount]) -> str:
    """The tree as JSON, one row on one line, in a stable order."""
    rows = {
        "units": [asdict(unit) for unit in units],
        "people": [asdict(person) | {"roles": sorted(person.roles)} for person in people],
    }
    parts = (
        f' "{name}": [\n' + ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in listed) + "\n ]"
        for name, listed in rows.items()
    )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def dump_csv(units: Iterable[Unit], people: Iterable[StaffAccount]) -> str:
    """The tree as CSV with a head line, in a stable order."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for unit in units:
        writer.writerow({"row": "unit"} | asdict(unit))
    for person in people:
        row = {name: value for name, value in asdict(person).items() if name != "official"}
        row |= {"row": "person", "roles": " ".join(sorted(person.roles)), "active": "yes" if person.active else "no"}
        writer.writerow(row | (asdict(person.official) if person.official else {}))
    return text.getvalue()


_Row = tuple[int, str, Mapping[str, Any]]


def _csv_rows(text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if reader.fieldnames is None or set(reader.fieldnames) - set(COLUMNS) or "row" not in reader.fieldnames:
        raise ValueError("not the columns of a tree")
    before = reader.line_num
    for row in reader:
        # A quoted cell may hold line ends: a row is told by its first line.
        line, before = before + 1, reader.line_num
        kind = row.pop("row")
        # A cell without a column stands under None, a column without a cell has None: neither is a row of the table.
        cells = {name: value for name, value in row.items() if value != ""}
        yield line, kind, cells if None in row or None in row.values() else _from_cells(kind, cells)


def _from_cells(kind: str, cells: dict[str, Any]) -> Mapping[str, Any]:
    if kind == "unit":
        return {"parent": None, "court": None, **cells}
    official = {name: cells[name] for name in OFFICIAL_COLUMNS if name in cells}
    rest = {name: value for name, value in cells.items() if name not in OFFICIAL_COLUMNS}
    active = _TRUTH.get(cells.get("active", ""), "neither yes nor no")
    return rest | {"roles": cells.get("roles", "").split(), "active": active, "official": official or None}


class _LinedDecoder(json.JSONDecoder):
    """Reads JSON, remembering where each object began: its line stands under the empty key."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once)
        read: Callable[..., tuple[dict[str, Any], int]] = decoder.JSONObject  # type: ignore[attr-defined]

        def lined(at: tuple[str, int], *rest: Any) -> tuple[dict[str, Any], int]:
            members, end = read(at, *rest)
            return members | {"": at[0].count("\n", 0, at[1]) + 1}, end

        self.parse_object = lined
        # The scanner in C does not call a method that was replaced.
        self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs) or "" in members:
        raise ValueError("a member stands twice")
    return members


def _json_rows(text: str) -> Iterator[_Row]:
    whole = _LinedDecoder().decode(text)
    if not isinstance(whole, dict) or whole.keys() - {"", "units", "people"}:
        raise ValueError("not the members of a tree")
    for kind, name in (("unit", "units"), ("person", "people")):
        rows = whole.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("not a list of rows")
        for row in rows:
            official = row.get("official")
            inner = {key: value for key, value in official.items() if key} if isinstance(official, dict) else official
            rest = {key: value for key, value in row.items() if key}
            yield row[""], kind, rest | ({"official": inner} if inner is not None else {})


_STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)
for _form in (Unit, StaffAccount, Particulars):
    setattr(_form, "__pydantic_config__", _STRICT)  # noqa: B010 - the name is pydantic's, the classes know nothing of it
_FORMS: Final[Mapping[str, TypeAdapter[Any]]] = {"unit": TypeAdapter(Unit), "person": TypeAdapter(StaffAccount)}


def _gathered(rows: Sequence[_Row]) -> tuple[OrganizationFile, list[Mistake]]:
    units: dict[str, Unit] = {}
    people: dict[tuple[str, str], StaffAccount] = {}
    lines: dict[object, int] = {}
    mistakes: list[Mistake] = []
    for line, kind, values in rows:
        read = _one(line, kind, values, mistakes)
        if read is None:
            continue
        known = units if isinstance(read, Unit) else people
        key: Any = read.id if isinstance(read, Unit) else (read.court, read.user)
        if key in known:
            mistakes.append(Mistake(line=line, rule=OrganizationRule.DUPLICATE))
        known[key] = read  # type: ignore[assignment]
        lines[read] = line
    return OrganizationFile(units=tuple(units.values()), people=tuple(people.values()), lines=lines), mistakes


def _one(line: int, kind: str, values: Mapping[str, Any], mistakes: list[Mistake]) -> Unit | StaffAccount | None:
    form = _FORMS.get(kind)
    where: tuple[str, ...] = ("row",)
    if form is not None:
        try:
            read: Unit | StaffAccount = form.validate_python(values)
        except ValidationError as error:
            # The text of the error quotes nothing, but the name of an unknown member could be anything.
            places = {str(detail["loc"][0]) for detail in error.errors(include_input=False) if detail["loc"]}
            where = tuple(sorted(places & set(COLUMNS) | ({"official"} & places))) or ("unknown member",)
        else:
            return read
    mistakes.append(Mistake(line=line, rule=OrganizationRule.ROW_FORM, where=", ".join(where)))
    return None
