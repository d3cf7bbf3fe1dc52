"""
Verification of callbacks (Standard Webhooks) and of their envelope (CloudEvents 1.0) at the receiver.

The hub repeats a delivery until it is accepted, always under the same id: store accepted ids, answer a repeated one
with 2xx, and do nothing for it.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

PREFIX = "whsec_"


class CallbackRejected(Exception):
    """A callback that must not be acted on.  Its text holds nothing of the callback."""


class CallbackMalformed(CallbackRejected):
    """Not a callback of a hub: answer 400."""


class CallbackAltered(CallbackRejected):
    """No signature fits: another sender, a changed body, or another secret.  Answer 401."""


class CallbackLate(CallbackRejected):
    """Signed too long ago, or in the future: a replay, or a wrong clock.  Answer 401."""


class CallbackReplayed(CallbackRejected):
    """Genuine and accepted before: answer 2xx and do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A genuine callback.  `data` is personal data: `repr` does not show it."""

    id: str
    type: str
    subject: str
    time: datetime
    source: str
    data: Mapping[str, Any] = field(repr=False)


def verify_callback(
    headers: Mapping[str, str],
    body: bytes,
    secret: str | Iterable[str],
    *,
    tolerance: timedelta = timedelta(minutes=5),
    seen: Callable[[str], bool] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Callback:
    """
    The callback, if it is genuine, unchanged and recent.  `body` are the bytes as received.

    `secret` is that of the receiver, or several while it is being rotated.  `seen` tells whether an id was accepted
    before.  Raises `CallbackMalformed`, `CallbackAltered`, `CallbackLate`, `CallbackReplayed`.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    id_, time, signatures = (by_name.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id_ and time.isascii() and time.isdigit() and len(time) < 12 and signatures):
        raise CallbackMalformed("a header of the signature is missing")
    signed = f"{id_}.{time}.".encode() + body
    keys = [_key(text) for text in ([secret] if isinstance(secret, str) else secret)]
    if not any(_fits(key, signed, signature) for key in keys for signature in signatures.split()):
        raise CallbackAltered("no signature fits")
    if abs(clock() - datetime.fromtimestamp(int(time), UTC)) > tolerance:
        raise CallbackLate("signed at another time than now")
    callback = _read(body)
    if callback is None or callback.id != id_:
        raise CallbackMalformed("the body is not a CloudEvent of this id")
    if seen is not None and seen(id_):
        raise CallbackReplayed("accepted before")
    return callback


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("a secret begins with whsec_ and goes on in base64")
    return key


def _fits(key: bytes, signed: bytes, signature: str) -> bool:
    version, _, stated = signature.partition(",")
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return version == "v1" and hmac.compare_digest(expected, stated.encode())


def _read(body: bytes) -> Callback | None:
    try:
        event = json.loads(body)
        if not isinstance(event, dict) or event["specversion"] != "1.0" or not isinstance(event["data"], dict):
            return None
        texts = {name: event[name] for name in ("id", "type", "subject", "source")}
        if not all(isinstance(text, str) for text in texts.values()):
            return None
        return Callback(**texts, time=datetime.fromisoformat(event["time"]), data=event["data"])
    except (ValueError, KeyError, TypeError):
        return None
