"""
A checked identifier of any kind, its equality and its mask.
"""

from dataclasses import dataclass, field

from schemas.codes import IdType
from schemas.identifiers.errors import IdentifierWarning

_BULLETS = "•" * 10


@dataclass(frozen=True, slots=True)
class Findings:
    """The findings of a check that passed: warnings, and other spellings of the same number."""

    warnings: tuple[IdentifierWarning, ...] = ()
    equivalents: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """
    An identifier that has passed every hard check of its stated kind.

    `value` is normalized and `as_written` is what the caller wrote.  `country` is the alpha-3 code of a travel
    paper's issuer and None for every other kind.  `equivalents` are other spellings of the same number, the one in
    use today first.  Everything but kind and warnings is personal data: `repr` shows none of it.
    """

    id_type: IdType
    value: str = field(repr=False)
    as_written: str = field(repr=False, compare=False)
    country: str | None = field(default=None, repr=False)
    warnings: tuple[IdentifierWarning, ...] = ()
    equivalents: tuple[str, ...] = field(default=(), repr=False)

    @property
    def canonical_value(self) -> str:
        """The spelling that agencies are asked with: for a 15-digit number, its upgrade to 18."""
        return self.equivalents[0] if self.equivalents else self.value


def same_identifier(first: Identifier, second: Identifier) -> bool:
    """
    Whether two identifiers are the same number of the same kind, a 15-digit number and its upgrade included.

    They need not be the same person: two people on one number have existed.
    """
    return (first.id_type, first.country, first.canonical_value) == (
        second.id_type,
        second.country,
        second.canonical_value,
    )


def masked(identifier: Identifier | str) -> str:
    """
    The masked identifier: at most four characters at each end, never more than half, and always ten bullets, so that
    the mask does not tell the length.  Takes plain text too, for numbers in a register that are not well formed.
    """
    text = identifier.value if isinstance(identifier, Identifier) else identifier
    edge = min(4, len(text) // 4)
    return text[:edge] + _BULLETS + text[len(text) - edge :]
