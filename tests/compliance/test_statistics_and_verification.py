"""
Figures by month, verification in the background, bundles that can be checked without us, searches under a token.
"""

import asyncio
import io
import json
import zipfile
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from audit.format.event import EventType
from audit.format.proof import Proof, check_proof
from audit.store.search import Query
from audit.store.statistics import AgencyFigures, LookupFigures, figures
from audit.verify.findings import Damage, VerificationVerdict
from gateway.audit_access import AuditAccess, SearchRevealReason
from gateway.compliance.evidence_bundle import make_bundle
from gateway.compliance.permissions import ComplianceItemNotFound
from gateway.compliance.saved_searches import LASTS, PrivateCriteria
from schemas.codes import AnswerState
from tests.compliance.court import COURT, NOW, ComplianceCourt, intent, outcome, person

pytestmark = pytest.mark.anyio


async def test_statistics_count_unsealed_fields_by_month_court_and_kind(court: ComplianceCourt) -> None:
    """Median times are ours and the agency's; an agency is available when it answered at all."""
    await court.lookup()
    await court.denied()
    late = intent("li.ting", "李婷", person(), NOW)
    await court.hub.log.append(late)
    await court.hub.log.append(outcome(late, AnswerState.UNAVAILABLE, seconds=1.5))

    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    reader = court.hub.log.reader
    statistics = await asyncio.to_thread(figures, reader, since, until, [COURT], zone="Asia/Shanghai")
    elsewhere = await asyncio.to_thread(figures, reader, since, until, ["浙0803"], zone="Asia/Shanghai")
    part = await asyncio.to_thread(figures, reader, since, until, [COURT], zone="Asia/Shanghai", most=2)

    assert statistics.lookups == (
        LookupFigures(
            month="2026-11", court=COURT, kind="service-of-process",
            asked=2, denied=1, released=2, found=1, median_ms=1000.0,
        ),
    )  # fmt: skip
    assert statistics.agencies == (
        AgencyFigures(
            month="2026-11", agency="public_security", states={AnswerState.FOUND: 1, AnswerState.UNAVAILABLE: 1},
            median_ms=900.0, p95_ms=1350.0,
        ),
    )  # fmt: skip
    assert statistics.agencies[0].availability == 0.5
    assert (elsewhere.lookups, elsewhere.agencies) == ((), ())
    assert (statistics.complete, part.complete) == (True, False)


async def test_a_verification_reports_counts_and_what_it_did_not_check(court: ComplianceCourt) -> None:
    """In the background, over the days that were asked for."""
    await court.lookup()
    court.now += timedelta(days=1)
    await court.lookup()
    await court.hub.log.sign()
    auditor, who = await court.acting("chen.jing")
    stranger, _ = await court.acting("yang.xue", "浙0803")
    checks = court.hub.compliance.verifications

    run = await checks.start(auditor, who, NOW.date(), NOW.date())
    assert await checks.start(auditor, who, None, None) == run
    await checks.aclose()
    done = checks.find(auditor, run)

    assert done.result is not None
    assert (done.result.verdict, done.result.findings) == (VerificationVerdict.INTACT, ())
    assert (done.result.records.records, done.result.good, done.result.unsigned) == (2, 2, 0)
    assert done.result.checkpoints.stored == done.result.checkpoints.signed > 0
    assert done.result.checked
    assert done.ended_at == court.now
    with pytest.raises(ComplianceItemNotFound):
        checks.find(stranger, run)


async def test_a_verification_names_the_record_that_was_altered(court: ComplianceCourt) -> None:
    """The first bad, the last good, and how many of the period are as signed."""
    indexes = [await court.lookup() for _ in range(3)]
    await court.hub.log.sign()
    owner = court.hub.settings.database_url.replace("shuniu_app", "postgres")
    with psycopg.connect(owner.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit.entry SET body = body || ' ' WHERE idx = %s", (indexes[1],))
        connection.execute("ALTER TABLE audit.entry ENABLE TRIGGER ALL")
    auditor, who = await court.acting("chen.jing")
    checks = court.hub.compliance.verifications

    run = await checks.start(auditor, who, None, None)
    await checks.aclose()
    result = checks.find(auditor, run).result

    assert result is not None
    assert (result.verdict, [finding.damage for finding in result.findings]) == (
        VerificationVerdict.ALTERED,
        [Damage.ENTRY],
    )
    assert (result.first_bad, result.last_good) == (indexes[1], indexes[1] - 1)
    assert result.records.records - result.good == 1


async def test_a_bundle_holds_every_record_with_a_proof_that_needs_no_hub(court: ComplianceCourt) -> None:
    """What it says of people depends on the purpose alone; a spreadsheet takes no cell for a formula."""
    index = await court.lookup()
    await court.hub.log.sign()
    at, why = court.now, SearchRevealReason.COURT_ORDER
    query = Query(court=COURT, types=(EventType.LOOKUP_INTENT,))
    masked = await asyncio.to_thread(make_bundle, court.hub.log, AuditAccess(query=query), at, why)
    shown = await asyncio.to_thread(make_bundle, court.hub.log, AuditAccess(query=query, reveal=why), at, why)

    with zipfile.ZipFile(io.BytesIO(masked)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files["manifest.json"])
    assert sorted(files) == [
        "README.md", "SHA256SUMS", "checkpoint", "events.jsonl", "log.vkey", "manifest.json",
        f"records/{index}.json", f"records/{index}.tlog-proof",
        f"records/{index + 1}.json", f"records/{index + 1}.tlog-proof",
    ]  # fmt: skip
    members = {name: manifest[name] for name in ("records", "proved", "criteria", "people")}
    assert members == {"records": 1, "proved": 1, "criteria": ["court", "types"], "people": False}
    assert b"330802199001010001" not in b"".join(files.values())
    with zipfile.ZipFile(io.BytesIO(shown)) as archive:
        assert b"330802199001010001" in archive.read("events.jsonl")
    key = court.hub.log.keys.signer.vkey
    proof = Proof.parse(files[f"records/{index}.tlog-proof"])
    check_proof(proof, files[f"records/{index}.json"], key.name, [key])


async def test_a_saved_search_works_for_its_owner_for_eight_hours(court: ComplianceCourt) -> None:
    """The token says nothing; neither does the row."""
    auditor, _ = await court.acting("chen.jing")
    stranger, _ = await court.acting("yang.xue", "浙0803")
    handles = court.hub.compliance.saved_searches
    private = PrivateCriteria(
        subject=replace(person(), name=None), user="li.ting", reveal=SearchRevealReason.COMPLAINT, note="投诉"
    )

    token = await handles.save(auditor, private)
    assert await handles.find(auditor, token) == private
    with pytest.raises(ComplianceItemNotFound):
        await handles.find(stranger, token)
    court.now += LASTS
    with pytest.raises(ComplianceItemNotFound):
        await handles.find(auditor, token)
