"""
The languages of the pages: Chinese first, English complete.  Message ids are the English sentences.

Every area has its own catalogue in `locale/`; they are merged on first use.  Entries of closed tables (`Code`,
`CodedText`, `Rule`) carry both languages themselves and stand in no catalogue.
"""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Protocol

from babel.dates import format_date, format_datetime, format_time
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from schemas.china_time import CHINA, day_in_china
from schemas.codes import Code

LOCALE: Final = Path(__file__).parent / "locale"


class Language(StrEnum):
    """A language of the pages, by its value in the cookie."""

    ZH = "zh"
    EN = "en"

    @property
    def tag(self) -> str:
        """The value of the `lang` attribute."""
        return "zh-CN" if self is Language.ZH else "en"

    @property
    def other(self) -> "Language":
        """The other language."""
        return Language.EN if self is Language.ZH else Language.ZH

    @property
    def locale(self) -> str:
        """Babel's name of it."""
        return "zh_Hans_CN" if self is Language.ZH else "en_GB"


class Bilingual(Protocol):
    """A text in both languages."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


def chosen(cookie: str | None, accepted: str) -> Language:
    """
    The reader's language: their choice, else that of their browser, else Chinese.
    """
    if cookie in set(Language):
        return Language(cookie)
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower()
        language = next((language for language in Language if tag.partition("-")[0] == language.value), None)
        if language is not None:
            return language
    return Language.ZH


def catalogues() -> Iterator[tuple[str, Catalog]]:
    """The Chinese catalogue of every area, by name."""
    for path in sorted(LOCALE.glob("*.po")):
        with path.open("rb") as file:
            yield path.stem, read_po(file, locale="zh_CN", abort_invalid=True)


@cache
def translations(language: Language) -> NullTranslations:
    """The texts of a language, all areas together."""
    if language is Language.EN:
        return NullTranslations()
    merged = Translations()
    for _, catalog in catalogues():
        packed = BytesIO()
        write_mo(packed, catalog)
        packed.seek(0)
        merged.merge(Translations(packed))
    return merged


def word(language: Language, text: Bilingual | None) -> str:
    """The label of an entry of a closed table."""
    if text is None:
        return ""
    return text.zh if language is Language.ZH else text.en


def moment(language: Language, at: datetime) -> str:
    """A point in time, in China's time."""
    # Babel writes English dates the British way; the seconds matter in a record.
    form = "yyyy年M月d日 HH:mm:ss" if language is Language.ZH else "d MMM yyyy, HH:mm:ss"
    return format_datetime(at.astimezone(CHINA), form, locale=language.locale)


def clock(language: Language, at: datetime) -> str:
    """The time of a day, in China's time."""
    return format_time(at.astimezone(CHINA), "HH:mm:ss", locale=language.locale)


def day(language: Language, at: date) -> str:
    """The day of a moment in China; a day is itself."""
    form = "yyyy年M月d日" if language is Language.ZH else "d MMM yyyy"
    return format_date(day_in_china(at), form, locale=language.locale)


def value(language: Language, content: object) -> str:
    """A value of an answer as text: a label or several, a day, yes or no, or the text itself."""
    if isinstance(content, bool):
        return {Language.ZH: ("否", "是"), Language.EN: ("No", "Yes")}[language][content]
    if isinstance(content, tuple):
        return {Language.ZH: "、", Language.EN: ", "}[language].join(value(language, part) for part in content)
    if isinstance(content, Code):
        return word(language, content)
    return day(language, content) if isinstance(content, date) else str(content)
