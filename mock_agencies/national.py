"""
The front of the national platform (国家数据共享交换平台): four signed fields, and a secret that must be renewed.

Two servers stand behind it: the population base (the fields travel in a SOAP header) and market regulation (in HTTP
headers).  Source: 数据直达接口规范 v0.55 §5 and appendix C, as public clients implement it.
"""

import base64
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from hashlib import sha1, sha256
from typing import Any, ClassVar, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from mock_agencies.clock import HOUR_MS, MINUTE_MS, SECOND_MS, MockClock
from mock_agencies.exchange import MockRequest, MockResponse, OperationRefused
from mock_agencies.faults.script import ArmedFault
from mock_agencies.operation import Operation

FIELDS: Final = ("sid", "rid", "rtime", "sign")
PREFIXES: Final = ("gjgxjhpt_", "gjzwfwpt_")
SECRET_LIFETIME_MS: Final = 2 * HOUR_MS
TOLERANCE_MS: Final = 5 * MINUTE_MS

_RID: Final = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}(@\S+)?")
_RTIME: Final = re.compile(r"[0-9]{13}")
_AES_BLOCK_BITS: Final = 128
_SECRETS_AT_ONCE: Final = 16


def sign(sid: str, rid: str, rtime: str, key: str) -> str:
    """Returns the Base64 of HMAC-SHA256 over sid, rid and rtime joined in that order."""
    return base64.b64encode(hmac.digest(key.encode(), f"{sid}{rid}{rtime}".encode(), sha256)).decode()


def secret_key(app_key: str) -> bytes:
    """Returns the AES key that Java's SHA1PRNG yields when seeded with the appKey."""
    return sha1(sha1(app_key.encode()).digest()).digest()[:16]


def encrypt_secret(secret: str, app_key: str) -> str:
    """Returns a secret as the refresh call hands it out: AES-128-ECB, PKCS#5 padding, Base64."""
    padder = PKCS7(_AES_BLOCK_BITS).padder()
    padded = padder.update(secret.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(secret_key(app_key)), modes.ECB()).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


class PlatformRejected(Exception):
    """The platform does not let a call through; `why` is one word for the journal."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NationalPlatform:
    """
    The platform's gate for one application.  A secret lives two hours; renewing leaves the earlier ones to their end.
    """

    def __init__(self, app_key: str, sid: str, clock: MockClock) -> None:
        self.app_key = app_key
        self.sid = sid
        self.clock = clock
        self._ends: dict[str, int] = {}

    def authenticate(self, fields: Mapping[str, str], armed: ArmedFault | None = None) -> None:
        """Checks the four fields of a business call (none live: `expired_secret`).  Raises `PlatformRejected`."""
        self._check(fields, [] if armed is not None and armed.name == "expired_secret" else self._live())

    def renew(self, fields: Mapping[str, str]) -> tuple[str, int]:
        """Checks the four fields of a refresh call; returns a new secret and its end.  Raises `PlatformRejected`."""
        self._check(fields, [self.app_key])
        secret, end = secrets.token_hex(16), self.clock.now_ms() + SECRET_LIFETIME_MS
        earlier = {live: self._ends[live] for live in self._live()[: _SECRETS_AT_ONCE - 1]}
        self._ends = {secret: end, **earlier}
        return secret, end

    def _live(self) -> list[str]:
        now = self.clock.now_ms()
        return [secret for secret, end in self._ends.items() if now < end]

    def _check(self, fields: Mapping[str, str], keys: list[str]) -> None:
        sid, rid, rtime, signed = (fields.get(name, "") for name in FIELDS)
        if not (sid and rid and rtime and signed):
            raise PlatformRejected("missing_field")
        if sid != self.sid:
            raise PlatformRejected("unknown_sid")
        if not _RID.fullmatch(rid):
            raise PlatformRejected("malformed_rid")
        if not _RTIME.fullmatch(rtime) or abs(int(rtime) - self.clock.now_ms()) > TOLERANCE_MS:
            raise PlatformRejected("stale_rtime")
        if not any(
            hmac.compare_digest(sign(sid, rid, rtime, key).encode(), signed.encode(errors="replace")) for key in keys
        ):
            raise PlatformRejected("bad_signature" if keys else "no_live_secret")


def fields_of(armed_name: Mapping[str, Any]) -> dict[str, str]:
    """Collects the four fields from headers or a body, under either prefix."""
    return {
        name: str(armed_name[prefix + name])
        for prefix in PREFIXES
        for name in FIELDS
        if armed_name.get(prefix + name) is not None
    }


class RefreshSecret(Operation):
    """`refreshappsecret`: signed with the long-term appKey, answers with the next secret, encrypted."""

    name: ClassVar[str] = "refresh"
    paths: ClassVar[tuple[str, ...]] = ("/sysapi/auth/refreshappsecret",)
    family_faults: ClassVar[frozenset[str]] = frozenset({"fault", "off_clock", "undecryptable_secret"})

    def __init__(self, platform: NationalPlatform) -> None:
        self.platform = platform

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:
        fields = _json_fields(request)
        fault = armed.name if armed else None
        why = "fault" if fault == "fault" else ""
        if not why:
            try:
                secret, end = self.platform.renew(fields)
            except PlatformRejected as rejected:
                why = rejected.why
        if why:
            raise OperationRefused(why, _reply("1", "密钥刷新失败", None))
        wrapped = encrypt_secret(secret, self.platform.app_key)
        if fault == "undecryptable_secret":
            wrapped = base64.b64encode(b"not a whole block").decode()
        if armed and fault == "off_clock":
            end += round(float(armed.options.get("seconds", -3600)) * SECOND_MS)
        return _reply("0", "success", {"secret": wrapped, "secretEndTime": end})


def _json_fields(request: MockRequest) -> dict[str, str]:
    body = request.texts()
    if body is None:
        raise OperationRefused("body", _reply("1", "请求体不是JSON对象", None))
    return fields_of(body)


def _reply(code: str, message: str, data: Any) -> MockResponse:
    return MockResponse(json.dumps({"code": code, "message": message, "data": data}, ensure_ascii=False).encode())
