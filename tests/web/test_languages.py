"""
The pages are complete in both languages, and every area says the same thing in the same words.
"""

import re
from collections.abc import Iterator

import pytest
from jinja2.ext import babel_extract

from gateway.access.catalogue.fields import FIELDS
from gateway.web.clerk.labels import FIELD_NAMES
from gateway.web.i18n import Language, catalogues, chosen
from gateway.web.templating import TEMPLATES

PLACE = re.compile(r"%\((\w+)\)s")
OPTIONS = {"extensions": "jinja2.ext.do", "silent": "false", "newstyle_gettext": "true"}


def ids() -> Iterator[str]:
    """Every sentence that a template says."""
    for path in TEMPLATES.rglob("*.html"):
        with path.open("rb") as file:
            for _, _, sentence, _ in babel_extract(file, ["_", "gettext", "ngettext"], [], OPTIONS):
                yield sentence if isinstance(sentence, str) else sentence[0]


def test_every_sentence_is_there_in_chinese_and_none_is_left_over() -> None:
    """No empty one, no fuzzy one; a sentence that no page says any more is taken out."""
    known = {message.id: message for _, catalog in catalogues() for message in catalog if message.id}
    sentences = set(ids())

    assert sentences - {key if isinstance(key, str) else key[0] for key in known} == set()
    assert [message.id for message in known.values() if not message.string or message.fuzzy] == []
    assert {key for name, catalog in catalogues() if name in {"clerk.zh_CN", "common.zh_CN"} for key in [
        message.id for message in catalog if message.id
    ]} - sentences == set()  # fmt: skip


def test_a_translation_has_the_places_of_its_sentence() -> None:
    """And two areas never say one sentence in two ways."""
    translations: dict[str, str] = {}
    for _, catalog in catalogues():
        for message in catalog:
            if isinstance(message.id, str) and message.id and isinstance(message.string, str):
                assert set(PLACE.findall(message.id)) == set(PLACE.findall(message.string)), message.id
                assert translations.setdefault(message.id, message.string) == message.string, message.id


def test_every_field_that_can_be_released_has_a_name() -> None:
    """A field that is added to the vocabulary is named before it is shown."""
    assert set(FIELD_NAMES) == {f"{want}.{name}" for want, names in FIELDS.items() for name in names}


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", Language.ZH),
        (None, "de-DE,de;q=0.9", Language.ZH),
        (None, "en-US,en;q=0.9,zh;q=0.8", Language.EN),
        ("zh", "en-US", Language.ZH),
        ("klingon", "en", Language.EN),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers_else_chinese(
    cookie: str | None, accepted: str, language: Language
) -> None:
    """The first preference that the pages speak."""
    assert chosen(cookie, accepted) is language
