"""
Cosigning policies (C2SP tlog-policy, draft): which logs, which witnesses, and how many of them must have cosigned.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member>...
    quorum <name>|none

A file of octets.  Names are opaque, defined before their use, and a member of at most one group, so that a witness
counts once.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from audit.format.checkpoint import Checkpoint, WitnessKey, open_checkpoint
from audit.format.note import NoteError, VerifierKey
from audit.verify.findings import Damage, Finding, VerificationReport

NONE = b"none"
_FOREIGN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_BLANK = re.compile(rb"[ \t]+")
_K = re.compile(rb"[1-9][0-9]{0,8}")


class CosignPolicyError(ValueError):
    """Not a policy; the text names the line and the rule."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group is met when at least `k` of its members are."""

    k: int
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class CosignPolicy:
    """A cosigning policy.  `quorum` names a witness or a group; None demands no cosignature."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[bytes, WitnessKey]
    groups: Mapping[bytes, Group]
    quorum: bytes | None

    def is_met(self, cosigned: Collection[bytes]) -> bool:
        """Whether cosignatures of the witnesses with these names make the quorum."""
        if self.quorum is None:
            return True
        # A group stands after its members in the file, so one pass is enough.
        true = set(cosigned) & set(self.witnesses)
        for name, group in self.groups.items():
            if sum(member in true for member in group.members) >= group.k:
                true.add(name)
        return self.quorum in true

    def judge(self, note: bytes, known: Collection[VerifierKey] = ()) -> tuple[Checkpoint, tuple[str, ...]] | None:
        """
        The checkpoint in a note and the key names of its cosigners, if log and quorum have signed it; else None.

        The log is one of the policy's, or of `known` where the policy names none.
        """
        for log in self.logs or known:
            try:
                checkpoint, opened = open_checkpoint(note, log.name, [log, *self.witnesses.values()])
            except NoteError:
                continue
            signed = {(signature.name, signature.key_id) for signature in opened.signatures}
            cosigned = [name for name, key in self.witnesses.items() if (key.name, key.key_id) in signed]
            if (log.name, log.key_id) in signed and self.is_met(cosigned):
                return checkpoint, tuple(sorted(self.witnesses[name].name for name in cosigned))
        return None


def parse_policy(encoded: bytes) -> CosignPolicy:
    """Reads a policy file.  Raises `CosignPolicyError`."""
    if _FOREIGN.search(encoded):
        raise CosignPolicyError("could not read the policy: it holds a control character other than tab and newline")
    reading = _PolicyParser()
    for number, line in enumerate(encoded.split(b"\n"), 1):
        items = [item for item in _BLANK.split(line) if item]
        if not items or items[0].startswith(b"#"):
            continue
        wrong = reading.take(items)
        if wrong:
            raise CosignPolicyError(f"could not read the policy: line {number}: {wrong}")
    if reading.quorum is None:
        raise CosignPolicyError("could not read the policy: it has no quorum line")
    quorum = None if reading.quorum == NONE else reading.quorum
    return CosignPolicy(tuple(reading.logs), reading.witnesses, reading.groups, quorum)


@dataclass(slots=True)
class _PolicyParser:
    """The parser's state; every method returns what is wrong with its line, or an empty text."""

    logs: list[VerifierKey] = field(default_factory=list)
    witnesses: dict[bytes, WitnessKey] = field(default_factory=dict)
    groups: dict[bytes, Group] = field(default_factory=dict)
    members: set[bytes] = field(default_factory=set)
    quorum: bytes | None = None

    def take(self, items: list[bytes]) -> str:
        match items:
            case [b"log", vkey] | [b"log", vkey, _]:
                return self._log(vkey)
            case [b"witness", name, vkey] | [b"witness", name, vkey, _]:
                return self._name(name) or self._witness(name, vkey)
            case [b"group", name, threshold, *members] if members:
                return self._name(name) or self._group(name, threshold, tuple(members))
            case [b"quorum", name]:
                return self._quorum(name)
        return "not a log, witness, group or quorum line of the right form"

    def _name(self, name: bytes) -> str:
        if name == NONE:
            return "none is no name of a witness or group"
        return "this name is defined already" if self._is_defined(name) else ""

    def _log(self, vkey: bytes) -> str:
        try:
            key = VerifierKey.parse(vkey.decode())
        except (NoteError, UnicodeDecodeError):
            return "not an Ed25519 log key"
        if any(key.public == log.public for log in self.logs):
            return "this log key stands on an earlier line"
        self.logs.append(key)
        return ""

    def _witness(self, name: bytes, vkey: bytes) -> str:
        try:
            key = WitnessKey.parse(vkey.decode())
        except (NoteError, UnicodeDecodeError):
            return "not an Ed25519 cosignature key"
        if any(key.public == witness.public for witness in self.witnesses.values()):
            return "this witness key stands on an earlier line"
        self.witnesses[name] = key
        return ""

    def _group(self, name: bytes, threshold: bytes, members: tuple[bytes, ...]) -> str:
        if not all(map(self._is_defined, members)):
            return "a member is not defined on an earlier line"
        if len(set(members)) != len(members) or not self.members.isdisjoint(members):
            return "a member belongs to a group already"
        words = {b"any": 1, b"all": len(members)}
        k = words.get(threshold) or (int(threshold) if _K.fullmatch(threshold) else 0)
        if not 1 <= k <= len(members):
            return "the threshold is neither all, any, nor a number from 1 to the number of members"
        self.members.update(members)
        self.groups[name] = Group(k, members)
        return ""

    def _quorum(self, name: bytes) -> str:
        if self.quorum is not None:
            return "a second quorum line"
        if name != NONE and not self._is_defined(name):
            return "the quorum is not defined on an earlier line"
        self.quorum = name
        return ""

    def _is_defined(self, name: bytes) -> bool:
        return name in self.witnesses or name in self.groups


def weigh(
    report: VerificationReport, policy: CosignPolicy, known: Collection[VerifierKey], notes: Iterable[bytes]
) -> None:
    """
    Adds the newest checkpoint of the verified history that the policy accepts to a report.

    `notes` must be among the checkpoints that the report was made against, or they might be of another history.
    """
    judged = [verdict for note in notes if note and (verdict := policy.judge(note, known))]
    if not judged:
        report.findings.append(Finding(Damage.POLICY))
        return
    checkpoint, cosigners = max(judged, key=lambda verdict: verdict[0].size)
    who = ", ".join(cosigners) or "no witness, which it allows"
    report.checked.append(f"the policy is met by the checkpoint of size {checkpoint.size}, cosigned by {who}")
