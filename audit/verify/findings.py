"""
Findings of a verification: kinds of damage, their place, and the verdict.  Pure.
"""

from dataclasses import dataclass, field
from enum import Enum

from audit.format.tree import CompactRange


class VerificationVerdict(Enum):
    """The answer of a verification, and the exit code of the command."""

    INTACT = 0
    ALTERED = 1
    CANNOT_SAY = 2


class Damage(Enum):
    """A kind of damage."""

    ENTRY = "altered"
    MISSING = "missing or unreadable"
    RANGE = "altered, in stored hashes too, somewhere among"
    TILE = "stored hashes altered, entries fine"
    CHECKPOINT = "checkpoint not signed by the key that was given"
    REPLACED = "entries and hashes agree with each other, but not with the signed checkpoint"
    REWRITTEN = "history differs from an older checkpoint"
    SHORTENED = "an older checkpoint covers more entries than there are"
    HEAD = "the head of the log is not what follows from its entries and its checkpoint"
    SEALED = "sealed values altered or missing"
    INDEX = "search index wrong"
    UNPAIRED = "outcome without an intent"
    POLICY = "no checkpoint is cosigned as the policy asks"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of damage; entries `first` … `last` where they are known."""

    damage: Damage
    first: int | None = None
    last: int | None = None
    where: str = ""

    def __str__(self) -> str:
        if self.first is None:
            place = ""
        elif self.first == self.last:
            place = f"entry {self.first}: "
        else:
            place = f"entries {self.first} to {self.last}: "
        return f"{place}{self.damage.value}{f' ({self.where})' if self.where else ''}"


@dataclass(slots=True)
class VerificationReport:
    """
    The verified log, the findings, and what was and was not checked.
    """

    origin: str
    size: int = 0
    root: bytes = b""
    tree: CompactRange = field(default_factory=CompactRange)
    findings: list[Finding] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> VerificationVerdict:
        """Intact only if a signed checkpoint was there and everything agrees with it."""
        if any(finding.damage not in {Damage.CHECKPOINT, Damage.POLICY} for finding in self.findings):
            return VerificationVerdict.ALTERED
        return VerificationVerdict.CANNOT_SAY if self.findings or not self.root else VerificationVerdict.INTACT

    def last_line(self) -> str:
        """The answer in one line."""
        if self.verdict is VerificationVerdict.INTACT:
            return f"intact: {self.size} entries, all as signed"
        first = self.findings[0] if self.findings else "no checkpoint"
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        return f"{'ALTERED' if self.verdict is VerificationVerdict.ALTERED else 'cannot say'}: {first}{more}"
