"""
The check of a callback (Standard Webhooks) and of its envelope (CloudEvents 1.0), for whoever receives it.

The hub sends a delivery again until it is taken, always under the same id: keep the ids that you have taken, answer a
repeated one with 2xx, and do nothing for it.
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
    """Do not act on it.  Its text holds nothing of what came."""


class CallbackMalformed(CallbackRejected):
    """It is no callback of a hub: answer 400."""


class CallbackAltered(CallbackRejected):
    """No signature fits: somebody else wrote or changed it, or the secret is another.  Answer 401."""


class CallbackLate(CallbackRejected):
    """It was signed too long ago, or in the future: an old one played again, or a clock that is wrong.  Answer 401."""


class CallbackReplayed(CallbackRejected):
    """It is genuine and was taken before: answer 2xx and do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A genuine callback.  `data` tells of people: `repr` does not show it."""

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
    The callback, if it is genuine, whole, and of now.  `body` are the bytes as they came.

    `secret`: that of the receiver, or several while one is being exchanged.  `seen` says of an id whether it was taken
    before.  Raises `CallbackMalformed`, `CallbackAltered`, `CallbackLate`, `CallbackReplayed`.
    """
    shown = {name.lower(): value for name, value in headers.items()}
    id_, time, signatures = (shown.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (id_ and time.isascii() and time.isdigit() and len(time) < 12 and signatures):
        raise CallbackMalformed("a header of the signature is missing")
    signed = f"{id_}.{time}.".encode() + body
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not any(_fits(key, signed, one) for key in keys for one in signatures.split()):
        raise CallbackAltered("no signature fits")
    if abs(clock() - datetime.fromtimestamp(int(time), UTC)) > tolerance:
        raise CallbackLate("signed at another time than now")
    callback = _read(body)
    if callback is None or callback.id != id_:
        raise CallbackMalformed("the body is not a CloudEvent of this id")
    if seen is not None and seen(id_):
        raise CallbackReplayed("taken before")
    return callback


def _key(secret: str) -> bytes:
    kept = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(kept + "=" * (-len(kept) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("a secret begins with whsec_ and goes on in base64")
    return key


def _fits(key: bytes, signed: bytes, signature: str) -> bool:
    version, _, said = signature.partition(",")
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return version == "v1" and hmac.compare_digest(wanted, said.encode())


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
