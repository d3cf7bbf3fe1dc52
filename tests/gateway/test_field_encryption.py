"""
The hub's own key: what it seals only it opens, and a mark says nothing without it.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import ConfigurationError
from gateway.field_encryption import DecryptionFailed, FieldEncryption

ROOT = bytes(range(32))


@given(st.text(max_size=40), st.binary(max_size=400))
def test_a_value_decrypts_in_its_context_only(context: str, value: bytes) -> None:
    """The place is part of the seal."""
    encryption = FieldEncryption(ROOT)
    sealed = encryption.seal(context, value)

    assert encryption.open(context, sealed) == value
    with pytest.raises(DecryptionFailed):
        encryption.open(context + "x", sealed)


@given(st.binary(min_size=1, max_size=60), st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_any_changed_byte_fails_to_decrypt(value: bytes, place: int, flip: int) -> None:
    """Nothing opens that is not exactly what was sealed."""
    encryption = FieldEncryption(ROOT)
    sealed = bytearray(encryption.seal("here", value))
    sealed[place % len(sealed)] ^= flip

    with pytest.raises(DecryptionFailed):
        encryption.open("here", bytes(sealed))


def test_blind_indexes_are_equal_for_equal_identifiers_kinds_and_keys() -> None:
    """Another kind, another number or another key: another mark."""
    encryption = FieldEncryption(ROOT)
    mark = encryption.blind_index("resident_id", "330802199003071239")

    assert mark == FieldEncryption(ROOT).blind_index("resident_id", "330802199003071239")
    assert (
        len(
            {
                mark,
                encryption.blind_index("uscc", "330802199003071239"),
                encryption.blind_index("resident_id", "33080219900307005X"),
            }
        )
        == 3
    )
    assert mark != FieldEncryption(ROOT[::-1]).blind_index("resident_id", "330802199003071239")


def test_a_key_file_is_created_once_and_private(folder: Path) -> None:
    """A second making is refused; a key that others can read is refused with the command that mends it."""
    path = folder / "keys" / "hub.key"
    FieldEncryption.create(path)
    FieldEncryption.load(path)

    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        FieldEncryption.create(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        FieldEncryption.load(path)


def test_a_missing_or_short_key_is_reported_with_the_next_step(folder: Path) -> None:
    """The sentence holds the next step."""
    with pytest.raises(ConfigurationError, match="shuniu init"):
        FieldEncryption.load(folder / "hub.key")
    (folder / "hub.key").write_bytes(b"short")
    (folder / "hub.key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="backup"):
        FieldEncryption.load(folder / "hub.key")
