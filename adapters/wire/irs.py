"""
Family 1: the public data platform of Zhejiang (IRS), province and city.

Source: the platform's interface convention as public clients implement it.  Every call carries
`sign = md5(appKey + SECRET + requestTime)` in lower-case hex; the secret of business calls lives 15 minutes and is
fetched with a refresh secret of 48 hours, which is fetched with the application secret.  HTTP is 200 even for errors;
`code` is a text.

    00     read `datas`
    11     secret out of its time: refresh, ask again once
    14     wrong signature: another holder refreshed, or the secret is not ours: fetch anew, three tries in all
    18     daily quota used up: never asked again before the quota day turns
    other  permanent failure
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import (
    AgencyError,
    AgencyFault,
    AgencyThrottled,
    AnswerUnreadable,
    CredentialsRejected,
)
from adapters.wire import decode, status
from adapters.wire.clock import CHINA
from adapters.wire.datas import EMPTY, SHAPES, Records, Shapes
from adapters.wire.family import Family, json_headers, matter_code
from adapters.wire.route import Options
from adapters.wire.secrets import Ring, Secret, holder
from schemas.codes import Reason

OK: Final = "00"
OUT_OF_TIME: Final = "11"
WRONG_SIGN: Final = "14"
QUOTA: Final = "18"

SECRET_LIFETIME: Final = 15 * 60.0
REFRESH_LIFETIME: Final = 48 * 3600.0
# Renewed while it still lives, so that no question starts with a secret that ends on the way.
MARGIN: Final = 60.0
TRIES: Final = 3

_ENVELOPE: Final = frozenset(
    {"code", "msg", "data", "datas", "dataCount", "totalDataCount", "totalPage", "requestId", "interfaces"}
)
_FORM: Final = [(b"Content-Type", b"application/x-www-form-urlencoded; charset=UTF-8")]


def sign(app_key: str, secret: str, request_time: str) -> str:
    """The signature of one call.  The case of key and secret is theirs and never changed."""
    return hashlib.md5(f"{app_key}{secret}{request_time}".encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Envelope:
    code: str
    datas: Any
    reference: str | None
    closed: bool
    drift: tuple[str, ...]
    records: Records = ()


class IrsWire(Family):
    """
    Asks over the IRS platform.

    Credentials: `app_key`, `app_secret`.  Options: `style` (form: parameters in the body; json: signature in headers),
    `matters` (kind of matter to registered code, `*` for any), `sub_matters`, `material` (what the query replaces),
    `datas` and `empty` (the shapes that this route declares), `ask_empty_again` (0 … 2), `content_types`,
    `closed_text` (a refusal outside service hours), `by_key` and `by_secret` (paths of the refresh calls).
    """

    def _configure(self, options: Options) -> None:
        self._app_key = self.route.secret("app_key")
        self._app_secret = self.route.secret("app_secret")
        self._json = options.choice("style", "form", ("form", "json")) == "json"
        self._matters = options.table("matters")
        self._sub_matters = options.table("sub_matters") if "sub_matters" in self.route.options else {}
        self._material = options.text("material", "")
        self._shapes = Shapes(
            options.choices("datas", ("array", "object"), SHAPES),
            options.choices("empty", tuple(EMPTY), tuple(EMPTY)),
        )
        self._again = options.whole("ask_empty_again", 0, 2)
        self._content_types = frozenset(options.texts("content_types", ("application/json",)))
        self._closed_text = options.text("closed_text", "工作时间", form=".+")
        self._by_key = self.route.url(options.text("by_key", "/gateway/app/refreshTokenByKey.htm", form="/.*"))
        self._by_secret = self.route.url(options.text("by_secret", "/gateway/app/refreshTokenBySec.htm", form="/.*"))
        self._key = holder("irs", self.route.address, self._app_key)

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        fields = self._fields(question, terms)
        until = self._until(question)
        ring = await self._ring(until)
        refreshed = False
        empties = 0
        for left in reversed(range(TRIES)):
            request_time = self.clock.milliseconds()
            signed = sign(self._app_key, ring.secret.text, request_time)
            headers, body = self._written(fields, signed, request_time)
            raw = await self._send(question, capability, headers, body, until)
            envelope: _Envelope = await self._decoded(raw)
            match envelope.code:
                case "00":
                    if envelope.records or empties >= self._again or not left:
                        return Rows(
                            records=envelope.records,
                            answered_at=raw.answered_at,
                            reference=envelope.reference,
                            drift=envelope.drift,
                        )
                    empties += 1
                case "11" if left and not refreshed:
                    refreshed = True
                    ring = await self._renewed(ring, until, anew=False)
                case "14" if left:
                    ring = await self._renewed(ring, until, anew=True)
                case _:
                    raise self._failure(envelope, raw)
        raise AssertionError  # the last try returns or raises

    def _fields(self, question: Question, terms: Mapping[str, str]) -> dict[str, str]:
        official, matter = question.official, question.matter
        if number := terms.get("id_number"):
            # A lower-case check character is a different number to them.
            terms = {**terms, "id_number": number[:-1] + number[-1].upper()}
        additional = {
            "powerMatters": matter_code(self._matters, matter.kind),
            "accesscardId": official.id_number,
            "projectId": matter.work_order,
            "materialName": self._material,
            "sponsorName": official.unit_name,
            "sponsorCode": official.unit_code,
        }
        if self._sub_matters:
            additional["subPowerMatters"] = matter_code(self._sub_matters, matter.kind)
        return self._asked(question, terms) | {"additional": json.dumps(additional, ensure_ascii=False)}

    def _written(
        self, fields: Mapping[str, str], signed: str, request_time: str
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        if self._json:
            headers = json_headers(
                (b"appKey", self._app_key.encode("ascii")),
                (b"sign", signed.encode("ascii")),
                (b"requestTime", request_time.encode("ascii")),
            )
            return headers, json.dumps(fields, ensure_ascii=False).encode()
        return _FORM, _form({**self._signature(signed, request_time), **fields})

    def _signature(self, signed: str, request_time: str) -> dict[str, str]:
        return {"appKey": self._app_key, "sign": signed, "requestTime": request_time}

    def _decode(self, raw: RawAnswer) -> _Envelope:
        decode.content(raw.content_type, self._content_types)
        envelope = self._envelope(raw.body)
        if envelope.code != OK:
            return envelope
        records, drift = self._shapes.read(envelope.datas)
        return replace(envelope, records=records, drift=(*envelope.drift, *drift))

    def _envelope(self, body: bytes) -> _Envelope:
        envelope = decode.json_value(decode.text(body))
        if not isinstance(envelope, dict) or not isinstance(envelope.get("code"), str):
            raise AnswerUnreadable(at="code")
        code = envelope["code"]
        if code == OK and "datas" not in envelope:
            raise AnswerUnreadable(Reason.MISSING_LEAF, at="datas")
        if _more_pages(envelope.get("totalPage")):
            # One page was asked for and one is read: half a list must not pass for the whole.
            raise AnswerUnreadable(at="totalPage")
        reference = envelope.get("requestId")
        return _Envelope(
            code=code,
            datas=envelope.get("datas"),
            reference=reference if isinstance(reference, str) else None,
            closed=self._closed_text in str(envelope.get("msg")),
            drift=tuple(f"envelope/{name}" for name in envelope if name not in _ENVELOPE),
        )

    def _failure(self, envelope: _Envelope, raw: RawAnswer) -> AgencyError:
        if envelope.code in {OUT_OF_TIME, WRONG_SIGN}:
            return CredentialsRejected()
        if envelope.code == QUOTA:
            local = raw.answered_at.astimezone(CHINA)
            turn = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return AgencyThrottled((turn - local).total_seconds(), reason=Reason.QUOTA)
        if envelope.closed:
            return AgencyThrottled(reason=Reason.OUTSIDE_HOURS)
        return AgencyFault(Reason.UNKNOWN_CODE)

    async def _ring(self, until: float) -> Ring:
        ring = self.store.held(self._key)
        if ring is not None and ring.secret.lives(self.clock, margin=MARGIN):
            return ring
        return await self._renewed(ring, until, anew=False)

    async def _renewed(self, seen: Ring | None, until: float, *, anew: bool) -> Ring:
        async def fetch(held: Ring | None) -> Ring:
            # The refresh secret is looked at first: past it only the application secret helps, however new the other.
            if not anew and held is not None and held.refresh and held.refresh.lives(self.clock, margin=MARGIN):
                ring = await self._fetched(self._by_secret, held.refresh.text, until)
                if ring is not None:
                    return ring
            ring = await self._fetched(self._by_key, self._app_secret, until)
            if ring is None:
                raise CredentialsRejected
            return ring

        return await self.store.renew(self._key, seen, fetch, until)

    async def _fetched(self, url: Any, secret: str, until: float) -> Ring | None:
        """A new ring, or None if the secret that should fetch it is not accepted."""
        request_time = self.clock.milliseconds()
        body = _form(self._signature(sign(self._app_key, secret, request_time), request_time))
        reply = await self.port.send(url, _FORM, body, until)
        if reply.status != 200:
            raise status.failure(reply.status, reply.retry_after, self.clock.now())
        decode.content(reply.content_type, self._content_types)
        envelope = self._envelope(reply.body)
        if envelope.code in {OUT_OF_TIME, WRONG_SIGN}:
            return None
        if envelope.code != OK:
            raise AgencyFault(Reason.UNKNOWN_CODE)
        return Ring(
            secret=self._secret(envelope.datas, "requestSecret", SECRET_LIFETIME),
            refresh=self._secret(envelope.datas, "refreshSecret", REFRESH_LIFETIME),
        )

    def _secret(self, datas: Any, name: str, lifetime: float) -> Secret:
        if isinstance(datas, str):
            datas = decode.json_value(datas, at="datas")
        found = datas.get(name) if isinstance(datas, dict) else None
        if not isinstance(found, str) or not found:
            raise AnswerUnreadable(Reason.MISSING_LEAF, at=f"datas/{name}")
        ends_at = decode.epoch_seconds(datas.get(f"{name}EndTime"), at=f"datas/{name}EndTime")
        return Secret.issued(found, ends_at=ends_at, lifetime=lifetime, clock=self.clock)


def _form(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={_quoted(value)}" for name, value in fields.items()).encode("ascii")


def _quoted(value: str) -> str:
    if not value or (value.isascii() and value.isalnum()):
        return value
    # Every byte is escaped, in one step: a third of the time that picking out the unsafe ones takes.
    return "%" + value.encode().hex("%").upper()


def _more_pages(pages: Any) -> bool:
    return str(pages).isdecimal() and int(str(pages)[:9]) > 1
