"""
What every adapter declares, found out by looking at it.  A new agency is covered by its entry point alone.
"""

import importlib
import inspect
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from adapters.contract import Adapter
from adapters.mapping import CodeTable, RecordMap, UnlistedCode

ADAPTERS: dict[str, type[Adapter]] = {point.name: point.load() for point in entry_points(group="shuniu.agencies")}
ROOM = Path(importlib.import_module("adapters").__path__[0])
RULES = tomllib.loads((ROOM / "quality-rules.toml").read_text("utf-8"))["rules"]

every_adapter = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)


def folder(adapter: type[Adapter]) -> Path:
    """The agency's own folder."""
    return ROOM / adapter.agency.id


def mapping(adapter: type[Adapter]) -> dict[str, object]:
    """What the agency's mapping holds, by name."""
    return vars(importlib.import_module(f"adapters.{adapter.agency.id}.mapping"))


def test_every_agency_folder_has_an_entry_point() -> None:
    """An adapter that nobody loads is a mistake: name it in pyproject.toml, group shuniu.agencies."""
    folders = {path.parent.name for path in ROOM.glob("*/quality.toml")}

    assert folders == set(ADAPTERS)


@every_adapter
def test_is_exported_under_its_own_id(adapter: type[Adapter]) -> None:
    """Entry point, folder and `Agency.id` are one word, and the package exports exactly the adapter."""
    package = importlib.import_module(f"adapters.{adapter.agency.id}")

    assert ADAPTERS[adapter.agency.id] is adapter
    assert package.__all__ == [adapter.__name__]


@every_adapter
def test_states_every_fact(adapter: type[Adapter]) -> None:
    """Names in both languages, legal basis, retention; an agency whose data may not serve is no adapter."""
    facts = adapter.agency

    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", facts.id)
    assert set(facts.names) == {"zh", "en"}
    assert all(facts.names.values())
    assert facts.legal_basis
    assert 0 < facts.retention_days <= 366
    assert facts.service


@every_adapter
def test_names_its_contract_and_legal_basis(adapter: type[Adapter]) -> None:
    """The module opens with `Contract:` and `Legal basis:`, so that a reader knows what it is held to."""
    opening = inspect.getdoc(inspect.getmodule(adapter)) or ""

    assert "Contract: " in opening
    assert "Legal basis: " in opening


@every_adapter
def test_declares_lookups_that_read_alike(adapter: type[Adapter]) -> None:
    """Every lookup is `async def noun(self, question)` with a docstring; there is no other public method."""
    public = {name: member for name, member in vars(adapter).items() if inspect.isfunction(member) and name[0] != "_"}

    assert set(public) == set(adapter.capabilities)
    assert public
    for name, method in public.items():
        assert inspect.iscoroutinefunction(method)
        assert list(inspect.signature(method).parameters) == ["self", "question"]
        declared = adapter.capabilities[name]
        assert declared.summary.endswith(".")
        assert declared.by
        assert declared.serves
    assert "__init__" not in vars(adapter)


@every_adapter
def test_answers_for_every_rule_of_quality(adapter: type[Adapter]) -> None:
    """quality.toml says `done` or gives a reason, for exactly the rules of adapters/quality-rules.toml."""
    answers = tomllib.loads((folder(adapter) / "quality.toml").read_text("utf-8"))["rules"]

    assert set(answers) == set(RULES)
    for rule, answer in answers.items():
        assert answer == "done" or (set(answer) == {"exempt"} and len(answer["exempt"]) > 10), rule


@every_adapter
def test_explains_itself_in_a_readme(adapter: type[Adapter]) -> None:
    """README.md names the agency in both languages, every lookup, how it answers, and what is assumed."""
    readme = (folder(adapter) / "README.md").read_text("utf-8")

    assert readme.startswith(f"# {adapter.agency.names['en']} ")
    assert adapter.agency.names["zh"].removesuffix("机关") in readme.partition("\n")[0]
    assert {f"| `{name}` |" for name in adapter.capabilities} == set(
        re.findall(r"\| `[a-z_]+` \|", readme.split("##")[0])
    )
    assert re.findall(r"^## (.+)$", readme, re.MULTILINE) == ["How it answers", "Assumptions"]


@every_adapter
def test_reads_codes_through_closed_tables_only(adapter: type[Adapter]) -> None:
    """Every table of the mapping refuses what is not in it, and the error names the table and not the code."""
    tables = [member for member in mapping(adapter).values() if isinstance(member, CodeTable)]

    assert tables
    for table in tables:
        with pytest.raises(UnlistedCode) as caught:
            table("no such code")
        assert str(caught.value) == table.name


@every_adapter
def test_accounts_for_every_leaf_once(adapter: type[Adapter]) -> None:
    """A leaf is read or ignored, never both, and whatever is ignored has its reason."""
    maps = [member for member in mapping(adapter).values() if isinstance(member, RecordMap)]

    assert maps
    for record_map in maps:
        assert record_map.name.startswith(f"{adapter.agency.id}.")
        read = frozenset().union(*(part.elements for part in record_map.parts))
        assert read.isdisjoint(record_map.ignore)
        assert all(record_map.ignore.values())


@every_adapter
def test_takes_every_field_from_a_leaf_of_its_own_record(adapter: type[Adapter]) -> None:
    """A misspelt field of a record shows here and not in production."""
    for record_map in mapping(adapter).values():
        if isinstance(record_map, RecordMap):
            for part in record_map.parts:
                fields = set(inspect.signature(part.record).parameters)
                assert {take.field for take in part.takes} | set(part.fixed) <= fields
