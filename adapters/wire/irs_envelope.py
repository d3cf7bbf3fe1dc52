"""
The envelope of the IRS platform: HTTP 200 for everything, `code` as a text, the body in `datas`.

    00     read `datas`
    11     secret out of its time
    14     wrong signature: another holder refreshed, or the secret is not ours
    18     daily quota used up
    other  permanent failure
"""

from dataclasses import dataclass
from typing import Any, Final

from adapters.errors import AnswerUnreadable
from adapters.wire import decode
from adapters.wire.irs_payload import Records
from schemas.codes import Reason

OK: Final = "00"
OUT_OF_TIME: Final = "11"
WRONG_SIGN: Final = "14"
QUOTA: Final = "18"

FORM: Final = [(b"Content-Type", b"application/x-www-form-urlencoded; charset=UTF-8")]

_KNOWN: Final = frozenset(
    {"code", "msg", "data", "datas", "dataCount", "totalDataCount", "totalPage", "requestId", "interfaces"}
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer of the platform; `records` once its shape is read.  `text` is theirs and never shown."""

    code: str
    text: str
    data: Any
    datas: Any
    reference: str | None
    drift: tuple[str, ...]
    records: Records = ()


def read_envelope(body: bytes, charset: str = decode.UTF_8) -> Envelope:
    """The envelope of an answer.  Raises `AnswerUnreadable`."""
    envelope = decode.json_value(decode.text(body, charset=charset))
    if not isinstance(envelope, dict) or not isinstance(envelope.get("code"), str):
        raise AnswerUnreadable(at="code")
    if envelope["code"] == OK and "datas" not in envelope:
        raise AnswerUnreadable(Reason.MISSING_LEAF, at="datas")
    pages = str(envelope.get("totalPage"))
    if pages.isdecimal() and int(pages[:9]) > 1:
        # One page was asked for and one is read: half a list must not pass for the whole.
        raise AnswerUnreadable(at="totalPage")
    return Envelope(
        code=envelope["code"],
        text=str(envelope.get("msg")),
        data=envelope.get("data"),
        datas=envelope.get("datas"),
        reference=decode.reference(envelope.get("requestId")),
        drift=tuple(f"envelope/{name}" for name in envelope if name not in _KNOWN),
    )


def form(fields: dict[str, str]) -> bytes:
    """A form body."""
    return "&".join(f"{name}={_quoted(value)}" for name, value in fields.items()).encode("ascii")


def _quoted(value: str) -> str:
    if not value or (value.isascii() and value.isalnum()):
        return value
    # Every byte is escaped, in one step: a third of the time that picking out the unsafe ones takes.
    return "%" + value.encode().hex("%").upper()
