"""
A search's hits as FHIR R4: a Bundle of AuditEvents, shaped after the query events of IHE BALP 1.1.

    who (user, role), why (purpose, policy)   agent, the one with requestor = true: who, role, purposeOfUse, policy
    who.client, and this log's hub            agents "source" and "destination" of the call
    t; type; outcome                          recorded; type, subtype and action; outcome and outcomeDesc
    who.court and the log's origin            source.site and source.observer
    whose                                     one entity for each party
    xid; ask                                  entity "transaction"; entity "query", base64 of the questions
"""

import base64
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from audit.format.event import EventType
from audit.store.search import Hit

Coding = dict[str, str]

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem/"
_BALP = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

_REST: Coding = {"system": f"{_HL7}audit-event-type", "code": "rest", "display": "RESTful Operation"}
# What is not a call that asks for something has a kind of its own in DICOM's table.
_TYPES: Mapping[EventType, Coding] = {
    kind: {"system": _DICOM, "code": code, "display": display}
    for kind, code, display in (
        (EventType.RECORD_PRINTED, "110106", "Export"),
        (EventType.SESSION_SIGNED_IN, "110114", "User Authentication"),
        (EventType.SESSION_ENDED, "110114", "User Authentication"),
        (EventType.ACCESS_REFUSED, "110113", "Security Alert"),
        (EventType.LOG_SEARCHED, "110101", "Audit Log Used"),
        (EventType.LOG_EXPORTED, "110101", "Audit Log Used"),
        (EventType.KEY_ROTATED, "110113", "Security Alert"),
        (EventType.ADMIN_CHANGED, "110113", "Security Alert"),
    )
}
# E executes a query or an operation, U updates, D deletes; everything else reads.
_ACTIONS = {
    EventType.LOOKUP_INTENT: "E",
    EventType.LOOKUP_OUTCOME: "E",
    EventType.LOOKUP_DENIED: "E",
    EventType.AUTOFILL_ACCEPTED: "E",
    EventType.AUTOFILL_FINISHED: "E",
    EventType.AUTOFILL_CANCELLED: "E",
    EventType.AUTOFILL_DEAD_LETTERED: "E",
    EventType.SESSION_SIGNED_IN: "E",
    EventType.SESSION_ENDED: "E",
    EventType.ACCESS_REFUSED: "E",
    EventType.LOG_SEARCHED: "E",
    EventType.ADDRESS_USED: "U",
    EventType.WORK_ORDER_CHANGED: "U",
    EventType.KEY_ROTATED: "U",
    EventType.ADMIN_CHANGED: "U",
    EventType.LOG_ERASED: "D",
    EventType.LOG_ORPHAN_CLOSED: "C",
    EventType.LOG_ANCHORED: "C",
    EventType.LOG_BEGUN: "C",
}
# A rule of ours that keeps something back is a minor failure: nothing is wrong with the hub.
_MINOR_FAILURE = frozenset({"withheld", "refused"})

_USER: Coding = {"system": f"{_HL7}v3-ParticipationType", "code": "IRCP", "display": "information recipient"}
_SOURCE: Coding = {"system": _DICOM, "code": "110153", "display": "Source Role ID"}
_DESTINATION: Coding = {"system": _DICOM, "code": "110152", "display": "Destination Role ID"}
_SERVER: Coding = {"system": f"{_HL7}security-source-type", "code": "4", "display": "Application Server"}
_PERSON: Coding = {"system": f"{_HL7}audit-entity-type", "code": "1", "display": "Person"}
_ORGANIZATION: Coding = {"system": f"{_HL7}audit-entity-type", "code": "3", "display": "Organization"}
_SYSTEM_OBJECT: Coding = {"system": f"{_HL7}audit-entity-type", "code": "2", "display": "System Object"}
_QUERY: Coding = {"system": f"{_HL7}object-role", "code": "24", "display": "Query"}
_TRANSACTION: Coding = {"system": _BALP, "code": "XrequestId"}


