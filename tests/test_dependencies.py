"""
The declared dependencies: everything that is imported directly, nothing else, and the same in every file.
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PRODUCT: Final = ("schemas", "audit", "adapters", "gateway", "shuniu_client", "mock_agencies")
NOT_IMPORTED: Final = {
    "python-multipart",  # FastAPI reads forms with it
    "tzdata",  # zoneinfo reads it on a machine without time zones of its own
}
BUILD: Final = {"editables", "hatchling"}


def imports() -> dict[str, set[str]]:
    """Packages that are not ours and not of the standard library, with the modules that import them."""
    importers: dict[str, set[str]] = {}
    for file in (file for room in PRODUCT for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for package in {name.partition(".")[0] for name in names} - {*PRODUCT, *sys.stdlib_module_names}:
                importers.setdefault(package, set()).add(str(file.relative_to(ROOT)))
    return importers


def declared() -> list[str]:
    """The requirements of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def name_of(requirement: str) -> str:
    """The name of a distribution in its normal form, without version, extras and marker."""
    match = re.match(r"[\w.-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def test_declared_dependencies_are_those_that_are_imported() -> None:
    """An extra of a declared distribution counts as declared."""
    distributions = packages_distributions()
    extras = {"psycopg-pool", "psycopg-binary"}
    imported = {package: {name_of(name) for name in distributions[package]} for package in imports()}
    names = {name_of(requirement) for requirement in declared()} | extras

    assert {package for package, providers in imported.items() if not providers & names} == set()
    assert names - extras - NOT_IMPORTED - set().union(*imported.values()) == set()


def test_requirements_in_holds_the_declared_dependencies_and_the_build_back_end() -> None:
    """With the same versions."""
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in requirements if name_of(line) not in BUILD] == declared()
    assert {name_of(line) for line in requirements} >= BUILD


def test_lock_holds_every_requirement_in_its_version() -> None:
    """With hashes, as `make lock` writes it."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")

    for requirement in declared():
        name, _, version = re.sub(r"\[.*\]", "", requirement.partition(";")[0]).strip().partition("==")
        assert re.search(rf"^{re.escape(name)}=={re.escape(version)}\b", lock, re.MULTILINE), requirement


def test_requests_is_imported_only_for_the_exporter_of_traces() -> None:
    """Whose library takes a session of it; everything else uses httpx."""
    assert imports()["requests"] == {"gateway/telemetry/otlp.py"}
