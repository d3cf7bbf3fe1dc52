"""
Signed notes: the specification's example, the Go implementation's, and everything that a parser must refuse.
"""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.format import note
from audit.format.note import NoteError, Signer, VerifierKey, open_note, parse

# The example in C2SP signed-note.md.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example in the documentation of golang.org/x/mod/sumdb/note, with its private key and a second signature.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

OURS = Signer("log.example/audit", bytes(32))


def test_opens_the_example_of_the_specification() -> None:
    """Verifier key and note as printed there, byte for byte both ways."""
    key = VerifierKey.parse(SPEC_KEY)
    opened = open_note(SPEC_NOTE.encode(), [key])

    assert key.encode() == SPEC_KEY
    assert opened.text == "This is an example message.\n"
    assert opened.encode() == SPEC_NOTE.encode()


def test_signatures_equal_those_of_the_go_implementation() -> None:
    """Ed25519 is deterministic: the same key and text give the same note."""
    signed = Signer("PeterNeumann", GO_SEED).sign(GO_TEXT)

    assert signed.encode().decode() == f"{GO_TEXT}\n{GO_LINE}"
    assert Signer("PeterNeumann", GO_SEED).vkey.encode() == GO_KEY


def test_opens_a_note_with_two_signatures_by_either_key() -> None:
    """The signature of an unknown key is neither in the way nor in the result."""
    encoded = f"{GO_TEXT}\n{GO_LINE}{ENOCH_LINE}".encode()

    for keys, names in (([GO_KEY], ["PeterNeumann"]), ([ENOCH_KEY, GO_KEY], ["PeterNeumann", "EnochRoot"])):
        opened = open_note(encoded, [VerifierKey.parse(key) for key in keys])
        assert [signature.name for signature in opened.signatures] == names


def test_a_wrong_signature_of_a_known_key_spoils_the_whole_note() -> None:
    """Even beside a right one."""
    wrong = GO_LINE.replace("x08go/Z", "x08go/Y")
    with pytest.raises(NoteError, match="wrong"):
        open_note(f"{GO_TEXT}\n{wrong}{ENOCH_LINE}".encode(), [VerifierKey.parse(GO_KEY), VerifierKey.parse(ENOCH_KEY)])


def test_a_name_or_a_key_id_alone_does_not_make_a_key_known() -> None:
    """Another log's name with our key id, and our name with another key id, are both unknown."""
    stranger = Signer("other.example/audit", bytes([7] * 32)).sign("text\n").signatures[0]
    ours = OURS.vkey
    for name, key_id in ((ours.name, stranger.key_id), (stranger.name, ours.key_id)):
        mixed = note.Note("text\n", (note.Signature(name, key_id, stranger.payload),))
        with pytest.raises(NoteError, match="no known key"):
            open_note(mixed.encode(), [ours])


def test_splits_at_the_last_empty_line() -> None:
    """The text itself may hold empty lines, and lines that look like signatures."""
    text = "first\n\n— not a signature\n\nlast\n"
    assert open_note(OURS.sign(text).encode(), [OURS.vkey]).text == text


def test_takes_sixteen_signatures_and_more() -> None:
    """As the specification demands, below a bound of our own."""
    lines = "".join(Signer(f"s{n}.example", bytes([n] * 32)).sign("t\n").signatures[0].line() for n in range(16))
    assert len(parse(f"t\n\n{lines}".encode()).signatures) == 16
    with pytest.raises(NoteError, match="too many"):
        parse(f"t\n\n{lines * 7}".encode())
    with pytest.raises(NoteError, match="too long"):
        parse(b"t\n" * 600_000)


NO_BREAK_SPACE = "a\u00a0example"
LINE = "— a.example " + base64.b64encode(bytes(68)).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"text\n",
        b"text\n\n",
        f"text\n{LINE}\n".encode(),
        f"text\n\n{LINE}".encode(),
        f"text\r\n\n{LINE}\n".encode(),
        f"te\x00xt\n\n{LINE}\n".encode(),
        f"te\txt\n\n{LINE}\n".encode(),
        b"te\xffxt\n\n" + f"{LINE}\n".encode(),
        f"text\n\n{LINE} \n".encode(),
        f"text\n\n{LINE.replace('— ', '- ')}\n".encode(),
        f"text\n\n{LINE.replace('— ', '—  ')}\n".encode(),
        f"text\n\n{LINE.replace('a.example', 'a+example')}\n".encode(),
        f"text\n\n{LINE.replace('a.example', NO_BREAK_SPACE)}\n".encode(),
        f"text\n\n{LINE.rstrip('=')}\n".encode(),
        f"text\n\n{LINE[:-2]}B=\n".encode(),
        b"text\n\n\xe2\x80\x94 a.example AAAAAA==\n",
        f"text\n\n{LINE}\nmore\n".encode(),
    ],
)
def test_a_malformed_note_is_refused(encoded: bytes) -> None:
    """No guess at what it might have meant."""
    with pytest.raises(NoteError):
        parse(encoded)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY[:-4],
        SPEC_KEY.replace("+Aeky", "+Beky"),
        SPEC_KEY.replace("example.com/foo", "example.com/f oo"),
        note.encode_key("w.example", note.COSIGNATURE, bytes(32)),
    ],
)
def test_a_verifier_key_with_a_wrong_id_is_refused(text: str) -> None:
    """The key id is computed, not believed."""
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


def test_signs_only_whole_lines_under_a_usable_name() -> None:
    """A text without its last newline, or a name with a space, cannot be signed."""
    with pytest.raises(NoteError):
        OURS.sign("no newline")
    for name in ("", "with space", "with+plus"):
        with pytest.raises(NoteError):
            Signer(name, bytes(32))


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=200))
def test_a_signed_note_opens_to_the_same_text(text: str) -> None:
    """Any text of printable characters."""
    assert open_note(OURS.sign(text + "\n").encode(), [OURS.vkey]).text == text + "\n"


@given(st.data())
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    """Every bit of text and signature counts."""
    signed = bytearray(OURS.sign("shuniu.example/audit/1\n5\nAAAA\n").encode())
    signed[data.draw(st.integers(0, len(signed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NoteError):
        open_note(bytes(signed), [OURS.vkey])


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(junk: bytes) -> None:
    """The parser raises its own error or none."""
    try:
        parsed = parse(junk)
    except NoteError:
        return
    assert parsed.encode() == junk