def as_fhir(hits: Iterable[Hit], *, origin: str, people: bool) -> Iterator[str]:
    """
    The pieces of one JSON document: a Bundle (collection), one AuditEvent for each hit.
    """
    yield '{"resourceType":"Bundle","type":"collection"'
    number = 0
    for number, hit in enumerate(hits, 1):
        event = json.dumps({"resource": audit_event(hit, origin, people=people)}, ensure_ascii=False)
        before = ',"entry":[' if number == 1 else ","
        yield f"{before}\n{event}"
    # FHIR knows no empty list.
    yield "\n]}\n" if number else "}\n"


def audit_event(hit: Hit, origin: str, *, people: bool) -> dict[str, Any]:
    """
    One hit as an AuditEvent.  Without `people`, a commitment stands wherever a person's value would.
    """
    leaf, completing = hit.leaf, hit.outcome.leaf if hit.outcome else {}
    outcome = completing.get("outcome", leaf.get("outcome", ""))
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"{hit.exchange}-{hit.type.code}",
        "type": _TYPES.get(hit.type, _REST),
        "subtype": [{"system": f"urn:shuniu:{origin}", "code": hit.type.value, "display": hit.type.en}],
        "action": _ACTIONS.get(hit.type, "R"),
        "recorded": hit.at.astimezone(UTC).isoformat(),
        "outcome": "4" if outcome in _MINOR_FAILURE else "0",
        "outcomeDesc": outcome,
        "purposeOfEvent": _texts(leaf.get("why", {}).get("purpose")),
        "agent": list(_agents(hit, leaf, origin, people=people)),
        "source": {
            "site": leaf.get("who", {}).get("court"),
            "observer": {"identifier": {"value": origin}},
            "type": [_SERVER],
        },
        "entity": list(_entities(hit, leaf, people=people)),
    }
    # FHIR knows no empty element.
    event["source"] = _present(event["source"])
    return _present(event)


def _agents(hit: Hit, leaf: dict[str, Any], origin: str, *, people: bool) -> Iterator[dict[str, Any]]:
    who, why = leaf.get("who", {}), leaf.get("why", {})
    opened = hit.people.get("who", {}) if people else {}
    user = opened.get("user") or (f"commitment:{who['c']}" if "c" in who else who.get("client"))
    yield _present(
        {
            "type": {"coding": [_USER]},
            "role": _texts(who.get("role")),
            "who": {"identifier": {"value": user or "nobody was recognised"}},
            "name": opened.get("name"),
            "requestor": True,
            "policy": [f"urn:shuniu:policy:{why['policy']}"] if "policy" in why else None,
            "network": _network(opened.get("terminal")),
            "purposeOfUse": _texts(why.get("purpose")),
        }
    )
    if "client" in who:
        client = {"identifier": {"value": who["client"]}}
        yield {"type": {"coding": [_SOURCE]}, "who": client, "requestor": False}
    hub = {"identifier": {"value": origin}}
    yield {"type": {"coding": [_DESTINATION]}, "who": hub, "requestor": False}


def _entities(hit: Hit, leaf: dict[str, Any], *, people: bool) -> Iterator[dict[str, Any]]:
    for number, clear in enumerate(leaf.get("whose", ())):
        opened = hit.people.get(f"whose.{number}", {}) if people else {}
        yield _present(
            {
                "what": {
                    "identifier": {
                        "system": f"urn:shuniu:identifier:{clear['id']}",
                        "value": opened.get("id_number") or f"commitment:{clear['c']}",
                    }
                },
                "type": _PERSON if clear["kind"] == "person" else _ORGANIZATION,
                "name": opened.get("name"),
            }
        )
    transaction = {"identifier": {"system": "urn:shuniu:exchange", "value": str(hit.exchange)}}
    yield {"what": transaction, "type": _TRANSACTION}
    if questions := leaf.get("ask"):
        query = base64.b64encode(" ".join(questions).encode()).decode()
        yield {"type": _SYSTEM_OBJECT, "role": _QUERY, "query": query}


def _network(terminal: str | None) -> dict[str, str] | None:
    if not terminal:
        return None
    try:
        ipaddress.ip_address(terminal)
    except ValueError:
        return {"address": terminal, "type": "1"}
    return {"address": terminal, "type": "2"}


def _texts(text: str | None) -> list[dict[str, str]] | None:
    return [{"text": text}] if text else None


def _present(element: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in element.items() if value not in (None, "", [], {})}
