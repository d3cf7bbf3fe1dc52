"""
Cosigning policies: what a file may say, and when a checkpoint is cosigned well enough.
"""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.anchor.witness import with_cosignatures
from audit.format.checkpoint import Checkpoint, Cosigner
from audit.format.note import Signer
from audit.verify.cosign_policy import CosignPolicy, CosignPolicyError, Group, parse_policy

LOG = Signer("court.example/audit/1", bytes(range(32)))
WITNESSES = {f"W{n}".encode(): Cosigner(f"w{n}.example/witness", bytes([n] * 32)) for n in range(1, 6)}
NOTE = LOG.sign(Checkpoint(LOG.vkey.name, 7, bytes(32)).text()).encode()
TEXT = Checkpoint(LOG.vkey.name, 7, bytes(32)).text()


def lines(*more: str) -> bytes:
    """A policy with one log, five witnesses and these further lines."""
    named = [f"witness {name.decode()} {witness.vkey.encode()}" for name, witness in WITNESSES.items()]
    return "\n".join([f"log {LOG.vkey.encode()}", *named, *more, ""]).encode()


def cosigned(*names: bytes) -> bytes:
    """The checkpoint with these witnesses' lines."""
    return with_cosignatures(NOTE, [WITNESSES[name].cosign(TEXT, 1).line().encode() for name in names])


def test_groups_of_groups_are_counted_as_the_file_says() -> None:
    """Two of three here, and any of two there."""
    policy = parse_policy(lines("group X 2 W1 W2 W3", "group Y any W4 W5", "group both all X Y", "quorum both"))

    assert policy.judge(cosigned(b"W1", b"W3", b"W5")) == (
        Checkpoint(LOG.vkey.name, 7, bytes(32)),
        ("w1.example/witness", "w3.example/witness", "w5.example/witness"),
    )
    for names in ((b"W1", b"W2", b"W3"), (b"W1", b"W4", b"W5"), (b"W4",), ()):
        assert policy.judge(cosigned(*names)) is None


def test_a_policy_may_ask_for_one_witness_or_for_none() -> None:
    """`quorum none` still asks for the log's own signature."""
    single, none = parse_policy(lines("quorum W2")), parse_policy(lines("quorum none"))

    assert single.judge(cosigned(b"W2")) is not None
    assert single.judge(cosigned(b"W1")) is None
    assert none.judge(NOTE) is not None
    assert none.judge(Signer(LOG.vkey.name, bytes(32)).sign(TEXT).encode()) is None
    assert none.judge(Signer("other.example/log", bytes(32)).sign(TEXT).encode()) is None


def test_cosignatures_do_not_stand_in_for_the_logs_own_signature() -> None:
    """Even if every witness has signed."""
    forged = Signer(LOG.vkey.name, bytes(32)).sign(TEXT).encode()
    everyone = [witness.cosign(TEXT, 1).line().encode() for witness in WITNESSES.values()]

    assert parse_policy(lines("quorum W1")).judge(with_cosignatures(forged, everyone)) is None


def test_a_policy_without_logs_judges_the_log_that_is_known_otherwise() -> None:
    """The key comes from the context."""
    policy = parse_policy(f"witness W1 {WITNESSES[b'W1'].vkey.encode()}\nquorum W1\n".encode())

    assert policy.judge(cosigned(b"W1")) is None
    assert policy.judge(cosigned(b"W1"), [LOG.vkey]) is not None


