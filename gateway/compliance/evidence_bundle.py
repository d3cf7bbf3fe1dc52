"""
An evidence bundle: the hits of a search as a ZIP that can be verified without the hub.

`events.jsonl` or `events.csv` holds the records, `records/` the exact bytes of each beside its offline proof,
`checkpoint` and `log.vkey` what the proofs end in, `manifest.json` the criteria and the purpose.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

from audit.export.formats import ExportFormat, serialize
from audit.format.proof import Proof
from audit.format.tree import inclusion_proof
from audit.store.log import Log
from audit.store.search import Hit, HitEvidence, search_all
from gateway.audit_access import AuditAccess, SearchRevealReason

# A bundle is made in memory; an export without proofs (`POST /v1/audit/exports`) has no bound.
MOST_RECORDS: Final = 5000
PAGE: Final = 500

README: Final = """\
# Records of the audit log {origin}

{count} records, proved against the checkpoint of {size} records, exported {at}.

| file | what it is |
|---|---|
| `{events}` | the records, newest first |
| `records/<index>.json` | the exact bytes of a record |
| `records/<index>.tlog-proof` | its offline proof (C2SP tlog-proof) |
| `checkpoint` | the signed size and root (C2SP tlog-checkpoint) |
| `log.vkey` | the log's public key: compare it with the one that you have on paper |
| `manifest.json` | what was asked for, by whom, and SHA-256 of every file |

Check one record without the hub:

    shuniu audit check-proof records/INDEX.tlog-proof records/INDEX.json --vkey KEY

Check every file against the manifest:

    sha256sum --check SHA256SUMS

What this does not show: that the search left nothing out.  `shuniu audit search --deep` on the hub does.
"""


class BundleTooLarge(Exception):
    """More records than a bundle holds; nothing was written."""


def make_bundle(log: Log, inspection: AuditAccess, at: datetime, purpose: SearchRevealReason) -> bytes:
    """
    The ZIP of what a search finds among the records that the newest checkpoint covers.

    Blocks.  Raises `BundleTooLarge`, `AuditUnavailable`.
    """
    out_format = inspection.out_format or ExportFormat.JSONL
    head = log.reader.head()
    query = replace(inspection.query, below=head.signed_size, limit=PAGE)
    hits: list[Hit] = []
    for page in search_all(log.reader, query, head):
        hits += page.hits
        if len(hits) > MOST_RECORDS:
            raise BundleTooLarge
    events = f"events.{out_format.value}"
    # Excel takes a file without this mark for one of another character set.
    mark = "\ufeff" if out_format is ExportFormat.CSV else ""
    text = mark + "".join(serialize(out_format, hits, people=inspection.shows_people))
    files = {
        events: text.encode(),
        "checkpoint": head.signed_note,
        "log.vkey": f"{log.keys.signer.vkey.encode()}\n".encode(),
    }
    files |= _proofs(log, hits, head.signed_size, head.signed_note)
    files["README.md"] = README.format(
        origin=log.origin, count=len(hits), size=head.signed_size, at=at.isoformat(timespec="seconds"), events=events
    ).encode()
    files["manifest.json"] = _manifest(log, inspection, hits, head.signed_size, at, purpose, files)
    files["SHA256SUMS"] = "".join(
        f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in files.items()
    ).encode()
    return _zip(files, at)


def _proofs(log: Log, hits: list[Hit], size: int, note: bytes) -> dict[str, bytes]:
    every = [
        proved
        for hit in hits
        for proved in (hit, hit.outcome)
        if proved is not None and proved.evidence is HitEvidence.PROVED
    ]
    nodes = log.reader.nodes(*(partial(inclusion_proof, hit.index, size) for hit in every))
    files: dict[str, bytes] = {}
    for hit in every:
        files[f"records/{hit.index}.json"] = hit.body
        files[f"records/{hit.index}.tlog-proof"] = Proof(
            hit.index, tuple(inclusion_proof(hit.index, size, nodes)), note
        ).encode()
    return files


def _manifest(
    log: Log,
    inspection: AuditAccess,
    hits: list[Hit],
    size: int,
    at: datetime,
    purpose: SearchRevealReason,
    files: dict[str, bytes],
) -> bytes:
    manifest = {
        "format": "shuniu audit bundle 1",
        "origin": log.origin,
        "checkpoint_size": size,
        # The names of the criteria, never their values: whom was looked for stands sealed in the log.
        "criteria": list(inspection.query.criteria),
        "purpose": purpose.value,
        "people": inspection.shows_people,
        "records": len(hits),
        "proved": sum(hit.evidence is HitEvidence.PROVED for hit in hits),
        "newest": hits[0].index if hits else None,
        "oldest": hits[-1].index if hits else None,
        "court": inspection.query.court,
        "exported_at": at.isoformat(timespec="seconds"),
        "sha256": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
    }
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _zip(files: dict[str, bytes], at: datetime) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name, at.timetuple()[:6]), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()
