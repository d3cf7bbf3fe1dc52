"""
The clerk's pages over HTTP, without a script: list, question, answer, reveal, use, record, verification.
"""

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit.format.note import VerifierKey
from audit.format.proof import Proof, check_proof
from tests.court import Party, RunningCourt
from tests.web.reader import Reader

Readers = Callable[..., Reader]


def asks(clerk: Reader, number: str, party: int = 1) -> str:
    """Asks everything about a party and arrives at the stored answer; its address."""
    clerk.get(f"/work-orders/{number}?party={party}")
    clerk.send("form#ask")
    assert clerk.at.url.path.startswith("/lookups/"), clerk.at.text
    return clerk.at.url.path


def masked(party: Party) -> str:
    """A number as a page may show it."""
    return f"{party['id_number'][:4]}••••••{party['id_number'][-4:]}"


def test_a_clerk_sees_own_work_orders_only(court: RunningCourt, reader: Readers) -> None:
    """Filtered by number, with parties, kind and the end of the right."""
    person = court.cast["moved"]
    number = court.dispatch(person)

    holder, other = reader("li.ting"), reader("wang.qiang")
    holder.get(f"/work-orders?said={number}")
    other.get(f"/work-orders?said={number}")

    (row,) = [text for text in holder.texts("tbody tr") if text.startswith(f"{number} ")]
    assert [word in row for word in (person["name"], "送达", "1877号", str(datetime.now(UTC).year))] == [True] * 4
    assert other.page.select("tbody tr") == []
    assert other.get(f"/work-orders/{number}").status_code == 404


def test_pages_of_a_long_list_neither_repeat_nor_lose_a_work_order(court: RunningCourt, reader: Readers) -> None:
    """By the end of the right, then by number."""
    numbers = {court.dispatch(court.cast["moved"], case_number="（2026）浙0802民初9031号") for _ in range(27)}
    clerk = reader("li.ting")
    clerk.get("/work-orders?said=(2026)浙0802民初9031号")
    first = clerk.texts("tbody th")
    clerk.get(str(clerk.page.select_one("a[rel=next]")["href"]))  # type: ignore[index]
    second = clerk.texts("tbody th")

    assert (len(first), len(second)) == (25, 2)
    assert set(first) | set(second) == numbers


def test_the_answer_shows_every_agency_every_source_and_the_law(court: RunningCourt, reader: Readers) -> None:
    """Addresses in the order of their ranks, each with its provision; numbers in part only."""
    person = court.cast["moved"]
    clerk = reader("li.ting", language="en")
    asks(clerk, court.dispatch(person))

    assert set(clerk.texts(".card h3")) >= {"Public security", "Market regulation"}
    assert clerk.texts(".addresses .rank")[0].startswith("1 rank")
    assert "法发〔2017〕19号" in clerk.text(".addresses li")
    assert masked(person) in clerk.text(".cards")
    assert person["id_number"] not in clerk.at.text
    assert re.search(r"Audit records \d+ \(asked\) and \d+ \(answered\)", clerk.text())


def test_absent_and_withheld_fields_have_two_sentences(court: RunningCourt, reader: Readers) -> None:
    """Nothing is an empty cell."""
    clerk = reader("li.ting", language="en")
    asks(clerk, court.dispatch(court.cast["moved"], kind="judgment-service"))

    cards = clerk.text(".cards")
    assert "Not held by this agency" in cards
    assert "Withheld: not in your grant" in cards


def test_a_form_that_fills_itself_shows_its_state(court: RunningCourt, reader: Readers) -> None:
    """Where the kind of the work order has one; others say nothing of it."""
    with_form = court.dispatch(court.cast["moved"], kind="judgment-service")
    without = court.dispatch(court.cast["moved"], kind="party-identity-check")
    clerk = reader("li.ting", language="en")

    mentions = [
        clerk.get(f"/work-orders/{number}").text.count("Form that fills itself") for number in (with_form, without)
    ]

    assert mentions == [1, 0]


