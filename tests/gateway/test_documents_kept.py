"""
The documents say what the program does: every setting and problem has its place, every link leads somewhere.
"""

import itertools
import re
import tomllib
from pathlib import Path

import pytest

from gateway.access.authorization import AccessRule
from gateway.api.metrics import MetricsRule
from gateway.api.problems import PROBLEMS
from gateway.settings import Settings
from gateway.sign_on import SignInRule

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh-CN.md")
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "tests/README.md", "adapters/*/README.md", "mock_agencies/README.md")
    for path in ROOT.glob(pattern)
)


def document(name: str) -> str:
    """A document of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_problem_has_its_heading_and_every_heading_is_a_problem() -> None:
    """docs/problems.md lists exactly what the hub can answer."""
    assert set(re.findall(r"^## (.+)$", document("docs/problems.md"), re.MULTILINE)) == set(PROBLEMS)


@pytest.mark.parametrize("rule", [*AccessRule, *SignInRule, *MetricsRule], ids=str)
def test_every_rule_that_can_refuse_is_explained(rule: AccessRule | SignInRule | MetricsRule) -> None:
    """A refusal's word can be looked up."""
    assert f"`{rule.value}`" in document("docs/problems.md")


@pytest.mark.parametrize("rule", list(AccessRule), ids=str)
def test_every_rule_of_access_is_explained_to_administrators_and_auditors(rule: AccessRule) -> None:
    """docs/access.md goes through the policies rule by rule."""
    assert f"`{rule.value}`" in document("docs/access.md")


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_is_documented(setting: str) -> None:
    """docs/settings.md names each variable."""
    assert f"`SHUNIU_{setting.upper()}`" in document("docs/settings.md")


def headings(name: str) -> set[str]:
    """The addresses of a document's headings, as the repository's host makes them."""
    lines = re.findall(r"^#+ (.+)$", document(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    """Links between the documents, with their fragments."""
    broken = []
    for path, fragment in re.findall(r"\]\((?![a-z]+:)([^)#]*)#?([^)]*)\)", document(name)):
        target = (ROOT / name).parent.joinpath(path).resolve() if path else ROOT / name
        if not target.exists() or (fragment and fragment not in headings(str(target.relative_to(ROOT)))):
            broken.append(f"{path}#{fragment}")

    assert broken == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_of_a_document_exists(name: str) -> None:
    """Modules, tests and data files are where a document says."""
    rooms = "schemas|audit|adapters|gateway|shuniu_client|mock_agencies|tests|bench|fuzz|config"
    paths = re.findall(rf"(?<![\w/.-])(?:{rooms})/[\w./-]*\w", document(name))

    assert [path for path in paths if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_of_a_document_exists(name: str) -> None:
    """`make bench PART=…` and the others are in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", document("Makefile"), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", document(name))) <= targets


def test_the_picture_of_the_layers_has_the_contract_s_rooms_in_its_order() -> None:
    """docs/architecture.md shows the layers that import-linter keeps."""
    contracts = tomllib.loads(document("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == ["gateway"])
    rooms = [room for layer in layers for room in layer.split(" | ") if room != "__main__"]
    picture = document("docs/architecture.md").partition("```mermaid")[2].partition("```")[0]
    shown = re.findall(r"(?:\[\"|<br>|· )(\w+)", picture)

    assert [set(shown), len(shown)] == [set(rooms), len(rooms)]
    assert all(shown.index(above) < shown.index(below) for above, below in order(layers))


def order(layers: list[str]) -> list[tuple[str, str]]:
    """Each room with each room of the next layer."""
    above = [layer.split(" | ") for layer in layers if layer != "__main__"]
    return [(high, low) for highs, lows in itertools.pairwise(above) for high in highs for low in lows]


def test_every_folder_of_tests_is_described() -> None:
    """tests/README.md says what each folder shows."""
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert set(re.findall(r"^\| `(\w+)` \| (?!\d)", document("tests/README.md"), re.MULTILINE)) >= folders


def test_every_document_is_in_the_index() -> None:
    """docs/README.md links to every document of its folder."""
    index = document("docs/README.md")
    folder = ROOT / "docs"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.md")}

    assert {name for name in names - {"README.md"} if f"({name})" not in index} == set()


def test_every_code_word_of_the_glossary_is_used_in_the_code() -> None:
    """docs/glossary.md explains words that a reader of the code meets."""
    rooms = ("schemas", "audit", "adapters", "gateway")
    code = "\n".join(path.read_text("utf-8") for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    rows = re.findall(r"^\| (`[^|]+) \|", document("docs/glossary.md"), re.MULTILINE)
    words = [word for row in rows for word in re.findall(r"`(\w+)`", row)]

    assert [word for word in words if not re.search(rf"(?i){word.replace('_', '_?')}", code)] == []


def test_both_readmes_show_the_two_commands_first_and_the_same_commands_throughout() -> None:
    """The Chinese README keeps step with the English one."""
    blocks = [re.findall(r"^```\n(.*?)```", document(name), re.MULTILINE | re.DOTALL) for name in READMES]
    commands = [[re.sub(r" +#.*", "", line) for line in block[0].splitlines()] for block in blocks]

    assert commands == [["make demo", "make test"]] * 2
    assert [re.findall(r"`(make [a-z]+|shuniu [a-z]+)`", document(name)) for name in READMES[:1]] == [
        re.findall(r"`(make [a-z]+|shuniu [a-z]+)`", document(READMES[1]))
    ]


def test_no_document_or_lock_names_the_address_of_an_index() -> None:
    """The lock files hold names, versions and hashes only."""
    assert [name for name in ("requirements.txt", "requirements-dev.txt") if "://" in document(name)] == []
