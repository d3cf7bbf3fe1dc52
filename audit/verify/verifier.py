"""
The verifier: recomputes a log from its entries and compares it with its stored hashes and signed checkpoints.

A `LogSource` gives them, from an exported directory (`audit.verify.directory_source`) or from a database
(`audit.verify.database_source`).  Damage is reported by entry, or by the smallest range that the stored hashes allow
(`audit.verify.damage_locator`).
"""

from collections.abc import Collection, Iterable, Sequence

from audit.format.checkpoint import Checkpoint, open_checkpoint
from audit.format.note import NoteError, Verifier
from audit.format.tree import EMPTY_ROOT
from audit.verify.damage_locator import altered_tiles, locate
from audit.verify.findings import Damage, Finding, VerificationReport, VerificationVerdict
from audit.verify.recomputation import LogSource, Progress, Recomputed

__all__ = ["Damage", "Finding", "LogSource", "Progress", "VerificationReport", "VerificationVerdict", "verify"]

# Damage to entries, after which it is unknown whether an older checkpoint belongs to this history.
_EXPLAINS = {Damage.ENTRY, Damage.MISSING, Damage.RANGE}


def verify(
    source: LogSource,
    origin: str,
    keys: Collection[Verifier],
    *,
    against: Iterable[bytes] = (),
    progress: Progress | None = None,
) -> VerificationReport:
    """
    Verifies a whole log against its checkpoint, and against older checkpoints of the same log (`against`).

    Every checkpoint must be signed by one of `keys`.  Raises nothing for damage: it is in the report.
    """
    report = VerificationReport(origin)
    checkpoint = _checkpoint(source.checkpoint(), origin, keys, report)
    if checkpoint is None:
        report.unchecked.append("everything: without a checkpoint there is nothing to compare with")
        return report
    report.size, report.root = checkpoint.size, checkpoint.root
    # Two of one size both count: a log that signed two roots for one size has contradicted itself.
    older = sorted(
        {signed for old in against if (signed := _checkpoint(old, origin, keys, report))},
        key=lambda known: (known.size, known.root),
    )
    derived = Recomputed(source, checkpoint.size, sorted({known.size for known in older}), progress)
    report.tree = derived.range
    report.checked.append(f"{checkpoint.size} entries hashed, {derived.tiles} hash tiles compared")
    if derived.range.root() != checkpoint.root or derived.unread:
        confirmed = max((known.size for known in older if derived.roots.get(known.size) == known.root), default=0)
        report.findings += locate(derived, checkpoint.root, confirmed)
    report.findings += altered_tiles(derived, report.findings)
    _compare_older(derived, older, checkpoint, report)
    return report


def _compare_older(
    derived: Recomputed, older: Sequence[Checkpoint], newest: Checkpoint, report: VerificationReport
) -> None:
    good = 0
    damaged = [finding.first for finding in report.findings if finding.damage in _EXPLAINS]
    first_damage = min((first for first in damaged if first is not None), default=newest.size)
    for known in older:
        if known.size > newest.size:
            report.findings.append(Finding(Damage.SHORTENED, newest.size, known.size - 1))
            return
        if derived.roots.get(known.size, EMPTY_ROOT) != known.root:
            if first_damage < known.size:
                report.unchecked.append(f"checkpoints of {known.size} entries and more: the damage is below them")
                return
            report.findings.append(Finding(Damage.REWRITTEN, good, known.size - 1))
            return
        good = known.size
    if older:
        report.checked.append(f"{len(older)} older checkpoints, the newest of size {good}: all of this same history")
    else:
        report.unchecked.append(
            "whether entries were cut from the end, or the whole history replaced by who holds the key: "
            "give a checkpoint that was kept elsewhere (--against)"
        )


def _checkpoint(note: bytes, origin: str, keys: Collection[Verifier], report: VerificationReport) -> Checkpoint | None:
    try:
        return open_checkpoint(note, origin, keys)[0]
    except NoteError as error:
        report.findings.append(Finding(Damage.CHECKPOINT, where=str(error)))
        return None
