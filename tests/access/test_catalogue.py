"""
The catalogue of kinds: complete, checked at start, and only ever narrowed by a court.
"""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import ConfigurationError
from gateway.access.catalogue import Catalogue, Mask, Start
from gateway.access.catalogue.masks import BULLETS
from schemas.codes import Want

KIND = """
[kinds.check]
zh = "核验"
en = "Check"
start = "hand"
days = 7
questions = 2
identity = ["full_name", "id_number"]
addresses = ["text"]
masks = { "identity.id_number" = "ends" }
"""


def problems(folder: Path, text: str, overrides: str | None = None) -> list[str]:
    """The error about a catalogue, a line for each mistake, without the folder's name."""
    (folder / "kinds.toml").write_text(text, encoding="utf-8")
    if overrides is not None:
        (folder / "overrides.toml").write_text(overrides, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Catalogue.load(folder / "kinds.toml", None if overrides is None else folder / "overrides.toml")
    return str(caught.value).replace(f"{folder}/", "").split("\n")


def test_there_are_twenty_kinds_six_started_by_hand_and_one_exception() -> None:
    kinds = Catalogue.load().kinds

    assert Counter(kind.start for kind in kinds.values()) == {Start.HAND: 6, Start.MACHINE: 14, Start.EXCEPTION: 1}
    assert kinds["court-session-recording"].start is Start.HAND
    assert all(kind.zh and kind.en for kind in kinds.values())
    assert len({kind.trigger for kind in kinds.values() if kind.trigger}) == 14


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        (
            'zh = "核验"\n',
            "",
            "kinds.toml, line 2: kinds.check.zh: is missing; fix: write zh = …",
        ),
        (
            '"hand"',
            '"foot"',
            "kinds.toml, line 5: kinds.check.start: is none of the choices; "
            "fix: write one of 'hand', 'machine' or 'exception'",
        ),
        (
            "days = 7",
            "days = 0",
            "kinds.toml, line 6: kinds.check.days: is less than 1; fix: write at least 1",
        ),
        (
            "days = 7",
            "days = 7.5",
            "kinds.toml, line 6: kinds.check.days: is not a whole number; fix: write a whole number, without quotes",
        ),
        (
            "days = 7\n",
            "",
            "kinds.toml, line 2: kinds.check.hours: is needed without days, and excluded by it; "
            "fix: write days or hours",
        ),
        (
            "questions = 2",
            "questions = true",
            "kinds.toml, line 7: kinds.check.questions: is not a whole number; "
            "fix: write a whole number, without quotes",
        ),
        (
            "questions",
            "question",
            "kinds.toml, line 2: kinds.check.questions: is missing; "
            "fix: write questions = …\nkinds.toml, line 7: kinds.check.question: is not known here; "
            "fix: write questions, or remove it",
        ),
        (
            '"full_name"',
            '"ful_name"',
            "kinds.toml, line 8: kinds.check.identity: names ful_name, which is no field of identity; "
            "fix: write full_name",
        ),
        (
            '"full_name"',
            '"@whom"',
            "kinds.toml, line 8: kinds.check.identity: names the group @whom, which [fields] does not have; "
            "fix: add it to [fields]",
        ),
        (
            '["text"]',
            '["postcode"]',
            'kinds.toml, line 9: kinds.check.addresses: grants addresses without their text; fix: write "text" as well',
        ),
        (
            "identity.id_number",
            "identity.sex",
            "kinds.toml, line 10: kinds.check.masks: masks identity.sex, which is not a text; "
            "fix: leave the field out instead",
        ),
        (
            "identity.id_number",
            "identity.telephone",
            "kinds.toml, line 10: kinds.check.masks: masks identity.telephone, which the kind does not grant; "
            "fix: leave it out",
        ),
        (
            '"ends" }',
            '"middle" }',
            "kinds.toml, line 10: kinds.check.masks.identity.id_number: is none of the choices; "
            "fix: write one of 'ends', 'last', 'first' or 'all'",
        ),
        (
            "days = 7",
            'trigger = "x"\ndays = 7',
            "kinds.toml, line 6: kinds.check.trigger: belongs to a kind that a machine starts, and to no other; "
            "fix: correct start or trigger",
        ),
        (
            "[kinds.check]",
            "[kinds.Check]",
            "kinds.toml, line 2: kinds.Check: has not the agreed form; "
            "fix: use small letters, digits and hyphens, at most 64",
        ),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_rule(folder: Path, line: str, instead: str, message: str) -> None:
    assert line in KIND

    assert problems(folder, KIND.replace(line, instead)) == message.split("\n")


def test_all_mistakes_are_reported_at_once(folder: Path) -> None:
    text = KIND.replace("days = 7", "days = 0").replace('"hand"', '"foot"')

    assert len(problems(folder, text)) == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "days = 8",
            "overrides.toml, line 3: court.浙0802.check.days: would widen the kind; fix: write at most 7",
        ),
        (
            "questions = 3",
            "overrides.toml, line 3: court.浙0802.check.questions: would widen the kind; fix: write at most 2",
        ),
        (
            'without = ["identity.sex"]',
            "overrides.toml, line 3: court.浙0802.check.without: leaves out identity.sex, which the kind "
            "does not grant; fix: leave it out",
        ),
        (
            "identity = []",
            "overrides.toml, line 3: court.浙0802.check.identity: is not known here; "
            "fix: write one of days, questions, second_person, without, masks; or remove it",
        ),
    ],
)
def test_a_court_cannot_widen_a_kind(folder: Path, override: str, message: str) -> None:
    assert problems(folder, KIND, f'\n[court."浙0802".check]\n{override}\n') == [message]


