"""
The header `Idempotency-Key` (draft 07): a write that a client may repeat takes effect once.
"""

import hashlib
from typing import Annotated, Final, NoReturn

from fastapi import Header

from gateway.api.problems import Problem
from gateway.autofill.idempotency import Key, KeyInUse, KeyReused
from gateway.field_encryption import FieldEncryption
from gateway.sign_on import Caller

PATTERN: Final = r'^"?[!#-~]{1,255}"?$'

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=PATTERN,
        description="a word of the client's own, such as a UUID; the same word with the same body is the same request",
    ),
]


def key_of(encryption: FieldEncryption, caller: Caller, key: str | None, operation: str, body: bytes) -> Key | None:
    """The key of a call, with a fingerprint of its body; None if the call has none."""
    if key is None:
        return None
    digest = hashlib.sha256(body).hexdigest()
    return Key(
        court=caller.court,
        client=caller.client,
        key=key.strip('"'),
        fingerprint=encryption.blind_index("idempotent request", f"{operation}|{digest}"),
    )


def refuse(error: KeyInUse | KeyReused) -> NoReturn:
    """Raises the problem for it."""
    if isinstance(error, KeyInUse):
        raise Problem("key-in-use", retry_after=1)
    raise Problem("key-reused")