def test_comments_tabs_empty_lines_addresses_and_foreign_octets_are_fine() -> None:
    """Names are octets: two spellings of one letter are two names."""
    vkeys = [witness.vkey.encode().encode() for witness in WITNESSES.values()]
    policy = parse_policy(
        b"\n  # \xe6\xb3\x95\n\twitness\tK  "
        + vkeys[0]
        + b" \t\nwitness \xe2\x84\xaa "
        + vkeys[1]
        + b" https://w2.example\n"
        b"log " + LOG.vkey.encode().encode() + b" https://court.example\ngroup g any K \xe2\x84\xaa\n quorum g"
    )

    assert policy.groups == {b"g": Group(1, (b"K", b"\xe2\x84\xaa"))}
    assert len(policy.logs) == 1


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ((), "no quorum line"),
        (("quorum none", "quorum none"), "a second quorum line"),
        (("quorum missing",), "not defined on an earlier line"),
        (("quorum later", "group later any W1"), "not defined on an earlier line"),
        (("group none any W1", "quorum none"), "none is no name"),
        (("group g any none", "quorum g"), "a member is not defined"),
        (("group g any g", "quorum g"), "a member is not defined"),
        (("group W1 any W2", "quorum none"), "defined already"),
        (("group g any W1 W1", "quorum g"), "belongs to a group already"),
        (("group g any W1", "group h any W1", "quorum g"), "belongs to a group already"),
        (("group g 3 W1 W2", "quorum g"), "threshold"),
        (("group g 0 W1 W2", "quorum g"), "threshold"),
        (("group g 01 W1 W2", "quorum g"), "threshold"),
        (("group g some W1 W2", "quorum g"), "threshold"),
        (("group g any", "quorum g"), "right form"),
        (("quorum W1 W2",), "right form"),
        (("watcher W9 key", "quorum none"), "right form"),
        ((f"log {LOG.vkey.encode()}", "quorum none"), "this log key stands"),
        ((f"log {Signer('other.example', bytes(range(32))).vkey.encode()}", "quorum none"), "this log key stands"),
        ((f"witness again {WITNESSES[b'W1'].vkey.encode()}", "quorum none"), "this witness key stands"),
        ((f"witness log {LOG.vkey.encode()}", "quorum none"), "not an Ed25519 cosignature key"),
        ((f"log {WITNESSES[b'W1'].vkey.encode()}", "quorum none"), "not an Ed25519 log key"),
        (("quorum none\r",), "control character"),
    ],
)
def test_a_broken_policy_rule_is_refused_with_its_line(more: tuple[str, ...], rule: str) -> None:
    """And never half understood."""
    with pytest.raises(CosignPolicyError, match=rule):
        parse_policy(lines(*more))


NAMES = st.lists(st.sampled_from([*WITNESSES]), unique=True)


@st.composite
def policies(draw: st.DrawFn) -> CosignPolicy:
    """Any policy over the five witnesses: groups of what no group holds yet."""
    free, groups = list(WITNESSES), dict[bytes, Group]()
    for number in range(draw(st.integers(0, 4))):
        members = draw(st.lists(st.sampled_from(free), unique=True, min_size=1)) if free else []
        if members:
            name = b"g%d" % number
            groups[name] = Group(draw(st.integers(1, len(members))), tuple(members))
            free = [member for member in free if member not in members] + [name]
    quorum = draw(st.sampled_from([None, *WITNESSES, *groups]))
    return CosignPolicy((LOG.vkey,), {name: witness.vkey for name, witness in WITNESSES.items()}, groups, quorum)


def written(policy: CosignPolicy) -> bytes:
    """The policy as a file."""
    groups = [
        b" ".join([b"group", name, b"%d" % group.k, *group.members]).decode() for name, group in policy.groups.items()
    ]
    return lines(*groups, f"quorum {(policy.quorum or b'none').decode()}")


def reached(policy: CosignPolicy, name: bytes, cosigners: list[bytes]) -> bool:
    """By recursion, from the quorum downward."""
    group = policy.groups.get(name)
    if group is None:
        return name in cosigners
    return sum(reached(policy, member, cosigners) for member in group.members) >= group.k


@given(policies(), NAMES)
def test_every_policy_is_parsed_back_and_counts_as_defined(policy: CosignPolicy, cosigners: list[bytes]) -> None:
    """Against a recursion that knows nothing of the parser."""
    read = parse_policy(written(policy))

    assert read == policy
    assert read.is_met(cosigners) is (policy.quorum is None or reached(policy, policy.quorum, cosigners))


@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [b"log", b"witness", b"group", b"quorum", b"any", b"none", b"W1", b"2", b" ", b"\n", b"\t", b"#"]
        )
    ).map(b"".join)
)
def test_no_file_whatsoever_fails_in_another_way(encoded: bytes) -> None:
    """Read, or refused as a policy."""
    with contextlib.suppress(CosignPolicyError):
        parse_policy(encoded)