def test_an_agency_that_does_not_answer_is_named_and_the_rest_stands(
    court: RunningCourt, reader: Readers, healed: Callable[..., None]
) -> None:
    """Half an answer is still an answer, and says that it is half."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    healed("human_resources", "close_after_read")
    clerk = reader("li.ting", language="en")
    asks(clerk, number)

    assert "Part of the answer is missing." in clerk.text(".notice-warning")
    assert "Not available now" in clerk.text("#card-human_resources")
    assert person["name"] in clerk.text("#card-public_security")


def test_a_lookup_without_a_section_is_an_error_of_the_form(court: RunningCourt, reader: Readers) -> None:
    """The error stands beside the field and leads the title."""
    clerk = reader("li.ting", language="en")
    clerk.get(f"/work-orders/{court.dispatch(court.cast['moved'])}")
    clerk.send("form#ask", want=[])

    assert clerk.at.status_code == 422
    assert clerk.text("title").startswith("Error: ")
    assert clerk.texts("#want-error") == ["Choose at least one thing to ask for."]


def test_a_number_is_shown_in_full_for_a_reason_and_on_record(court: RunningCourt, reader: Readers) -> None:
    """Without a reason it is not; the record names field and reason, and the number nowhere."""
    person = court.cast["moved"]
    clerk = reader("li.ting", language="en")
    lookup = asks(clerk, court.dispatch(person))
    clerk.get(f"{lookup}/reveal?field=identity.id_number")
    clerk.send("form.reveal")
    without = (clerk.at.status_code, person["id_number"] in clerk.at.text)
    clerk.send("form.reveal", reason="check_number")
    revealed = clerk.at.text
    last = court.events(type="field.revealed")[-1]["event"]

    assert without == (422, False)
    assert person["id_number"] in revealed
    assert clerk.at.headers["cache-control"] == "no-store"
    assert (last["type"], last["released"]) == ("field.revealed", ["identity.id_number"])
    assert last["detail"] == {"lookup": lookup.removeprefix("/lookups/"), "reason": "check_number"}


def test_an_address_is_taken_and_stays_marked(court: RunningCourt, reader: Readers) -> None:
    """Which one, by its place and what it is, never by its text."""
    clerk = reader("li.ting", language="en")
    lookup = asks(clerk, court.dispatch(court.cast["moved"]))
    clerk.send("#address-1 form")
    marked = clerk.texts("#address-1 .state")
    used = [entry["event"] for entry in court.events() if entry["event"]["type"] == "address.used"][-1]

    assert marked[0].startswith("In use since")
    assert used["detail"] == {
        "lookup": lookup.removeprefix("/lookups/"),
        "place": 1,
        "kind": used["detail"]["kind"],
        "rank": 5,
    }
    assert clerk.client.post(f"{lookup}/use", data={"place": "1"}).status_code == 403


def test_a_closed_work_order_closes_its_pages(court: RunningCourt, reader: Readers) -> None:
    """Nothing is asked, shown, printed or revealed; the page says why and who can change it."""
    person = court.cast["moved"]
    number = court.dispatch(person)
    clerk = reader("li.ting", language="en")
    lookup = asks(clerk, number)
    clerk.get(f"/work-orders/{number}")
    court.restate(number, person, version=2, status="closed")

    clerk.send("form#ask", version="2")
    refusal = (clerk.at.status_code, clerk.text())
    opened = [clerk.get(f"{lookup}{path}").status_code for path in ("", "/record")]
    clerk.get(f"/work-orders/{number}")

    assert refusal[0] == 403
    assert "have it reopened in the ticket system" in refusal[1]
    assert opened == [403, 403]
    assert clerk.page.select("form#ask") == []
    assert "closed or suspended" in clerk.text(".identity")


def test_a_page_of_an_older_version_asks_nothing(court: RunningCourt, reader: Readers) -> None:
    """The parties may stand in another order by now."""
    first, second = court.cast["moved"], court.cast["renamed"]
    number = court.dispatch(first, second)
    clerk = reader("li.ting", language="en")
    clerk.get(f"/work-orders/{number}?party=2")
    court.restate(number, second, first, version=2)

    clerk.send("form#ask")

    assert clerk.at.status_code == 403
    assert "Open the work order again" in clerk.text()


def test_the_printed_record_is_proved_by_the_log(court: RunningCourt, reader: Readers) -> None:
    """By the check value on the paper, without signing in, and offline by the files that the page gives."""
    clerk, judge = reader("li.ting", language="en"), reader(language="en")
    lookup = asks(clerk, court.dispatch(court.cast["moved"]))
    clerk.get(f"{lookup}/record")
    digest = "".join(clerk.text("#check-value").split())
    printed = [entry for entry in court.events() if entry["event"]["type"] == "record.printed"][-1]
    record = str(printed["index"])

    judge.get(f"/verify?record={record}&digest={digest}")
    notice = judge.text(".notice")
    packed = zipfile.ZipFile(io.BytesIO(judge.client.get(f"/verify/proof?record={record}&digest={digest}").content))
    entry, proof = packed.read(f"{record}.entry"), packed.read(f"{record}.tlog-proof")
    key = VerifierKey.parse(packed.read("log.vkey").decode().strip())
    judge.get(f"/verify?record={record}&digest={'0' * 64}")

    assert printed["event"]["detail"]["digest"] == digest
    assert "This record stands in the audit log." in notice
    assert check_proof(Proof.parse(proof), entry, key.name, [key]).size > int(record)
    assert digest.encode() in entry
    assert judge.texts(".notice strong") == ["No printing of this number has this check value."]
    assert clerk.page.select_one("svg.code") is not None


def test_an_uploaded_proof_is_checked_against_the_logs_key(court: RunningCourt, reader: Readers) -> None:
    """And one changed byte is not proved."""
    clerk, judge = reader("li.ting"), reader(language="en")
    lookup = asks(clerk, court.dispatch(court.cast["moved"]))
    clerk.get(f"{lookup}/record")
    digest = "".join(clerk.text("#check-value").split())
    record = [entry for entry in court.events() if entry["event"]["type"] == "record.printed"][-1]["index"]
    packed = zipfile.ZipFile(io.BytesIO(judge.client.get(f"/verify/proof?record={record}&digest={digest}").content))
    entry, proof = packed.read(f"{record}.entry"), packed.read(f"{record}.tlog-proof")

    good = judge.client.post("/verify", files={"entry": entry, "proof": proof}).text
    bad = judge.client.post("/verify", files={"entry": entry + b" ", "proof": proof}).text

    assert "Proved." in good
    assert "Not proved." in bad


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_of_a_clerk_puts_a_person_into_its_address_or_title(
    court: RunningCourt, reader: Readers, language: str
) -> None:
    """Nor into a link."""
    person = court.cast["moved"]
    clerk = reader("li.ting", language=language)
    lookup = asks(clerk, court.dispatch(person))
    addresses = []
    for path in ("/work-orders", lookup, f"{lookup}/record", f"{lookup}/reveal?field=identity.id_number"):
        clerk.get(path)
        addresses += [str(clerk.at.url), clerk.text("title"), *(str(a["href"]) for a in clerk.page.select("a[href]"))]

    assert [text for text in addresses if person["id_number"] in text or person["name"] in text] == []
