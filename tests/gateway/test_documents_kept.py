"""
The documents say what the program does: every setting and problem has its place, every link leads somewhere.
"""

import re
from pathlib import Path

import pytest

from gateway.access.authorization import AccessRule
from gateway.api.metrics import MetricsRule
from gateway.api.problems import PROBLEMS
from gateway.settings import Settings
from gateway.sign_on import SignInRule

ROOT = Path(__file__).parent.parent.parent
READMES = ("README.md", "README.zh-CN.md")


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


@pytest.mark.parametrize(
    "name", [*READMES, "docs/settings.md", "docs/trust.md", "docs/access.md", "docs/operations/monitoring.md"]
)
def test_every_link_leads_to_a_file(name: str) -> None:
    """No document points at nothing."""
    links = re.findall(r"\]\(([^)#:]+)\)", document(name))

    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


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
