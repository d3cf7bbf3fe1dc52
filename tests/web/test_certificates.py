"""
Certificates of the agencies' connections, on the page of administration: until when they serve, and a warning in words.
"""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from adapters.wire.tls import Expiry
from gateway.api.agencies import AgencyView
from gateway.web.administration.common import AdministrationPage
from gateway.web.administration.status import certificates
from gateway.web.i18n import Language
from tests.web.rendered import rendered

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def page(language: Language, *days: float) -> str:
    """The page of one agency whose files end in so many days: the roots first, then our own."""
    ends = [Expiry(file, NOW + timedelta(days=left)) for file, left in zip(("roots", "identity"), days, strict=True)]
    agency = AgencyView(
        id="public_security",
        names={"zh": "公安", "en": "Public security"},
        legal_basis="《居民身份证法》",
        repeatable=True,
        retention_days=0,
        certificates=[],
        capabilities=[],
    )
    return rendered(
        "administration/agencies.html",
        "/administration/agencies",
        language,
        current=AdministrationPage.AGENCIES,
        navigation=[],
        agencies=[agency],
        certificates={agency.id: certificates(ends, NOW)},
        lines={},
        wants={},
    )


@pytest.mark.parametrize(
    ("language", "facts", "warned"),
    [
        (
            Language.ZH,
            "信任的根证书 有效期至2027年11月24日 12:00:00 剩余365天 本院证书 有效期至2026年12月14日 12:00:00 剩余20天",
            ["本院证书：剩余20天，2026年12月14日 12:00:00到期。请立即申请新证书。"],
        ),
        (
            Language.EN,
            "Roots that we trust until 24 Nov 2027, 12:00:00 365 days left "
            "The court's own certificate until 14 Dec 2026, 12:00:00 20 days left",
            ["The court's own certificate: 20 days left, until 14 Dec 2026, 12:00:00. Ask for the next one now."],
        ),
    ],
    ids=["zh", "en"],
)
def test_every_certificate_is_told_and_one_that_ends_within_thirty_days_is_warned_of(
    language: Language, facts: str, warned: list[str]
) -> None:
    """In both languages."""
    html = BeautifulSoup(page(language, 365, 20), "lxml")

    assert [" ".join(place.get_text(" ").split()) for place in html.select(".facts")] == [facts]
    assert [" ".join(place.get_text(" ").split()) for place in html.select(".notice-warning")] == warned
    assert html.select(".notice-stop") == []


def test_one_that_is_over_says_that_the_agency_cannot_be_reached() -> None:
    """And how long ago it ended, instead of days that are left."""
    html = BeautifulSoup(page(Language.EN, 400, -0.5), "lxml")

    assert [" ".join(place.get_text(" ").split()) for place in html.select(".notice-stop")] == [
        "The court's own certificate: over since 24 Nov 2026, 00:00:00. "
        "The agency cannot be reached with it; put the next one in its place."
    ]
    assert "left" not in html.select(".facts dd")[1].get_text()
