"""
The signatures of both platforms, against vectors computed once and for all.
"""

import pytest

from adapters.wire import irs_secrets, national

IRS_VECTORS = [
    ("DEMO_APP_KEY", "demo_app_secret", "1700000000000", "657d65126d3898ce91d1f8fd1b545c82"),
    ("DEMO_APP_KEY", "0123456789abcdef0123456789abcdef", "1700000900000", "32801961175d217fef1e92a5b9be032d"),
    ("DEMO_APP_KEY", "fedcba9876543210fedcba9876543210", "1700000000000", "99952b2da3d4b7efac002b529489e404"),
]
SID, RID, RTIME = "s_1200000900000_2108", "11111111-2222-3333-4444-555555555555", "1700000000000"


@pytest.mark.parametrize(("app_key", "secret", "request_time", "expected"), IRS_VECTORS)
def test_the_irs_signature_is_the_digest_of_key_secret_and_time(
    app_key: str, secret: str, request_time: str, expected: str
) -> None:
    """Key, secret and time stand in that order with nothing between them."""
    assert irs_secrets.sign(app_key, secret, request_time) == expected


def test_the_irs_signature_never_changes_the_case_of_the_key() -> None:
    """A client that lower-cases the key signs for another key, and is rejected."""
    lowered = irs_secrets.sign("demo_app_key", "demo_app_secret", "1700000000000")

    assert lowered == "e232bdaef500fbf0efe3d84caa87e1f7"
    assert lowered != irs_secrets.sign("DEMO_APP_KEY", "demo_app_secret", "1700000000000")


def test_the_national_signature_takes_service_request_and_time_in_that_order() -> None:
    """The wrong order gives another signature, which the platform rejects."""
    assert national.sign(SID, RID, RTIME, "demo_app_secret") == "tgvUiVqnipAMrP5GJV2WXFEd7MDyKSUIqgliSgJ7HLI="
    assert national.sign(RID, SID, RTIME, "demo_app_secret") == "dQ9ifRk4me1bgNUHx1/mSf2/f5JEHHPGjGWSn67DQa4="


def test_a_refresh_at_the_national_platform_is_signed_with_the_application_key() -> None:
    """The long-term key signs for the next secret."""
    assert national.sign(SID, RID, RTIME, "demo_app_key") == "wtBO3z8kNZp+3g23lIWVPXxFLZDHKqLnwSJ65fYB8Ws="


def test_the_secret_of_the_national_platform_opens_with_the_application_key() -> None:
    """The platform hands the secret out encrypted for us."""
    assert national.decrypt_secret("demo_app_key", "H6FhzsPyBrdHSiftdQY7Nw==") == "demo_app_secret"


@pytest.mark.parametrize("secret", ["", "H6FhzsPyBrdHSiftdQY7", "AAAAAAAAAAAAAAAAAAAAAA==", "not base64", "é"])
def test_a_secret_for_another_key_does_not_open(secret: str) -> None:
    """What cannot be opened is no secret."""
    assert national.decrypt_secret("demo_app_key", secret) is None
