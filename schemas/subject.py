"""
Subject of a lookup, and the official on whose behalf it is asked.
"""

from dataclasses import dataclass

from schemas.codes import IdType, SubjectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    A party as agencies are asked about it: a checked, normalized identifier and, where known, the name.

    Every field is personal data: `repr` shows none of it.
    """

    kind: SubjectKind
    id_type: IdType
    id_number: str
    name: str | None = None
    country: str | None = None

    def __repr__(self) -> str:
        return f"Subject(kind={self.kind.value}, id_type={self.id_type.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """
    The acting official, whose own identity most agencies demand with every question.

    `unit_code` is the unified social credit code of the court.  Personal data: `repr` shows none of it.
    """

    user: str
    name: str
    id_number: str
    unit_code: str
    unit_name: str
    terminal: str

    def __repr__(self) -> str:
        return "Official(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """
    The task for which a question is asked: the work order, its kind, the case and the court.
    """

    work_order: str
    kind: str
    case_number: str | None
    court: str
