"""
Template environments: one for each language, strict about undefined names, escaping everything.
"""

from functools import cache, partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.web import assets, i18n
from gateway.web.i18n import Language, translations

TEMPLATES: Final = Path(__file__).parent / "templates"


def make_environment() -> Environment:
    """An environment without a language."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )


@cache
def environment(language: Language) -> Environment:
    """
    The environment of a language.  Filters: `word` (an entry of a closed table), `moment`, `clock`, `day`,
    `value` (any value of an answer).
    """
    made = make_environment()
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "word": partial(i18n.word, language),
        "moment": partial(i18n.moment, language),
        "clock": partial(i18n.clock, language),
        "day": partial(i18n.day, language),
        "value": partial(i18n.value, language),
    }
    made.globals |= {"asset": assets.address, "language": language}
    return made
