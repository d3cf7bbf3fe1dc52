"""
A code with its text in both languages, so that a reader of the JSON needs no table of the hub.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from schemas.codes import Code

C = TypeVar("C", bound=Code)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedText(Generic[C]):
    """A stable code, and the sentence that pages and print-outs show for it."""

    code: C
    zh: str
    en: str


# Typed: two tables may share a code, and members of both are then equal as text.
@lru_cache(maxsize=None, typed=True)
def coded_text(code: C) -> CodedText[C]:
    """The text of a code."""
    return CodedText(code=code, zh=code.zh, en=code.en)
