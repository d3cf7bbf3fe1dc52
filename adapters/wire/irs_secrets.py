"""
The secrets of the IRS platform: the request secret signs business calls for 15 minutes, the refresh secret fetches the
next for 48 hours, the application secret fetches both.

    platform   refreshTokenByKey, refreshTokenBySec: signed calls, the secrets with their ends in `datas`
    county     appsecert, interfaceSecurity (spelled so): JSON with the secrets in clear and no ends, in `data`
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx

from adapters.errors import AgencyFault, AnswerUnreadable, CredentialsRejected
from adapters.wire import decode, status
from adapters.wire.base import json_headers
from adapters.wire.clock import CorrectedClock
from adapters.wire.irs_envelope import FORM, OK, OUT_OF_TIME, WRONG_SIGN, Envelope, form, read_envelope
from adapters.wire.secrets import CredentialPair, Secret, SecretStore
from adapters.wire.transport import AgencyTransport, Headers
from schemas.codes import Reason

SECRET_LIFETIME: Final = 15 * 60.0
REFRESH_LIFETIME: Final = 48 * 3600.0
# Renewed while it still lives, so that no question starts with a secret that ends on the way.
MARGIN: Final = 60.0


def sign(app_key: str, secret: str, request_time: str) -> str:
    """The signature of one call.  The case of key and secret is theirs and never changed."""
    return hashlib.md5(f"{app_key}{secret}{request_time}".encode(), usedforsecurity=False).hexdigest()


class RefreshSteps(Protocol):
    """
    How secrets are fetched.  Each step returns None if the secret that it starts from is not accepted, and raises as
    the port does.
    """

    async def by_application(self, until: float) -> CredentialPair | None:
        """Both secrets, for the application secret."""
        ...

    async def by_refresh(self, refresh: Secret, until: float) -> CredentialPair | None:
        """The next secrets, for the refresh secret."""
        ...


class IrsSecrets:
    """
    The ring of one application key: read while it lives, renewed in the one order that always recovers.
    """

    def __init__(self, steps: RefreshSteps, key: str, clock: CorrectedClock, store: SecretStore) -> None:
        self._steps = steps
        self._key = key
        self._clock = clock
        self._store = store
        store.register(key, self._fetched, margin=MARGIN)

    async def current(self, until: float) -> CredentialPair:
        """A living ring.  Raises as the port and the store do, or `CredentialsRejected`."""
        ring = self._store.current(self._key)
        if ring is not None and ring.secret.lives(self._clock, margin=MARGIN):
            return ring
        return await self._store.renew(self._key, ring, until)

    async def renew(self, seen: CredentialPair, until: float, *, anew: bool = False) -> CredentialPair:
        """A newer ring than `seen`, somebody else's or our own; `anew`, because the refresh secret is dead as well."""
        return await self._store.renew(self._key, seen, until, anew=anew)

    async def _fetched(self, held: CredentialPair | None, until: float) -> CredentialPair:
        # The refresh secret is looked at first: past it only the application secret helps, however new the other.
        ring = None
        if held is not None and held.refresh and held.refresh.lives(self._clock, margin=MARGIN):
            ring = await self._steps.by_refresh(held.refresh, until)
        ring = ring or await self._steps.by_application(until)
        if ring is None:
            raise CredentialsRejected
        return ring


@dataclass(frozen=True, slots=True, kw_only=True)
class IrsApplication:
    """Who we are at the platform, and where its refresh calls are."""

    app_key: str
    app_secret: str = field(repr=False)
    by_key: httpx.URL
    by_secret: httpx.URL
    content_types: frozenset[str]


