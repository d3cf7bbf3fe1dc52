"""
Family 1: the public data platform of Zhejiang (IRS), province and city, and its county variant.

Source: the platform's interface convention as public clients implement it.  Every call carries
`sign = md5(appKey + SECRET + requestTime)` in lower-case hex; which secret, see irs_secrets.py.

    00     read `datas`
    11     secret out of its time: refresh, ask again once
    14     wrong signature: fetch the secrets anew, three tries in all
    18     daily quota used up: never asked again before the quota day turns
    other  permanent failure
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from adapters.config_file import Integer, Text
from adapters.contract import Question, RawAnswer, Rows
from adapters.errors import AgencyError, AgencyFault, AgencyThrottled, CredentialsRejected
from adapters.wire import decode, irs_envelope
from adapters.wire.base import WireFamily, json_headers, matter_code
from adapters.wire.irs_envelope import FORM, Envelope, form, read_envelope
from adapters.wire.irs_payload import EMPTY, EmptyForm, Shape, Shapes
from adapters.wire.irs_secrets import CountySteps, IrsApplication, IrsSecrets, PlatformSteps, sign
from adapters.wire.route import IssuedText, Matters, RouteCredentials, RouteOptions, UrlPath
from adapters.wire.secrets import holder
from adapters.wire.transport import Headers
from schemas.china_time import CHINA
from schemas.codes import Reason

TRIES: Final = 3

# Paths of the refresh calls: with the application secret, with the refresh secret.
_PLATFORM: Final = ("/gateway/app/refreshTokenByKey.htm", "/gateway/app/refreshTokenBySec.htm")
_COUNTY: Final = ("/appsecert", "/interfaceSecurity")
# A county says only in words that a secret is dead.
_COUNTY_WORD: Final = "秘钥"


class IrsOptions(RouteOptions):
    """
    `style` (form: parameters in the body; json: signature in headers), `material` (what the query replaces), `datas`
    and `empty` (the shapes that this route declares), `ask_empty_again` (times), `closed_text` (a refusal outside
    service hours), `by_key` and `by_secret` (paths of the refresh calls).
    """

    secrets: Literal["platform", "county"] = "platform"
    style: Literal["form", "json"] = "form"
    matters: Matters
    sub_matters: Matters | None = None
    material: str = ""
    datas: frozenset[Shape] = frozenset({"array", "object"})
    empty: frozenset[EmptyForm] = frozenset(EMPTY)
    ask_empty_again: Annotated[Integer, Field(ge=0, le=2)] = 0
    content_types: frozenset[str] = frozenset({"application/json"})
    closed_text: Text = "工作时间"
    by_key: UrlPath | None = None
    by_secret: UrlPath | None = None


class IrsCredentials(RouteCredentials):
    """The key and the secret of our application."""

    app_key: IssuedText
    app_secret: IssuedText


class IrsWire(WireFamily[IrsOptions, IrsCredentials]):
    """
    Asks over the IRS platform.
    """

    options_form = IrsOptions
    credentials_form = IrsCredentials

    def _configure(self) -> None:
        options, credentials = self._options, self.route.credentials
        self._county = options.secrets == "county"
        self._shapes = Shapes(options.datas, options.empty)
        by_key, by_secret = _COUNTY if self._county else _PLATFORM
        application = IrsApplication(
            app_key=credentials.app_key,
            app_secret=credentials.app_secret,
            by_key=self.route.url(options.by_key or by_key),
            by_secret=self.route.url(options.by_secret or by_secret),
            content_types=options.content_types,
        )
        self._app_key = application.app_key
        steps = (CountySteps if self._county else PlatformSteps)(application, self.transport, self.clock)
        key = holder("irs", self.route.address, self._app_key)
        self._secrets = IrsSecrets(steps, key, self.clock, self.store)
        if self._county:
            # Spelled so, and in the query: it names us alone.
            self.url = self.url.copy_with(params={"appkey": self._app_key})

    async def ask(self, question: Question, capability: str, terms: Mapping[str, str]) -> Rows:
        fields = self._form_fields(question, terms)
        until = self._attempt_deadline(question)
        ring = await self._secrets.current(until)
        refreshed = False
        empties = 0
        for left in reversed(range(TRIES)):
            request_time = self.clock.milliseconds()
            signed = sign(self._app_key, ring.secret.text, request_time)
            headers, body = self._request(fields, signed, request_time)
            raw = await self._send(question, capability, headers, body, until)
            envelope: Envelope = await self._decoded(raw)
            match self._code(envelope):
                case irs_envelope.OK:
                    if envelope.records or empties >= self._options.ask_empty_again or not left:
                        return Rows(
                            records=envelope.records,
                            answered_at=raw.answered_at,
                            reference=envelope.reference,
                            drift=envelope.drift,
                        )
                    empties += 1
                case irs_envelope.OUT_OF_TIME if left and not refreshed:
                    refreshed = True
                    ring = await self._secrets.renew(ring, until)
                case irs_envelope.WRONG_SIGN if left:
                    ring = await self._secrets.renew(ring, until, anew=True)
                case _:
                    raise self._error(envelope, raw)
        raise AssertionError  # the last try returns or raises

    def _code(self, envelope: Envelope) -> str:
        dead = self._county and envelope.code != irs_envelope.OK and _COUNTY_WORD in envelope.text
        return irs_envelope.OUT_OF_TIME if dead else envelope.code

    def _form_fields(self, question: Question, terms: Mapping[str, str]) -> dict[str, str]:
        official, matter = question.official, question.matter
        if number := terms.get("id_number"):
            # A lower-case check character is a different number to them.
            terms = {**terms, "id_number": number[:-1] + number[-1].upper()}
        additional = {
            "powerMatters": matter_code(self._options.matters, matter.kind),
            "accesscardId": official.id_number,
            "projectId": matter.work_order,
            "materialName": self._options.material,
            "sponsorName": official.unit_name,
            "sponsorCode": official.unit_code,
        }
        if self._options.sub_matters:
            additional["subPowerMatters"] = matter_code(self._options.sub_matters, matter.kind)
        return self._agency_terms(question, terms) | {"additional": json.dumps(additional, ensure_ascii=False)}

    def _request(self, fields: Mapping[str, str], signed: str, request_time: str) -> tuple[Headers, bytes]:
        if self._options.style == "json":
            headers = json_headers(
                (b"appKey", self._app_key.encode("ascii")),
                (b"sign", signed.encode("ascii")),
                (b"requestTime", request_time.encode("ascii")),
            )
            return headers, json.dumps(fields, ensure_ascii=False).encode()
        signature = {"sign": signed, "requestTime": request_time}
        if not self._county:
            signature["appKey"] = self._app_key
        return FORM, form({**signature, **fields})

    def _decode(self, raw: RawAnswer) -> Envelope:
        decode.check_content_type(raw.content_type, self._options.content_types, self._options.charset)
        envelope = read_envelope(raw.body, self._options.charset)
        if envelope.code != irs_envelope.OK:
            return envelope
        records, drift = self._shapes.read(envelope.datas)
        return replace(envelope, records=self._check_row_limit(records), drift=(*envelope.drift, *drift))

    def _error(self, envelope: Envelope, raw: RawAnswer) -> AgencyError:
        if self._code(envelope) in {irs_envelope.OUT_OF_TIME, irs_envelope.WRONG_SIGN}:
            return CredentialsRejected()
        if envelope.code == irs_envelope.QUOTA:
            local = raw.answered_at.astimezone(CHINA)
            turn = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return AgencyThrottled((turn - local).total_seconds(), reason=Reason.QUOTA)
        if self._options.closed_text in envelope.text:
            return AgencyThrottled(reason=Reason.OUTSIDE_HOURS)
        return AgencyFault(Reason.UNKNOWN_CODE)
