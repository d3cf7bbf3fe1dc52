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


def problems(folder: Path, text: str, modes: str | None = None) -> list[str]:
    """What is said of a catalogue, without the folder's name."""
    (folder / "kinds.toml").write_text(text, encoding="utf-8")
    if modes is not None:
        (folder / "modes.toml").write_text(modes, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Catalogue.load(folder / "kinds.toml", None if modes is None else folder / "modes.toml")
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
            "kinds.toml, line 2: kinds.check.zh is missing: a kind has a Chinese and an English name",
        ),
        ('"hand"', '"foot"', "kinds.toml, line 5: kinds.check.start is one of hand, machine, exception"),
        ("days = 7", "days = 0", "kinds.toml, line 6: kinds.check.days is a whole number from 1 to 366"),
        ("days = 7", "days = 7.5", "kinds.toml, line 6: kinds.check.days is a whole number"),
        (
            "days = 7\n",
            "",
            "kinds.toml, line 2: kinds.check.days says how long the right lasts, in days or in hours, one of them",
        ),
        ("questions = 2", "questions = true", "kinds.toml, line 7: kinds.check.questions is a whole number"),
        ("questions", "question", "kinds.toml, line 7: kinds.check.question is not known here; check its spelling"),
        (
            '"full_name"',
            '"ful_name"',
            "kinds.toml, line 8: kinds.check.identity names ful_name, which is no field of identity; full_name?",
        ),
        (
            '"full_name"',
            '"@whom"',
            "kinds.toml, line 8: kinds.check.identity names the group @whom, which [fields] does not have",
        ),
        ('["text"]', '["postcode"]', "kinds.toml, line 9: kinds.check.addresses grants addresses without their text"),
        (
            "identity.id_number",
            "identity.sex",
            "kinds.toml, line 10: kinds.check.masks masks identity.sex, which is not a text: leave it out instead",
        ),
        (
            "identity.id_number",
            "identity.telephone",
            "kinds.toml, line 10: kinds.check.masks masks identity.telephone, which the kind does not grant",
        ),
        ('"ends" }', '"middle" }', "kinds.toml, line 10: kinds.check.masks is one of ends, last, first, all"),
        (
            "days = 7",
            'trigger = "x"\ndays = 7',
            "kinds.toml, line 6: kinds.check.trigger belongs to a kind that a machine starts, and to no other",
        ),
        ("[kinds.check]", "[kinds.Check]", "kinds.toml, line 2: kinds.Check is not an id: small letters, digits and"),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_rule(folder: Path, line: str, instead: str, message: str) -> None:
    assert line in KIND

    assert any(problem.startswith(message) for problem in problems(folder, KIND.replace(line, instead)))


def test_all_mistakes_are_reported_at_once(folder: Path) -> None:
    text = KIND.replace("days = 7", "days = 0").replace('"hand"', '"foot"')

    assert len(problems(folder, text)) == 2


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("days = 8", "modes.toml, line 3: court.浙0802.check.days is a whole number from 1 to 7"),
        ("questions = 3", "modes.toml, line 3: court.浙0802.check.questions is a whole number from 1 to 2"),
        (
            'without = ["identity.sex"]',
            "modes.toml, line 3: court.浙0802.check.without leaves out identity.sex, which the kind does not grant",
        ),
        ("identity = []", "modes.toml, line 3: court.浙0802.check.identity is not known here; check its spelling"),
    ],
)
def test_a_court_cannot_widen_a_kind(folder: Path, mode: str, message: str) -> None:
    assert problems(folder, KIND, f'\n[court."浙0802".check]\n{mode}\n') == [message]


def test_a_court_cannot_drop_the_second_person(folder: Path) -> None:
    text = KIND.replace("questions = 2", "questions = 2\nsecond_person = true")

    messages = problems(folder, text, '[court."浙0802".check]\nsecond_person = false\n')

    assert messages == [
        "modes.toml, line 2: court.浙0802.check.second_person would widen the kind: it needs a second person"
    ]


def test_a_court_restricts_a_kind_for_itself_alone(folder: Path) -> None:
    (folder / "kinds.toml").write_text(KIND, encoding="utf-8")
    (folder / "modes.toml").write_text(
        '[court."浙0802".check]\ndays = 2\nquestions = 1\nsecond_person = true\nwithout = ["addresses.text"]\n'
        'masks = { "identity.full_name" = "first" }\n',
        encoding="utf-8",
    )
    catalogue = Catalogue.load(folder / "kinds.toml", folder / "modes.toml")

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
