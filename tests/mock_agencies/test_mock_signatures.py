"""
The arithmetic of the two gates, against vectors that were computed elsewhere.
"""

import json

import pytest

from mock_agencies import national
from mock_agencies.human_resources import gateway
from mock_agencies.human_resources.gateway import GatewaySecrets

IRS = (
    ("DEMO_APP_KEY", "demo_app_secret", "1700000000000", "657d65126d3898ce91d1f8fd1b545c82"),
    ("DEMO_APP_KEY", "0123456789abcdef0123456789abcdef", "1700000900000", "32801961175d217fef1e92a5b9be032d"),
    ("DEMO_APP_KEY", "fedcba9876543210fedcba9876543210", "1700000000000", "99952b2da3d4b7efac002b529489e404"),
    ("demo_app_key", "demo_app_secret", "1700000000000", "e232bdaef500fbf0efe3d84caa87e1f7"),
)
SID = "s_1200000900000_2108"
RID = "11111111-2222-3333-4444-555555555555"
RTIME = "1700000000000"


@pytest.mark.parametrize(("app_key", "secret", "request_time", "expected"), IRS)
def test_gateway_signature_is_md5_of_key_secret_and_time(
    app_key: str, secret: str, request_time: str, expected: str
) -> None:
    """MD5 over key, secret and time, case untouched."""
    assert gateway.sign(app_key, secret, request_time) == expected


def test_secrets_live_fifteen_minutes_and_two_days() -> None:
    """Both end times of one refresh at a known moment."""
    datas = GatewaySecrets.issued_at(1_700_000_000_000).as_datas()

    assert (datas["requestSecretEndTime"], datas["refreshSecretEndTime"]) == (1_700_000_900_000, 1_700_172_800_000)
    assert [len(str(datas[name])) for name in ("requestSecret", "refreshSecret")] == [32, 32]


def test_platform_signature_is_hmac_of_sid_rid_and_time() -> None:
    """HMAC-SHA256 in Base64; the order of the stray sample gives something else."""
    assert national.sign(SID, RID, RTIME, "demo_app_secret") == "tgvUiVqnipAMrP5GJV2WXFEd7MDyKSUIqgliSgJ7HLI="
    assert national.sign(RID, SID, RTIME, "demo_app_secret") == "dQ9ifRk4me1bgNUHx1/mSf2/f5JEHHPGjGWSn67DQa4="
    assert national.sign(SID, RID, RTIME, "demo_app_key") == "wtBO3z8kNZp+3g23lIWVPXxFLZDHKqLnwSJ65fYB8Ws="


def test_platform_secrets_are_encrypted_as_java_does() -> None:
    """SHA1PRNG's key and one AES block, as JDK 17 gives them."""
    assert national.secret_key("demo_app_key").hex() == "5bfa5f7d4e45ca8a2a98e8cb21a644b2"
    assert national.encrypt_secret("demo_app_secret", "demo_app_key") == "H6FhzsPyBrdHSiftdQY7Nw=="


def test_envelope_code_is_text() -> None:
    """The gateway's `code` is a string, and a refusal is an HTTP 200."""
    refusal = gateway.refused("why", "14")

    assert (refusal.answer.status, json.loads(refusal.answer.body)["code"]) == (200, "14")
