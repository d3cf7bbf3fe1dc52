"""
The sealed values of one record, opened and compared with the commitments in its leaf.
"""

import base64
from collections.abc import Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from audit.sealing.commitment import CommitmentOpening
from audit.sealing.unsealing import OpenedBox, WrappedKey
from audit.store.reader import Reader


class SealedValues(Enum):
    """The state of a hit's personal values."""

    OPENED = "opened"
    NONE = "none"
    ERASED = "erased"
    MISSING = "missing"
    BROKEN = "broken"


def open_slots(
    reader: Reader,
    keys: dict[int, WrappedKey],
    exchange: UUID,
    number: int,
    sealed: Sequence[tuple[Any, ...]],
    read: dict[str, Any],
) -> tuple[SealedValues, list[CommitmentOpening]]:
    """
    Opens a record's sealed rows (idx, slot, party key, party box, staff key, staff box) and checks them with its leaf.
    """
    try:
        wanted = commitments(read)
    except (AttributeError, KeyError, TypeError, ValueError):
        # The leaf was altered, which its hash shows.
        return SealedValues.BROKEN, []
    openings: list[CommitmentOpening] = []
    erased = broken = False
    for _, slot, party_key, party_box, staff_key, staff_box in sealed:
        for key_id, box, staff in ((party_key, party_box, False), (staff_key, staff_box, True)):
            if key_id is None:
                continue
            key = keys.get(key_id)
            if key is None:
                erased = True
                continue
            opened = _open(reader, key, exchange, number, None if staff else slot, box)
            if opened is None:
                broken = True
            else:
                openings += [opening for opening in opened.openings if opening.value]
    broken = broken or any(
        opening.name not in wanted or not opening.opens(wanted[opening.name]) for opening in openings
    )
    if broken:
        return SealedValues.BROKEN, []
    if not wanted:
        return SealedValues.NONE, []
    if erased:
        return SealedValues.ERASED, openings
    return (
        SealedValues.OPENED if {opening.name for opening in openings} == set(wanted) else SealedValues.MISSING
    ), openings


def commitments(read: dict[str, Any]) -> dict[str, bytes]:
    """The commitments of a leaf, by field."""
    encoded = {name: read[name]["c"] for name in ("who", "why") if "c" in read.get(name, {})}
    encoded |= {f"whose.{number}": party["c"] for number, party in enumerate(read.get("whose", ()))}
    if "digests" in read:
        encoded["digests"] = read["digests"]
    return {name: base64.b64decode(value) for name, value in encoded.items()}


def _open(
    reader: Reader, key: WrappedKey, exchange: UUID, number: int, slot: int | None, box: bytes | None
) -> OpenedBox | None:
    if box is None:
        return None
    if slot is None:
        return reader.opener.staff(key, exchange, number, box)
    return reader.opener.party(key, exchange, number, slot, box)