def test_a_court_cannot_drop_the_second_person(folder: Path) -> None:
    text = KIND.replace("questions = 2", "questions = 2\nsecond_person = true")

    messages = problems(folder, text, '[court."浙0802".check]\nsecond_person = false\n')

    assert messages == [
        "overrides.toml, line 2: court.浙0802.check.second_person: would widen the kind, which needs a second person; "
        "fix: remove it"
    ]


def test_a_court_restricts_a_kind_for_itself_alone(folder: Path) -> None:
    (folder / "kinds.toml").write_text(KIND, encoding="utf-8")
    (folder / "overrides.toml").write_text(
        '[court."浙0802".check]\ndays = 2\nquestions = 1\nsecond_person = true\nwithout = ["addresses.text"]\n'
        'masks = { "identity.full_name" = "first" }\n',
        encoding="utf-8",
    )
    catalogue = Catalogue.load(folder / "kinds.toml", folder / "overrides.toml")

    own, other = catalogue.kind("浙0802", "check"), catalogue.kind("浙0803", "check")

    assert own is not None
    assert (own.lasts, own.questions, own.second_person) == (timedelta(days=2), 1, True)
    assert set(own.scopes) == {Want.IDENTITY}
    assert own.scopes[Want.IDENTITY].masks == {"id_number": Mask.ENDS, "full_name": Mask.FIRST}
    assert other == catalogue.kinds["check"]
    assert other is not None
    assert set(other.scopes) == {Want.IDENTITY, Want.ADDRESSES}
    assert catalogue.kind("浙0802", "nothing") is None


@given(mask=st.sampled_from(list(Mask)), text=st.text(max_size=40))
def test_a_mask_never_shows_a_whole_text_nor_its_length(mask: Mask, text: str) -> None:
    shown = mask.apply(text)

    assert shown.count("•") >= len(BULLETS)
    assert len(shown.replace(BULLETS, "")) < max(len(text), 1)


def test_each_mask_shows_the_part_that_it_names() -> None:
    number = "330802199003070000"

    shown = {mask: mask.apply(number) for mask in Mask}

    assert shown == {
        Mask.ENDS: "3308••••••0000",
        Mask.LAST: "••••••0000",
        Mask.FIRST: "3••••••",
        Mask.ALL: "••••••",
    }
    assert Mask.ENDS.apply("33080") == "••••••"
