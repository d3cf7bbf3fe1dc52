"""
Family 2: the national data sharing platform (数据直达), REST with JSON.

Source: 数据直达接口规范 v0.55, section 5 and appendix C.  Every call carries four fields: service `sid`, request `rid`,
time `rtime` (ms) and `sign = Base64(HMAC-SHA256(secret, sid + rid + rtime))`.  The secret of business calls is handed
out encrypted, signed for with the long-term application key, and renewed 60 s before its stated end.

    200    read `data`
    300    failure at the provider, as are detail codes catalog-, res-, api-, db-
    other  permanent failure; a dead secret has no code of its own, so it is renewed by time and never by guess
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.config_file import Mistake, matches
from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import AgencyError, AgencyFault, AnswerUnreadable, CredentialsRejected
from adapters.wire import decode, status
from adapters.wire.base import WireFamily, json_headers, matter_code
from adapters.wire.clock import CorrectedClock
from adapters.wire.route import AnyRoute, IssuedText, Matters, RouteCredentials, RouteOptions, UrlPath
from adapters.wire.secrets import CredentialPair, Secret, SecretStore, holder
from adapters.wire.transport import AgencyTransport
from schemas.codes import Reason

OK: Final = "200"
MARGIN: Final = 60.0
# The platform states no lifetime, only an end; this is what an end in the past is taken for.
LONGEST_LIFE: Final = 24 * 3600.0
SID: Final = r"s_[0-9A-Z]{13,18}_[0-9]{4}|[0-9a-f]{32}"

_PROVIDER_CODE: Final = re.compile(r"300|(?:catalog|res|api|db)-\d{3}")
_ENVELOPE: Final = frozenset({"code", "message", "data"})
_JSON: Final = frozenset({"application/json"})


def sign(sid: str, rid: str, rtime: str, key: str) -> str:
    """The signature of one call, in the order that the platform fixes."""
    return base64.b64encode(hmac.digest(key.encode(), f"{sid}{rid}{rtime}".encode(), "sha256")).decode("ascii")


def decrypt_secret(app_key: str, secret: str) -> str | None:
    """
    The application secret from `data.secret`: Base64 of AES-128-ECB under a key derived from the application key.
    None if it does not open, because it was encrypted for another key.
    """
    # What Java's SHA1PRNG yields when it is seeded with the application key.
    seed = hashlib.sha1(app_key.encode(), usedforsecurity=False).digest()
    key = hashlib.sha1(seed, usedforsecurity=False).digest()[:16]
    # The platform prescribes the mode; what it hides is a random secret of a block or two.
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(base64.b64decode(secret, validate=True)) + decryptor.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode("ascii") or None
    except ValueError:
        return None


class PlatformOptions(RouteOptions):
    """`prefix` of the four fields, `refresh_path` of the call that renews the secret, `rid_suffix`."""

    prefix: Literal["gjgxjhpt_", "gjzwfwpt_"] = "gjgxjhpt_"
    refresh_path: UrlPath = "/sysapi/auth/refreshappsecret"
    rid_suffix: Annotated[str, matches(r"(@[\w.-]+)?", 'write rid_suffix = "@<name>"')] = ""


class PlatformCredentials(RouteCredentials):
    """The key of our application and the number of the service."""

    app_key: IssuedText
    sid: Annotated[str, matches(SID, "write it exactly as the platform issued it")]


class Platform:
    """
    Our standing at the national platform: signs calls and renews the secret.  Shared with family 3.
    """

    def __init__(self, route: AnyRoute, port: AgencyTransport, clock: CorrectedClock, store: SecretStore) -> None:
        options: PlatformOptions = route.options
        credentials: PlatformCredentials = route.credentials
        self._port = port
        self._clock = clock
        self._store = store
        self._app_key = credentials.app_key
        self.sid = credentials.sid
        self.prefix = options.prefix
        self._url = route.url(options.refresh_path)
        self._rid_suffix = options.rid_suffix
        self._key = holder("national", route.address, self._app_key, self.sid)
        store.register(self._key, self._fetched, margin=MARGIN)

    async def signed_fields(self, until: float) -> tuple[str, str, str, str]:
        """`rid`, `sid`, `rtime` and `sign` of one business call.  Raises `AgencyError`."""
        ring = self._store.current(self._key)
        if ring is None or not ring.secret.lives(self._clock, margin=MARGIN):
            ring = await self._store.renew(self._key, ring, until)
        return self._signed(ring.secret.text)

    def wire_fields(self, fields: tuple[str, str, str, str]) -> dict[str, str]:
        """The four fields under their wire names."""
        return dict(zip((f"{self.prefix}{name}" for name in ("rid", "sid", "rtime", "sign")), fields, strict=True))

    def _signed(self, key: str) -> tuple[str, str, str, str]:
        rid = f"{uuid4()}{self._rid_suffix}"
        rtime = self._clock.milliseconds()
        return rid, self.sid, rtime, sign(self.sid, rid, rtime, key)

    async def _fetched(self, _: CredentialPair | None, until: float) -> CredentialPair:
        body = json.dumps(self.wire_fields(self._signed(self._app_key))).encode()
        reply = await self._port.send(self._url, json_headers(), body, until)
        if reply.status != 200:
            raise status.error_for_status(reply.status, reply.retry_after, self._clock.now())
        decode.check_content_type(reply.content_type, _JSON)
        envelope = decode.json_value(decode.text(reply.body))
        if not isinstance(envelope, dict) or "code" not in envelope:
            raise AnswerUnreadable(at="code")
        # Here the code is the text "0"; business codes differ.
        if str(envelope["code"]) != "0":
            raise CredentialsRejected
        issued = envelope.get("data")
        if not isinstance(issued, dict) or not isinstance(issued.get("secret"), str):
            raise AnswerUnreadable(Reason.MISSING_LEAF, at="data/secret")
        ends_at = decode.epoch_seconds(issued.get("secretEndTime"), at="data/secretEndTime")
        text = decrypt_secret(self._app_key, issued["secret"])
        if text is None:
            raise CredentialsRejected
        return CredentialPair(secret=Secret.issued(text, ends_at=ends_at, lifetime=LONGEST_LIFE, clock=self._clock))


class NationalOptions(PlatformOptions):
    """
    `fields_in` (headers, or body as some proxies want), `forwarded_for` (the address on the agency's white list),
    `body` (relay: head and `data.cxjg`; plain: `data` itself), `head_field` and `head_ok` of the relay, `empty` (what
    "no record" looks like).
    """

    fields_in: Literal["headers", "body"] = "headers"
    forwarded_for: Annotated[str, matches(r"[0-9A-Fa-f.:]*", 'write forwarded_for = "10.0.0.5"')] = ""
    matters: Matters
    body: Literal["relay", "plain"] = "relay"
    head_field: Literal["code", "status"] = "code"
    head_ok: Annotated[str, matches(r"[0-9A-Za-z]+", 'write head_ok = "0000"')] = "0000"
    empty: frozenset[Literal["array", "null", "text"]] = frozenset({"array"})
    content_types: frozenset[str] = _JSON


class NationalWire(WireFamily[NationalOptions, PlatformCredentials]):
    """
    Asks over the national platform.
    """

    options_form = NationalOptions
    credentials_form = PlatformCredentials

    @classmethod
    def check_parameters(cls, parameters: Mapping[str, str]) -> list[Mistake]:
        return [
            ((term,), "holds an upper-case letter", "write it in lower case")
            for term, theirs in parameters.items()
            if theirs != theirs.lower()
        ]

    def _configure(self) -> None:
        self._platform = Platform(self.route, self.transport, self.clock, self.store)
        forwarded = self._options.forwarded_for
        self._headers = json_headers(*([(b"X-Forwarded-For", forwarded.encode("ascii"))] if forwarded else []))
        self._relay = self._options.body == "relay"

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        business = self._business(question, self._agency_terms(question, terms))
        until = self._attempt_deadline(question)
        fields = await self._platform.signed_fields(until)
        if self._options.fields_in == "body":
            headers = self._headers
            business |= self._platform.wire_fields(fields)
        else:
            named = self._platform.wire_fields(fields)
            headers = [
                *self._headers,
                *((name.encode("ascii"), value.encode("ascii")) for name, value in named.items()),
            ]
        body = json.dumps(business, ensure_ascii=False).encode()
        raw = await self._send(question, capability, headers, body, until)
        records, drift = await self._decoded(raw)
        return Rows(records=records, answered_at=raw.answered_at, reference=fields[0], drift=drift)

    def _business(self, question: Question, terms: Mapping[str, str]) -> dict[str, str]:
        official, matter = question.official, question.matter
        return {
            **terms,
            "usercardid": official.id_number,
            "username": official.name,
            "userdept": official.unit_name,
            "projectid": matter.work_order,
            "powermatters": matter_code(self._options.matters, matter.kind),
        }

    def _decode(self, raw: RawAnswer) -> tuple[tuple[Mapping[str, Any], ...], tuple[str, ...]]:
        decode.check_content_type(raw.content_type, self._options.content_types, self._options.charset)
        envelope = decode.json_value(decode.text(raw.body, charset=self._options.charset))
        if not isinstance(envelope, dict) or isinstance(envelope.get("code"), (dict, list, bool, type(None))):
            raise AnswerUnreadable(at="code")
        code = str(envelope["code"])
        if code != OK:
            raise _error(code)
        drift = [f"envelope/{name}" for name in envelope if name not in _ENVELOPE]
        found, at = envelope.get("data"), "data"
        if self._relay:
            found, more = self._unwrapped(found)
            drift += more
            at = "data/data/cxjg"
        return self._check_row_limit(self._records(found, at)), tuple(drift)

    def _unwrapped(self, relay: Any) -> tuple[Any, list[str]]:
        match relay:
            case {"head": dict() as head, "data": {"cxjg": found, **other}, **rest}:
                if str(head.get(self._options.head_field)) != self._options.head_ok:
                    raise AgencyFault(Reason.UNKNOWN_CODE)
            case {"head": dict() as head} if str(head.get(self._options.head_field)) != self._options.head_ok:
                raise AgencyFault(Reason.UNKNOWN_CODE)
            case _:
                raise AnswerUnreadable(at="data")
        drift = [f"data/{name}" for name in rest]
        drift += [f"data/head/{name}" for name in head if name not in {self._options.head_field, "msg"}]
        drift += [f"data/data/{name}" for name in other]
        return found, drift

    def _records(self, found: Any, at: str) -> tuple[Mapping[str, Any], ...]:
        match found:
            case []:
                empty = "array"
            case None:
                empty = "null"
            case "":
                empty = "text"
            case list() if all(isinstance(row, dict) and row for row in found):
                return tuple(decode.flatten(row) for row in found)
            case dict() if found and not self._relay:
                return (decode.flatten(found),)
            case _:
                raise AnswerUnreadable(at=at)
        if empty not in self._options.empty:
            raise AnswerUnreadable(at=at)
        return ()


def _error(code: str) -> AgencyError:
    return AgencyFault(Reason.PROVIDER_ERROR if _PROVIDER_CODE.fullmatch(code) else Reason.UNKNOWN_CODE)
