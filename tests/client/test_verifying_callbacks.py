"""
What a ticket system does with a callback before it believes it.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from shuniu_client import (
    CallbackAltered,
    CallbackLate,
    CallbackMalformed,
    CallbackRejected,
    CallbackReplayed,
    verify_callback,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "autofill-1",
    "source": "/courts/%E6%B5%990802",
    "type": "cn.shuniu.autofill.finished.v1",
    "subject": "1",
    "time": "2026-11-24T07:59:59.000Z",
    "datacontenttype": "application/json",
    "data": {"fields": []},
}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()


def clock() -> datetime:
    """The receiver's clock."""
    return NOW


def signed(body: bytes = BODY, *, secret: str = SECRET, at: datetime = NOW, id_: str = "autofill-1") -> dict[str, str]:
    """The headers that the public library makes."""
    return {
        "Webhook-Id": id_,
        "Webhook-Timestamp": str(int(at.timestamp())),
        "Webhook-Signature": Webhook(secret).sign(id_, at, body.decode()),
    }


def test_a_genuine_callback_is_read() -> None:
    """By its parts, and without showing what it tells."""
    callback = verify_callback(signed(), BODY, SECRET, clock=clock)

    assert (callback.id, callback.type, callback.subject) == ("autofill-1", EVENT["type"], "1")
    assert callback.time == datetime(2026, 11, 24, 7, 59, 59, tzinfo=UTC)
    assert callback.data == {"fields": []}
    assert "fields" not in repr(callback)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_changed_byte_is_noticed(place: int, change: int) -> None:
    """Wherever it stands."""
    altered = bytearray(BODY)
    altered[place] ^= change

    with pytest.raises(CallbackAltered):
        verify_callback(signed(), bytes(altered), SECRET, clock=clock)


@pytest.mark.parametrize("name", ["Webhook-Id", "Webhook-Timestamp"])
def test_a_changed_header_is_noticed(name: str) -> None:
    """Id and time are signed too."""
    headers = signed()
    headers[name] = {"Webhook-Id": "autofill-2", "Webhook-Timestamp": str(int(NOW.timestamp()) + 1)}[name]

    with pytest.raises(CallbackAltered):
        verify_callback(headers, BODY, SECRET, clock=clock)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_late_one_is_refused(minutes: int) -> None:
    """Signed six minutes ago, or in six minutes."""
    headers = signed(at=NOW + timedelta(minutes=minutes))

    with pytest.raises(CallbackLate):
        verify_callback(headers, BODY, SECRET, clock=clock)
    assert verify_callback(headers, BODY, SECRET, clock=clock, tolerance=timedelta(minutes=7)).id == "autofill-1"


def test_a_replayed_one_is_refused() -> None:
    """Genuine, but taken before: the receiver answers 2xx and does nothing."""
    with pytest.raises(CallbackReplayed):
        verify_callback(signed(), BODY, SECRET, clock=clock, seen={"autofill-1"}.__contains__)


def test_another_secret_does_not_fit_and_during_rotation_either_does() -> None:
    """Several signatures stand side by side, and several secrets may be held against them."""
    headers = signed(secret=OTHER)
    both = headers | {"Webhook-Signature": f"{headers['Webhook-Signature']} {signed()['Webhook-Signature']}"}

    with pytest.raises(CallbackAltered):
        verify_callback(headers, BODY, SECRET, clock=clock)
    assert verify_callback(both, BODY, SECRET, clock=clock) == verify_callback(both, BODY, OTHER, clock=clock)
    assert verify_callback(headers, BODY, [SECRET, OTHER], clock=clock).id == "autofill-1"


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()))
def test_whatever_the_headers_say_it_is_refused_in_order(headers: dict[str, str]) -> None:
    """No header makes the check fail in another way than by refusing."""
    with pytest.raises(CallbackRejected):
        verify_callback(headers, BODY, SECRET, clock=clock)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"x", json.dumps(EVENT | {"id": "autofill-2"}).encode()])
def test_what_is_no_event_of_this_id_is_malformed(body: bytes) -> None:
    """Even if it is signed."""
    with pytest.raises(CallbackMalformed):
        verify_callback(signed(body), body, SECRET, clock=clock)
