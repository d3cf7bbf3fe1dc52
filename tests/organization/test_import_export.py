"""
The tree as a file: what is written is read back the same, and every mistake is told by line and rule.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from gateway.field_encryption import FieldEncryption
from gateway.organization import store
from gateway.organization.import_export import dump_csv, dump_json, read_organization
from gateway.organization.people import Particulars, StaffAccount, account_violation
from gateway.organization.roles import SEPARATED, UNIT_KINDS, Role
from gateway.organization.tree import Tree, Unit, UnitKind, unit_violations
from tests.organization.court import Installation
from tests.organization.factories import COURTS, REGIONS, code, many_courts

OFFICIAL = Particulars(
    id_number="330802199003071239", unit_code="11330800DEM000196R", unit_name="示例法院", terminal="10.0.0.17"
)
LABELS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20)
WRITERS = {"json": dump_json, "csv": dump_csv}


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Unit], list[StaffAccount]]:
    """A sound tree with people in it."""
    units = [Unit(id="r", parent=None, kind=UnitKind.REGION, court=None, zh=draw(LABELS), en=draw(LABELS))]
    for number in range(draw(st.integers(0, 3))):
        court, top = code(number), f"c{number}"
        units.append(Unit(id=top, parent="r", kind=UnitKind.COURT, court=court, zh=draw(LABELS), en=draw(LABELS)))
        for centre in range(draw(st.integers(0, 2))):
            middle = f"{top}-{centre}"
            units.append(
                Unit(id=middle, parent=top, kind=UnitKind.CENTRE, court=court, zh=draw(LABELS), en=draw(LABELS))
            )
            units += [
                Unit(id=f"{middle}-{number}", parent=middle, kind=UnitKind.GROUP, court=court, zh=draw(LABELS), en="g")
                for number in range(draw(st.integers(0, 2)))
            ]
    courts = [unit.court for unit in units if unit.kind is UnitKind.COURT and unit.court]
    people = [
        draw(_person(unit, unit.court or courts[0], f"u{number}"))
        for number, unit in enumerate(units)
        if courts and draw(st.booleans())
    ]
    return units, people


@st.composite
def _person(draw: st.DrawFn, unit: Unit, court: str, user: str) -> StaffAccount:
    fitting = sorted(role for role in Role if unit.kind in UNIT_KINDS[role])
    active = draw(st.booleans())
    roles = draw(st.frozensets(st.sampled_from(fitting), max_size=2)) if active else frozenset()
    roles = frozenset(list(roles)[:1]) if roles & SEPARATED else roles
    official = OFFICIAL if draw(st.booleans()) else None
    name = draw(LABELS)
    return StaffAccount(court=court, user=user, unit=unit.id, roles=roles, active=active, name=name, official=official)


@settings(max_examples=60)
@given(trees(), st.sampled_from(sorted(WRITERS)))
def test_what_is_exported_is_imported_as_the_same_tree(tree: tuple[list[Unit], list[StaffAccount]], form: str) -> None:
    """Names with commas, quotes and line-like signs, in both forms."""
    units, people = tree

    file, mistakes = read_organization(WRITERS[form](units, people).encode(), form=form)

    assert (list(file.units), list(file.people)) == (units, people)
    assert [*mistakes, *file.mistakes({})] == []


def test_a_province_of_64_courts_in_11_regions_is_sound() -> None:
    """Every unit and person of the file keeps every rule."""
    file, mistakes = read_organization(many_courts().encode(), form="json")

    assert [*mistakes, *file.mistakes({})] == []
    assert len({unit.court for unit in file.units} - {None}) == COURTS
    assert len([unit for unit in file.units if unit.kind is UnitKind.REGION]) == REGIONS + 1


HEAD = "row,id,parent,kind,court,zh,en,user,unit,roles,active,name,id_number,unit_code,unit_name,terminal"
COURT = "unit,zj0802,,court,浙0802,某院,A court,,,,,,,,,"
CENTRE = "unit,zj0802-a,zj0802,centre,浙0802,某中心,A centre,,,,,,,,,"


def told(*rows: str) -> list[str]:
    """The mistakes of a CSV file with these rows, as line and rule."""
    file, mistakes = read_organization("\n".join((HEAD, *rows)).encode(), form="csv")
    return [f"{mistake.line} {mistake.rule.value}" for mistake in (*mistakes, *file.mistakes({}))]


def person(**cells: str) -> str:
    """A row of a person who sits at the court."""
    whole = {"row": "person", "court": "浙0802", "user": "xu.lan", "unit": "zj0802", "name": "许兰"} | cells
    return ",".join(whole.get(column, "") for column in HEAD.split(","))


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("unit,zj0803-a,zj0802,centre,浙0802,某,x,,,,,,,,,", "unit_id"),
        ("unit,zj0802-A,zj0802,centre,浙0802,某,x,,,,,,,,,", "unit_id"),
        ("unit,zj-0804,,court,浙0804,某,x,,,,,,,,,", "unit_id"),
        ("unit,zj0804,,court,浙0802,某,x,,,,,,,,,", "unit_court"),
        ("unit,zj0804,,court,08,某,x,,,,,,,,,", "unit_court"),
        ("unit,zj08,,region,浙08,某,x,,,,,,,,,", "unit_court"),
        ("unit,zj0802-b,zj0802,centre,浙0803,某,x,,,,,,,,,", "unit_court"),
        ("unit,zj0802-b,zj0802,group,浙0802,某,x,,,,,,,,,", "unit_parent"),
        ("unit,zj0802-b,nowhere,centre,浙0802,某,x,,,,,,,,,", "unit_parent"),
        ("unit,zj0802-b,,centre,浙0802,某,x,,,,,,,,,", "unit_parent"),
        ("unit,zj0802-b,zj0802,centre,浙0802, ,x,,,,,,,,,", "unit_name"),
        ("unit,zj0802-b,zj0802,centre,浙0802,,x,,,,,,,,,", "row_form"),
        ("unit,zj0802-b,zj0802,office,浙0802,某,x,,,,,,,,,", "row_form"),
        ("house,zj0802-b,zj0802,centre,浙0802,某,x,,,,,,,,,", "row_form"),
        ("unit,zj0802-b,zj0802,centre,浙0802,某,x,,,,,,,,,,one too many", "row_form"),
        ("unit,zj0802-b,zj0802", "row_form"),
        (CENTRE, "duplicate"),
        (person(unit="zj0803"), "person_place"),
        (person(user="330802199003071239"), "user_id"),
        (person(user="E12345678"), "user_id"),
        (person(name=""), "row_form"),
        (person(roles="clerk"), "row_form"),
        (person(active="maybe"), "row_form"),
        (person(roles="group_leader"), "role_place"),
        (person(roles="system_administrator audit_administrator"), "roles_separated"),
        (person(roles="judge", active="no"), "inactive_roles"),
        (person(id_number="330802199003071239"), "row_form"),
        (
            person(id_number="330802199003071230", unit_code="11330800DEM000196R", unit_name="某", terminal="x"),
            "particulars",
        ),
        (person(id_number="330802199003071239", unit_code="11330800", unit_name="某", terminal="x"), "particulars"),
    ],
)
def test_every_mistake_is_reported_with_its_line_and_rule(row: str, rule: str) -> None:
    """The third row of the file is the wrong one."""
    assert told(COURT, CENTRE, row) == [f"4 {rule}"]


def test_regions_in_a_cycle_are_reported() -> None:
    """The only ring that levels leave possible."""
    regions = ["unit,n,s,region,,某,x,,,,,,,,,", "unit,s,n,region,,某,x,,,,,,,,,"]

    assert told(*regions) == ["2 unit_cycle", "3 unit_cycle"]


def test_all_mistakes_are_reported_at_once_without_values() -> None:
    """A file of people is full of what must not be shown."""
    rows = [COURT, person(user="330802199003071239"), person(name=" 许兰 "), person(user="a", roles="许兰")]
    file, mistakes = read_organization("\n".join((HEAD, *rows)).encode(), form="csv")

    texts = [str(mistake) for mistake in (*mistakes, *file.mistakes({}))]

    assert [text.split(":")[0] for text in texts] == ["line 5", "line 3", "line 4"]
    assert [text for text in texts if "许兰" in text or "330802199003071239" in text] == []


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"\xff\xfe", "csv"),
        (b"\xff\xfe", "json"),
        (b"name;unit\n", "csv"),
        (b"[]", "json"),
        (b'{"units": [1]}', "json"),
        (b'{"units": [], "units": []}', "json"),
        (b'{"teams": []}', "json"),
        (b"[" * 100_000, "json"),
    ],
)
def test_other_files_are_refused(content: bytes, form: str) -> None:
    """Nothing is guessed."""
    file, mistakes = read_organization(content, form=form)

    assert ([str(mistake.rule) for mistake in mistakes], file.units, file.people) == (["encoding"], (), ())


def test_a_mistake_in_json_is_reported_with_its_line() -> None:
    """Whichever way the file is laid out."""
    text = (
        '{"units": [\n{"id": "zj0802", "parent": null, "kind": "court",\n "court": "浙0802", "zh": "某", "en": "x"},\n'
    )
    wrong = '{"id": "zj0802-b", "parent": "zj0802", "kind": "group", "court": "浙0802", "zh": "某", "en": "x"}]}'

    file, mistakes = read_organization((text + wrong).encode(), form="json")

    assert [(mistake.line, mistake.rule.value) for mistake in (*mistakes, *file.mistakes({}))] == [(4, "unit_parent")]


def test_a_stored_unit_never_changes_kind_or_court() -> None:
    """The people in it would change theirs."""
    before = Unit(id="zj0802", parent=None, kind=UnitKind.COURT, court="浙0802", zh="某", en="x")
    file, _ = read_organization(dump_json([replace(before, court="浙0803")], []).encode(), form="json")

    assert [mistake.rule.value for mistake in file.mistakes({"zj0802": before})] == ["unit_fixed"]


@settings(max_examples=40)
@given(trees())
def test_a_stored_tree_is_read_back_unchanged(
    installation: Installation, tree: tuple[list[Unit], list[StaffAccount]]
) -> None:
    """With names sealed in between."""
    units, people = tree
    engine = create_engine(installation.postgres.url(installation.database))
    encryption = FieldEncryption(bytes(32))
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM org_person; DELETE FROM org_unit"))
        store.write_units(connection, Tree({unit.id: unit for unit in units}), units)
        store.write_accounts(connection, encryption, people)

        written = store.list_units(connection), store.list_accounts(connection, encryption)
        connection.rollback()
    engine.dispose()

    assert written[0] == {unit.id: unit for unit in units}
    assert sorted(written[1], key=lambda person: person.user) == sorted(people, key=lambda person: person.user)


@given(trees())
@settings(max_examples=30)
def test_every_generated_tree_keeps_the_rules(tree: tuple[list[Unit], list[StaffAccount]]) -> None:
    """The property above is about sound trees, and they are."""
    units, people = tree
    whole: Any = {unit.id: unit for unit in units}

    assert unit_violations(whole) == {}
    assert [account_violation(person, Tree(whole)) for person in people] == [None] * len(people)
