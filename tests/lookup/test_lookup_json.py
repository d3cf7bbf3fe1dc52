"""
The JSON of lookups: validation of requests, and the shape of results in JSON and OpenAPI.
"""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.address import AddressWarning, LadderNote
from schemas.coded_text import coded_text
from schemas.codes import AddressKind, IdType, SubjectKind, Want
from schemas.legal_basis import LegalBasis
from schemas.lookup import AuditTrail, LookupRequest, LookupResult, dump, load, with_trail

REQUEST = {
    "work_order": "W-2026-01877",
    "subject": {"kind": "person", "id_type": "resident_id", "id_number": "330802199003071239", "name": "柯小明"},
    "want": ["identity", "addresses"],
}


def with_subject(**members: Any) -> dict[str, Any]:
    """The request with another subject."""
    return REQUEST | {"subject": REQUEST["subject"] | members}  # type: ignore[operator]


def person_result(scenario: Any) -> LookupResult:
    """A result with something in every part that a person's lookup can fill."""
    result = scenario.merge(
        scenario.person,
        scenario.police(
            scenario.address(AddressKind.HOUSEHOLD, "示例路1号", as_of=date(2009, 5, 1)),
            scenario.address(AddressKind.EMPLOYER, "示例工厂"),
            serving_soldier=False,
        ),
        scenario.unanswered("human_resources", "participation"),
    )
    return replace(result, audit=AuditTrail(intent=1, outcome=2, checkpoint_size=3))


def test_request_has_work_order_subject_and_wants() -> None:
    """The parsed members."""
    request = LookupRequest.model_validate(REQUEST)

    assert (request.work_order, request.want) == ("W-2026-01877", (Want.IDENTITY, Want.ADDRESSES))
    assert (request.subject.kind, request.subject.id_type) == (SubjectKind.PERSON, IdType.RESIDENT_ID)


@pytest.mark.parametrize(
    "body",
    [
        REQUEST | {"purpose": "curiosity"},
        REQUEST | {"want": []},
        REQUEST | {"want": ["identity", "identity"]},
        REQUEST | {"want": ["photo"]},
        REQUEST | {"work_order": "../W-1"},
        REQUEST | {"work_order": "W" * 65},
        with_subject(born_on="1990-03-07"),
        with_subject(id_number=""),
        with_subject(id_number="3" * 65),
        with_subject(name=" "),
        with_subject(name="柯" * 201),
        with_subject(id_type="uscc"),
        with_subject(kind="organization"),
        with_subject(id_type="fingerprint"),
        with_subject(country="usa"),
        {key: value for key, value in REQUEST.items() if key != "want"},
    ],
)
def test_invalid_request_is_rejected_without_quoting_it(body: dict[str, Any]) -> None:
    """The error's text has no value of the request."""
    with pytest.raises(ValidationError) as caught:
        LookupRequest.model_validate(body)

    text = str(caught.value)
    assert "330802199003071239" not in text
    assert "柯小明" not in text


def test_repr_of_request_and_result_has_no_personal_data(scenario: Any) -> None:
    """A debugger or a log may print it."""
    shown = repr(LookupRequest.model_validate(REQUEST)) + repr(person_result(scenario))

    assert [word for word in ("330802199003071239", "柯小明", "示例") if word in shown] == []


def test_result_json_has_codes_and_cited_articles(scenario: Any) -> None:
    """A ticket system can print the legal basis of an address without a table of ours."""
    written = json.loads(dump(person_result(scenario)))

    first = written["addresses"][0]
    assert list(written) == [
        "id",
        "at",
        "subject",
        "identity",
        "addresses",
        "ladder",
        "legal_basis",
        "answers",
        "audit",
    ]
    assert (first["rank"], first["kind"]) == (5, "household")
    articles = [written["legal_basis"][code]["article"] for code in first["legal_basis"]]
    assert articles == ["法发〔2017〕19号第九条", "法院专递规定第五条"]
    assert first["text"] == {
        "value": "示例路1号",
        "sources": [
            {"answer": 0, "path": "TEXT", "as_of": "2009-05-01"},
        ],
    }
    assert (written["answers"][0]["agency"], written["answers"][0]["reference"]) == (
        "public_security",
        "public_security-1",
    )
    assert written["ladder"]["not_heard"] == ["human_resources"]
    assert [note["code"] for note in written["ladder"]["notes"]] == ["incomplete"]
    assert written["audit"] == {"intent": 1, "outcome": 2, "checkpoint_size": 3}


def test_result_and_request_match_their_openapi(scenario: Any) -> None:
    """OpenAPI 3.1, out of the same dataclasses."""
    app = FastAPI()

    @app.post("/v1/lookups", response_model=LookupResult)
    def look_up(request: LookupRequest) -> None:
        """Not called here."""

    described = app.openapi()
    schemas = json.loads(json.dumps(described["components"]).replace("#/components/schemas/", "#/$defs/"))["schemas"]
    result, request = ({"$defs": schemas, "$ref": f"#/$defs/{name}"} for name in ("LookupResult", "LookupRequest"))

    assert described["openapi"].startswith("3.1")
    jsonschema_rs.validate(result, json.loads(dump(person_result(scenario))))
    jsonschema_rs.validate(request, REQUEST)
    assert not jsonschema_rs.is_valid(request, REQUEST | {"want": ["identity", "identity"]})
    assert not jsonschema_rs.is_valid(request, REQUEST | {"purpose": "curiosity"})


@given(damaged=st.binary(max_size=40))
def test_damaged_result_is_rejected_without_quoting_it(damaged: bytes) -> None:
    """The error has a fixed text and neither cause nor context."""
    with pytest.raises(ValueError, match=r"^could not read the stored result$") as caught:
        load(damaged)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_every_provision_has_its_own_citation_and_two_texts() -> None:
    """The list of provisions is closed."""
    assert len({basis.article for basis in LegalBasis}) == len(LegalBasis) == 13
    assert all(basis.article and basis.zh and basis.en for basis in LegalBasis)


def test_code_of_two_tables_has_a_text_in_each() -> None:
    """`party_deceased` of an address and of the whole list are two remarks."""
    of_address, of_list = coded_text(AddressWarning.PARTY_DECEASED), coded_text(LadderNote.PARTY_DECEASED)

    assert of_address.code is AddressWarning.PARTY_DECEASED
    assert of_list.code is LadderNote.PARTY_DECEASED
    assert of_address.zh != of_list.zh


def test_audit_trail_is_added_to_a_stored_result_once(scenario: Any) -> None:
    """Stored and released bytes differ in `audit` only, and a second trail is an error."""
    placed = person_result(scenario)
    written = dump(replace(placed, audit=None))
    trail = AuditTrail(intent=1, outcome=2, checkpoint_size=3)

    assert load(with_trail(written, trail)) == placed
    with pytest.raises(ValueError, match="already"):
        with_trail(dump(placed), trail)
