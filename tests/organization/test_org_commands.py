"""
`shuniu org`: a file in, the same file out; a wrong one changes nothing and says why.
"""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.__main__ import app
from gateway.demo import tree
from tests.organization.court import OrganizationCourt

RUN = CliRunner()
Shuniu = Callable[..., Result]


@pytest.fixture
def shuniu(court: OrganizationCourt, monkeypatch: pytest.MonkeyPatch) -> Shuniu:
    """A terminal of the installation."""
    monkeypatch.setenv("SHUNIU_FOLDER", str(court.settings.folder))
    monkeypatch.setenv("SHUNIU_DATABASE_URL", str(court.settings.database_url))
    monkeypatch.setenv("SHUNIU_ORIGIN", court.settings.origin)
    return lambda *words: RUN.invoke(app, ["org", *map(str, words)])


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_exported_can_be_imported_and_changes_nothing(
    shuniu: Shuniu, court: OrganizationCourt, tmp_path: Path, form: str
) -> None:
    """Only its owner can read the file, which holds names."""
    file, again = tmp_path / f"tree.{form}", tmp_path / f"again.{form}"
    before = len(court.admin_changes())

    answers: list[Result] = [shuniu("export", file), shuniu("import", file), shuniu("export", again)]

    assert [answer.exit_code for answer in answers] == [0, 0, 0]
    assert "0 units and 0 people are new" in answers[1].stderr
    assert file.read_bytes() == again.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(court.admin_changes()) == before


def test_an_import_changes_only_the_rows_of_the_file_and_is_recorded(
    shuniu: Shuniu, court: OrganizationCourt, tmp_path: Path
) -> None:
    """Who does not stand in the file stays."""
    file = tmp_path / "tree.csv"
    head = "row,court,user,unit,roles,name\n"
    file.write_text(head + "person,浙0803,xu.lan,zj0803-filing,judge,许兰\n", encoding="utf-8-sig")
    before = len(court.admin_changes())

    answer = shuniu("import", file)

    assert (answer.exit_code, "0 units and 1 people" in answer.stderr) == (0, True)
    assert court.call("xu.lan", "GET", "/v1/organization", court="浙0803").status_code == 200
    assert court.call("li.ting", "GET", "/v1/organization").status_code == 200
    (leaf,) = court.admin_changes()[before:]
    assert (leaf["who"]["court"], leaf["who"]["role"], leaf["detail"]["people"]) == ("浙0803", "operator", 1)


def test_an_invalid_file_changes_nothing_and_reports_every_mistake(
    shuniu: Shuniu, court: OrganizationCourt, tmp_path: Path
) -> None:
    """Line, rule and next step; no name."""
    file = tmp_path / "tree.csv"
    rows = ["row,id,parent,kind,court,zh,en,user,unit,roles,name"]
    rows += [
        "unit,zj0803-new,zj0803,centre,浙0803,某中心,A centre,,,,",
        "person,,,,浙0803,,,xu.lan,zj0803-new,leader,许兰",
    ]
    rows += ["person,,,,浙0803,,,li.lan,nowhere,judge,李兰"]
    file.write_text("\n".join(rows), encoding="utf-8")

    answer = shuniu("import", file)

    assert answer.exit_code == 2
    assert "line 3: row_form (roles)" in answer.stderr
    assert "line 4: person_place" in answer.stderr
    assert [name for name in ("许兰", "李兰") if name in answer.output] == []
    assert court.query("SELECT id FROM org_unit WHERE id = 'zj0803-new'") == []


def test_the_tree_is_shown_with_accounts_and_roles_and_without_names(shuniu: Shuniu) -> None:
    """On a screen that others see."""
    drawn, document = shuniu("show"), shuniu("show", "--json")

    assert (drawn.exit_code, document.exit_code) == (0, 0)
    assert "sun.li  group_leader" in drawn.stdout
    assert "孙丽" not in drawn.stdout + document.stdout
    assert [unit["id"] for unit in json.loads(document.stdout)][:2] == ["zj08", "zj0802"]


def test_a_file_of_another_type_or_a_missing_one_is_reported(shuniu: Shuniu, tmp_path: Path) -> None:
    """Exit code 2, and a sentence."""
    assert shuniu("import", tmp_path / "none.csv").exit_code == 2
    assert shuniu("import", tmp_path / "tree.xlsx").exit_code == 2
    assert shuniu("export", tmp_path / "tree.xlsx").exit_code == 2


def test_the_demo_tree_is_loaded_once(court: OrganizationCourt) -> None:
    """Starting the demo again changes nothing."""
    before = len(court.admin_changes())

    tree.settle(court.settings)

    assert len(court.admin_changes()) == before
