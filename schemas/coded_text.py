"""
A word of a closed table with its sentence in both languages, so that a reader of the JSON needs no table of ours.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from schemas.codes import Code

C = TypeVar("C", bound=Code)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedText(Generic[C]):
    """One thing that the hub has to say: the stable word, and the sentence that a page or a print-out shows."""

    code: C
    zh: str
    en: str


# Typed: two tables may share a word, and members of both are then equal as text.
@lru_cache(maxsize=None, typed=True)
def coded_text(code: C) -> CodedText[C]:
    """The remark of one word."""
    return CodedText(code=code, zh=code.zh, en=code.en)