class _RefreshClient:
    """Sends refresh calls and reads their envelopes."""

    def __init__(self, application: IrsApplication, port: AgencyTransport, clock: CorrectedClock) -> None:
        self._application = application
        self._port = port
        self._clock = clock

    async def call(self, url: httpx.URL, headers: Headers, body: bytes, until: float) -> Envelope | None:
        """The envelope of a success; None if the secret is not accepted."""
        reply = await self._port.send(url, headers, body, until)
        if reply.status != 200:
            raise status.error_for_status(reply.status, reply.retry_after, self._clock.now())
        decode.check_content_type(reply.content_type, self._application.content_types)
        envelope = read_envelope(reply.body)
        if envelope.code in {OUT_OF_TIME, WRONG_SIGN}:
            return None
        if envelope.code != OK:
            raise AgencyFault(Reason.UNKNOWN_CODE)
        return envelope


class PlatformSteps(_RefreshClient):
    """Signed calls of province and city."""

    async def by_application(self, until: float) -> CredentialPair | None:
        return await self._fetched(self._application.by_key, self._application.app_secret, until)

    async def by_refresh(self, refresh: Secret, until: float) -> CredentialPair | None:
        return await self._fetched(self._application.by_secret, refresh.text, until)

    async def _fetched(self, url: httpx.URL, secret: str, until: float) -> CredentialPair | None:
        request_time = self._clock.milliseconds()
        signed = sign(self._application.app_key, secret, request_time)
        body = form({"appKey": self._application.app_key, "sign": signed, "requestTime": request_time})
        envelope = await self.call(url, FORM, body, until)
        if envelope is None:
            return None
        datas = decode.json_value(envelope.datas, at="datas") if isinstance(envelope.datas, str) else envelope.datas
        return CredentialPair(
            secret=self._secret(datas, "requestSecret", SECRET_LIFETIME),
            refresh=self._secret(datas, "refreshSecret", REFRESH_LIFETIME),
        )

    def _secret(self, datas: Any, name: str, lifetime: float) -> Secret:
        found = _text(datas, name, at=f"datas/{name}")
        ends_at = decode.epoch_seconds(datas.get(f"{name}EndTime"), at=f"datas/{name}EndTime")
        return Secret.issued(found, ends_at=ends_at, lifetime=lifetime, clock=self._clock)


class CountySteps(_RefreshClient):
    """
    The two steps of the county variant, with the secrets in clear: for closed networks and our own TLS only.
    """

    async def by_application(self, until: float) -> CredentialPair | None:
        first = await self._asked(self._application.by_key, {"appSecret": self._application.app_secret}, until)
        if first is None:
            return None
        refresh = self._issued(_text(first.data, "refreshSecret", at="data/refreshSecret"), REFRESH_LIFETIME)
        return await self._second(refresh, _text(first.data, "requestTime", at="data/requestTime"), until)

    async def by_refresh(self, refresh: Secret, until: float) -> CredentialPair | None:
        return await self._second(refresh, self._clock.milliseconds(), until)

    async def _second(self, refresh: Secret, request_time: str, until: float) -> CredentialPair | None:
        fields = {"refreshSecret": refresh.text, "requestTime": request_time}
        second = await self._asked(self._application.by_secret, fields, until)
        if second is None:
            return None
        secret = self._issued(_text(second.data, "requestSecret", at="data/requestSecret"), SECRET_LIFETIME)
        return CredentialPair(secret=secret, refresh=refresh)

    async def _asked(self, url: httpx.URL, fields: Mapping[str, str], until: float) -> Envelope | None:
        body = json.dumps({"appKey": self._application.app_key, **fields}).encode()
        return await self.call(url, json_headers(), body, until)

    def _issued(self, text: str, lifetime: float) -> Secret:
        # The county states no end: the platform's lifetimes are taken.
        ends_at = self._clock.seconds() + lifetime
        return Secret.issued(text, ends_at=ends_at, lifetime=lifetime, clock=self._clock)


def _text(group: Any, name: str, at: str) -> str:
    found = group.get(name) if isinstance(group, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found:
        raise AnswerUnreadable(Reason.MISSING_LEAF, at=at)
    return found
