"""
Looks for a value in bytes: in clear in every encoding that we meet, and as any hash that needs no key to be guessed.
"""

import base64
import hashlib
from collections.abc import Iterator

CHARSETS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
HASHES = tuple(name for name in ("sha256", "sha1", "md5", "sm3", "sha512") if name in hashlib.algorithms_available)
PREFIX = 16


def forms(value: str) -> dict[str, bytes]:
    """Every way in which `value` might stand somewhere, by name.  A hash is sought by its first 16 bytes."""
    forms: dict[str, bytes] = {}
    for charset in CHARSETS:
        plain = value.encode(charset)
        forms[f"{charset}"] = plain
        forms |= {f"{charset} {name}": form for name, form in _written(plain)}
        for algorithm in HASHES:
            digest = hashlib.new(algorithm, plain, usedforsecurity=False).digest()[:PREFIX]
            forms[f"{algorithm} of {charset}"] = digest
            forms |= {f"{algorithm} of {charset} {name}": form for name, form in _written(digest)}
    if value.isascii() and value.isdigit():
        width = 8 if int(value) < 1 << 63 else 16
        forms |= {f"{order} number": int(value).to_bytes(width, order) for order in ("big", "little")}
    return forms


def _written(plain: bytes) -> Iterator[tuple[str, bytes]]:
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    for shift in range(3):
        # What comes before and after shares the outermost characters of the base64 text.
        whole = base64.b64encode(bytes(shift) + plain)
        yield f"base64 at {shift}", whole[(0, 2, 3)[shift] : (len(plain) + shift) * 8 // 6]


def found_in(content: bytes, values: dict[str, str]) -> list[str]:
    """The names of the values that stand in `content`, with the form in which they do."""
    return [
        f"{name} as {form}"
        for name, value in values.items()
        for form, needle in forms(value).items()
        if needle in content
    ]
