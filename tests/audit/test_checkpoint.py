"""
Checkpoints and cosignatures, in the exact shape of their specifications.
"""

import base64

import pytest

from audit.format.checkpoint import Checkpoint, Cosigner, WitnessKey, cosigned_at, open_checkpoint, parse_size
from audit.format.note import NoteError, Signer, open_note, parse_key
from audit.format.tree import EMPTY_ROOT

ORIGIN = "shuniu.example/audit/1"
LOG = Signer(ORIGIN, bytes(range(32)))
ROOT = base64.b64encode(bytes(32)).decode()
# transparency-dev/formats: a verifier key of a cosigner, type byte 4.
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, decimal size, base64 root; the empty tree has its known root."""
    text = Checkpoint(ORIGIN, 0, EMPTY_ROOT).text()

    assert text == f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert Checkpoint.parse(text) == Checkpoint(ORIGIN, 0, EMPTY_ROOT)


def test_extension_lines_are_preserved_and_signed() -> None:
    """We write none, and understand those of others."""
    text = f"{ORIGIN}\n7\n{ROOT}\nan extension\n"
    assert Checkpoint.parse(text) == Checkpoint(ORIGIN, 7, bytes(32), ("an extension",))
    assert Checkpoint.parse(text).text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{ORIGIN}\n7\n",
        f"{ORIGIN}\n7\n{ROOT}",
        f"\n7\n{ROOT}\n",
        f"{ORIGIN}\n07\n{ROOT}\n",
        f"{ORIGIN}\n-7\n{ROOT}\n",
        f"{ORIGIN}\n+7\n{ROOT}\n",
        f"{ORIGIN}\n7 \n{ROOT}\n",
        f"{ORIGIN}\n٧\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 20}\n{ROOT}\n",
        f"{ORIGIN}\n7\n{ROOT[:-4]}\n",
        f"{ORIGIN}\n7\n{ROOT}\n\n",
        f"with space\n7\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    """One spelling for one meaning."""
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_another_logs_checkpoint_is_refused_even_with_a_known_signature() -> None:
    """The origin is part of what is checked."""
    note = LOG.sign(Checkpoint("other.example", 1, bytes(32)).text()).encode()
    with pytest.raises(NoteError, match="another log"):
        open_checkpoint(note, ORIGIN, [LOG.vkey])


def test_a_cosignature_carries_its_time_and_covers_the_checkpoint() -> None:
    """Time, origin, size and root are all signed; the wrong key or text does not verify."""
    cosigner = Cosigner("witness.example", bytes([9] * 32))
    body = Checkpoint(ORIGIN, 5, bytes(32)).text()
    signature = cosigner.cosign(body, 1_790_000_000)
    note = LOG.sign(body)
    both = type(note)(note.text, (*note.signatures, signature))

    assert cosigned_at(signature) == 1_790_000_000
    assert len(open_note(both.encode(), [LOG.vkey, cosigner.vkey]).signatures) == 2
    assert not cosigner.vkey.check(Checkpoint(ORIGIN, 6, bytes(32)).text(), signature.payload)
    later = (1_790_000_001).to_bytes(8) + signature.payload[8:]
    assert not cosigner.vkey.check(body, later)
    assert not cosigner.vkey.check(body, b"\xff" * 72)


def test_reads_and_writes_the_keys_of_other_witnesses() -> None:
    """Type byte 4; a log's key is not a witness's."""
    assert WitnessKey.parse(REMORA).encode() == REMORA
    assert parse_key(REMORA)[1] == 4
    with pytest.raises(NoteError):
        WitnessKey.parse(LOG.vkey.encode())


def test_sizes_are_plain_decimal() -> None:
    """Zero is the one number that begins with a zero."""
    assert (parse_size("0"), parse_size("70000")) == (0, 70_000)
    for text in ("", "00", "1.0", "1e3", " 1"):
        with pytest.raises(NoteError):
            parse_size(text)
