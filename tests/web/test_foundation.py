"""
What is true of every page: who may see it, in which language, what the browser is told, and what a refusal looks like.
"""

import gzip
import hashlib
import re
import tomllib
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from gateway.web.assets import ASSETS, STATIC
from gateway.web.clerk.cards import Fact, FactSource, OtherStatement
from gateway.web.clerk.labels import Words
from gateway.web.headers import PAGE_HEADERS
from gateway.web.i18n import Language
from gateway.web.templating import TEMPLATES, environment
from tests.court import RunningCourt
from tests.web.reader import Reader

Readers = Callable[..., Reader]


def test_who_is_not_signed_in_is_shown_the_way_in(reader: Readers) -> None:
    """In Chinese unless the browser prefers English."""
    zh, en = reader(), reader(language="en-GB,en;q=0.9")

    zh.get("/")
    en.get("/")

    assert (zh.at.status_code, zh.texts("main .button")) == (200, ["使用本院统一登录"])
    assert (en.at.status_code, en.texts("main .button")) == (200, ["Sign in with the court's sign-on"])
    assert [str(visitor.page.html["lang"]) for visitor in (zh, en)] == ["zh-CN", "en"]  # type: ignore[index]


def test_a_page_that_needs_a_person_leads_to_the_sign_in_and_back(reader: Readers) -> None:
    """The way back is the address that was wanted, and addresses of other hosts are none."""
    stranger = reader()
    stranger.client.follow_redirects = False

    wanted = stranger.get("/work-orders?kind=a&after=b")
    elsewhere = stranger.get("/sign-in?to=//evil.example")

    assert (wanted.status_code, wanted.headers["location"]) == (303, "/sign-in?to=/work-orders%3Fkind%3Da%26after%3Db")
    assert elsewhere.status_code == 422


def test_every_page_says_what_browsers_may_do_with_it(reader: Readers) -> None:
    """No script but ours, no frame, nothing kept; on a refusal as well."""
    clerk = reader("li.ting")

    answers = [clerk.get("/work-orders"), clerk.get("/nowhere"), clerk.get("/verify"), reader().get("/")]

    for answer in answers:
        assert {name: answer.headers.get(name) for name in PAGE_HEADERS} == PAGE_HEADERS


def test_a_clerk_arrives_at_the_work_orders_and_leaves_by_the_door(reader: Readers) -> None:
    """After signing out the way in is shown, and the session's pages are closed."""
    clerk = reader("li.ting")
    arrived = clerk.at.url.path

    clerk.send("form[action='/sign-out']")
    left = clerk.at.url.path
    clerk.client.follow_redirects = False
    afterwards = clerk.get("/work-orders")

    assert (arrived, left) == ("/work-orders", "/")
    assert clerk.client.cookies.get("shuniu-session") is None
    assert afterwards.status_code == 303


def test_language_and_theme_are_kept_in_cookies(reader: Readers) -> None:
    """Chosen by a button on every page, which leads back to the same page."""
    stranger = reader()
    stranger.get("/verify")
    stranger.send("form.look", "language=en")
    stranger.send("form.look", "theme=dark")

    assert stranger.at.url.path == "/verify"
    assert stranger.page.html is not None
    assert (stranger.page.html["lang"], stranger.page.html["data-theme"]) == ("en", "dark")


def test_another_site_can_send_none_of_our_forms(reader: Readers, court: RunningCourt) -> None:
    """Not even the switch of the language; and a form without the session's token counts for nothing."""
    clerk = reader("li.ting")
    own, other = {"Origin": court.demo.address}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    forged = clerk.client.post("/preferences", data={"language": "en", "to": "/"}, headers=other)
    without = clerk.client.post("/sign-out", headers=own)
    led_away = clerk.client.post("/preferences", data={"to": "//evil.example"}, headers=own, follow_redirects=False)

    assert (forged.status_code, without.status_code) == (403, 403)
    assert led_away.headers["location"] == "/"
    assert clerk.get("/work-orders").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "heading"), [("/nowhere", 404, "页面不存在"), ("/signed-in", 403, "不允许此操作")]
)
def test_a_refusal_is_a_page_for_people_and_a_problem_for_programs(
    reader: Readers, court: RunningCourt, path: str, status: int, heading: str
) -> None:
    """Same address, same status; what differs is who asks."""
    person = reader()

    page = person.get(path)
    problem = httpx.get(court.demo.address + path, trust_env=False)

    assert (page.status_code, person.texts("h1")) == (status, [heading])
    assert (problem.status_code, problem.headers["content-type"]) == (status, "application/problem+json")


def test_the_audit_administrator_is_no_clerk(reader: Readers) -> None:
    """A room of other roles is refused in words."""
    auditor = reader("chen.jing", language="en")
    auditor.get("/work-orders")

    assert auditor.at.status_code == 403
    assert "belongs to a role that you do not hold" in auditor.text()


def test_files_are_kept_for_good_under_the_name_of_their_content(court: RunningCourt) -> None:
    """Packed where the browser can unpack; an address of other content is nowhere."""
    style = ASSETS["shuniu.css"]

    answer = httpx.get(court.demo.address + style.address, trust_env=False)
    other = httpx.get(court.demo.address + "/assets/0000000000000000/shuniu.css", trust_env=False)

    assert answer.content == style.content
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(style.packed) == style.content
    assert other.status_code == 404


def test_all_files_together_weigh_less_than_thirty_kilobytes_packed() -> None:
    """The rest of 150 kB is for the page itself."""
    assert sum(len(asset.packed) for asset in ASSETS.values()) < 30_000


def test_every_vendored_file_is_the_one_of_the_manifest() -> None:
    """Nothing is added, missing or changed."""
    listed = {}
    for name, package in tomllib.loads((STATIC / "vendor.toml").read_text(encoding="utf-8")).items():
        folder = STATIC / "vendor" / f"{name}-{package['version']}"
        listed |= {folder / file: digest for file, digest in package["sha256"].items()}

    assert {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in STATIC.glob("vendor/*/*")} == listed


def test_no_template_holds_an_inline_style_or_script_or_another_host() -> None:
    """What the policy forbids is not even written."""
    ours = [*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.svg"), STATIC / "shuniu.css", STATIC / "shuniu.js"]
    wrong = re.compile(r"""\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:|https?://(?!www\.w3\.org/)""")

    forbidden = {path.name: wrong.findall(path.read_text(encoding="utf-8")) for path in ours}

    assert {name: hits for name, hits in forbidden.items() if hits} == {}


def test_what_an_agency_writes_is_text_wherever_it_is_shown() -> None:
    """A company named like a script, in a field, beside it, and as an address of a file."""
    odd = "<script>alert(1)</script>"
    odd_fact = Fact(
        key="identity.name",
        name=Words(odd, odd),
        value=odd,
        sources=(FactSource(agency=Words(odd, odd), as_of=date(2026, 1, 1)),),
        others=(OtherStatement(value=odd, sources=()),),
    )
    source = '{% from "clerk/macros.html" import fact, from_of, copy with context %}{{ fact(odd_fact, "v", None) }}'
    html = environment(Language.EN).from_string(source).render(odd_fact=odd_fact)

    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5
