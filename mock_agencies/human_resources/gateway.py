"""
The provincial gateway (IRS): md5 signatures with secrets that rotate, both styles of request, HTTP 200 for everything.

A request secret lives 15 minutes, a refresh secret 48 hours.  Each refresh makes the earlier secrets invalid.
"""

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final
from uuid import uuid4

from mock_agencies.clock import HOUR_MS, MINUTE_MS, MockClock
from mock_agencies.exchange import MockRequest, MockResponse, OperationRefused

REQUEST_SECRET_MS: Final = 15 * MINUTE_MS
REFRESH_SECRET_MS: Final = 48 * HOUR_MS
TOLERANCE_MS: Final = 5 * MINUTE_MS

OK: Final = "00"
EXPIRED: Final = "11"
BAD_SIGNATURE: Final = "14"
OVER_QUOTA: Final = "18"
BAD_PARAMETERS: Final = "91"  # made up: the platform's table is not public
_MESSAGES: Final = {
    OK: "请求成功",
    EXPIRED: "请求秘钥不在有效期内",
    BAD_SIGNATURE: "签名错误",
    OVER_QUOTA: "接口超量",
    BAD_PARAMETERS: "请求参数不符合接口要求",
}

_TIME: Final = re.compile(r"[0-9]{13}")
_SIGNED: Final = ("appKey", "sign", "requestTime")


def sign(app_key: str, secret: str, request_time: str) -> str:
    """Returns the lower-case hex of MD5 over appKey, secret and requestTime, joined with nothing between."""
    return md5(f"{app_key}{secret}{request_time}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class GatewaySecrets:
    """The two secrets in force, and until when (milliseconds since 1970)."""

    refresh: str
    refresh_end: int
    request: str
    request_end: int

    @classmethod
    def issued_at(cls, now_ms: int) -> "GatewaySecrets":
        """Makes new secrets with their lifetimes from now."""
        return cls(secrets.token_hex(16), now_ms + REFRESH_SECRET_MS, secrets.token_hex(16), now_ms + REQUEST_SECRET_MS)

    def as_datas(self, clock_off_ms: int = 0) -> dict[str, str | int]:
        """Writes the secrets as the refresh calls hand them out, by a clock that may be off."""
        return {
            "refreshSecret": self.refresh,
            "refreshSecretEndTime": self.refresh_end + clock_off_ms,
            "requestSecret": self.request,
            "requestSecretEndTime": self.request_end + clock_off_ms,
        }


class IrsGateway:
    """The gateway's access control for one application: its secrets and their ends."""

    def __init__(self, app_key: str, app_secret: str, clock: MockClock) -> None:
        self.app_key = app_key
        self.app_secret = app_secret
        self.clock = clock
        self._secrets: GatewaySecrets | None = None

    def refresh_by_key(self, parameters: Mapping[str, str]) -> GatewaySecrets:
        """Step 1, signed with the appSecret.  Raises `OperationRefused`."""
        self._check(parameters, self.app_secret, None)
        return self.rotate()

    def refresh_by_secret(self, parameters: Mapping[str, str]) -> GatewaySecrets:
        """Step 2, signed with the refresh secret.  Raises `OperationRefused`."""
        current = self._secrets
        self._check(
            parameters,
            current.refresh if current else None,
            current.refresh_end if current else None,
        )
        return self.rotate()

    def authenticate(self, parameters: Mapping[str, str]) -> None:
        """Step 3, a business call signed with the request secret.  Raises `OperationRefused`."""
        current = self._secrets
        self._check(
            parameters,
            current.request if current else None,
            current.request_end if current else None,
        )

    def issue_refresh_secret(self, app_secret: str) -> GatewaySecrets:
        """The county's first step, with the appSecret in clear.  Raises `OperationRefused`."""
        if app_secret != self.app_secret:
            raise refused("wrong_app_secret", BAD_SIGNATURE)
        return self.rotate()

    def issue_request_secret(self, refresh_secret: str) -> GatewaySecrets:
        """The county's second step, with the refresh secret in clear.  Raises `OperationRefused`."""
        current = self._secrets
        if current is None or refresh_secret != current.refresh:
            raise refused("wrong_refresh_secret", BAD_SIGNATURE)
        if self.clock.now_ms() >= current.refresh_end:
            raise refused("expired_secret", EXPIRED)
        fresh = GatewaySecrets.issued_at(self.clock.now_ms())
        self._secrets = GatewaySecrets(current.refresh, current.refresh_end, fresh.request, fresh.request_end)
        return self._secrets

    def rotate(self) -> GatewaySecrets:
        """Issues new secrets and invalidates the earlier ones."""
        self._secrets = GatewaySecrets.issued_at(self.clock.now_ms())
        return self._secrets

    def expire(self) -> None:
        """Lets the request secret run out."""
        current = self._secrets or self.rotate()
        self._secrets = GatewaySecrets(current.refresh, current.refresh_end, current.request, self.clock.now_ms())

    def _check(self, parameters: Mapping[str, str], secret: str | None, end: int | None) -> None:
        app_key, signed, request_time = (parameters.get(name, "") for name in _SIGNED)
        if not (app_key and signed and request_time):
            raise refused("missing_parameter", BAD_PARAMETERS)
        if app_key != self.app_key:
            raise refused("unknown_app_key", BAD_SIGNATURE)
        now = self.clock.now_ms()
        if not _TIME.fullmatch(request_time) or abs(int(request_time) - now) > TOLERANCE_MS:
            raise refused("stale_request_time", BAD_SIGNATURE)
        if secret is None or not hmac.compare_digest(
            sign(app_key, secret, request_time).encode(), signed.encode(errors="replace")
        ):
            raise refused("bad_signature", BAD_SIGNATURE)
        if end is not None and now >= end:
            raise refused("expired_secret", EXPIRED)


def signed_parameters(request: MockRequest) -> dict[str, str]:
    """
    Reads all parameters of a request in style A (query or form) or B (signature in headers, JSON body).

    Raises `OperationRefused`.
    """
    if request.media_type != "application/json":
        return request.parameters()
    body = request.texts()
    if body is None:
        raise refused("body", BAD_PARAMETERS)
    return {**body, **{name: request.headers.get(name.lower(), "") for name in _SIGNED}}


def envelope(code: str, datas: Any, rows: int = 0, *, message: str | None = None) -> dict[str, Any]:
    """Returns the gateway's envelope; `code` is a text."""
    return {
        "code": code,
        "msg": message or _MESSAGES.get(code, "未知错误"),
        "data": "",
        "datas": datas,
        "dataCount": rows,
        "totalDataCount": rows,
        "totalPage": 1,
        "requestId": uuid4().hex,
    }


def written(value: Mapping[str, Any]) -> str:
    """Writes an envelope as the gateway's JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def refused(why: str, code: str, message: str | None = None) -> OperationRefused:
    """Returns the refusal with a gateway code, on HTTP 200 as the gateway does."""
    return OperationRefused(why, MockResponse(written(envelope(code, "", message=message)).encode()))
