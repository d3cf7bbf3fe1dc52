"""
Rules of the vocabulary that a machine can check: names that name nothing, and names that are given twice.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PRODUCT: Final = ("schemas", "audit", "adapters", "gateway", "shuniu_client", "mock_agencies")
# Rooms whose names are done; a room joins when it passes.
ROOMS: Final = (
    *("schemas", "shuniu_client", "mock_agencies", "bench", "fuzz"),
    *("gateway/web", "gateway/api", "gateway/compliance", "gateway/organization", "gateway/sign_on"),
    *("gateway/resilience", "gateway/database", "gateway/agency_secrets"),
)
FILLERS: Final = frozenset({"one", "said", "told", "heard", "had", "held", "kept", "asked", "found"})
FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def modules(room: str) -> tuple[tuple[str, ast.Module], ...]:
    """Path and syntax tree of each module of a room."""
    files = sorted((ROOT / room).rglob("*.py"))
    return tuple((str(file.relative_to(ROOT)), ast.parse(file.read_bytes())) for file in files)


def variables(node: ast.AST, *, in_class: bool = False) -> Iterator[tuple[str, int]]:
    """Each variable, parameter and function that is bound, with its line; not the fields and methods of a class."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef():
                yield from variables(child, in_class=True)
                continue
            case ast.FunctionDef(name=str(name)) | ast.AsyncFunctionDef(name=str(name)):
                if not in_class:
                    yield name, child.lineno
                yield from variables(child)
                continue
            case ast.Name(id=str(name), ctx=ast.Store()) if not in_class:
                yield name, child.lineno
            case ast.arg(arg=str(name)):
                yield name, child.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, child.lineno
        # A comprehension or lambda in the body of a class has variables of its own.
        scope = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
        yield from variables(child, in_class=in_class and not isinstance(child, scope))


def test_variables_count_and_fields_do_not() -> None:
    """Parameters, loop variables, captures and functions are listed; fields, methods and attributes are not."""
    source = """
class Reply:
    held: int = 0
    kept = [one for one in ()]
    def told(self, asked):
        self.found = asked
        for said in asked:
            with said as heard: pass
def had(): pass
"""

    assert sorted(name for name, _ in variables(ast.parse(source))) == ["asked", "had", "heard", "one", "said", "self"]


@pytest.mark.parametrize("room", ROOMS)
def test_no_variable_has_a_name_that_names_nothing(room: str) -> None:
    """A loop variable is the noun that it loops over, and a parameter says what it is."""
    fillers = [
        f"{file}:{line} {name}" for file, tree in modules(room) for name, line in variables(tree) if name in FILLERS
    ]

    assert fillers == []


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_called_of(room: str) -> None:
    """A constructor is `from_…`, a look-up is `get` or `find`, a translation is `label`."""
    found_of = [
        f"{file}:{node.lineno}"
        for file, tree in modules(room)
        for node in ast.walk(tree)
        if isinstance(node, (*FUNCTION, ast.ClassDef)) and node.name == "of"
    ]

    assert found_of == []


def test_no_two_classes_of_the_product_share_a_name() -> None:
    """One word has one meaning, so a class can be found by its name."""
    places = defaultdict(list)
    for room in PRODUCT:
        for file, tree in modules(room):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    places[node.name].append(f"{file}:{node.lineno}")

    assert {name: where for name, where in places.items() if len(where) > 1} == {}
