"""
The lookup as it stands at the door: what a request may say, and the shape of the answer in JSON and OpenAPI.
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

ASKED = {
    "work_order": "W-2026-01877",
    "subject": {"kind": "person", "id_type": "resident_id", "id_number": "330802199003071239", "name": "柯小明"},
    "want": ["identity", "addresses"],
}


def about(**told: Any) -> dict[str, Any]:
    """The request with another subject."""
    return ASKED | {"subject": ASKED["subject"] | told}  # type: ignore[operator]


def a_result(world: Any) -> LookupResult:
    """A result with something in every part that a person's lookup can fill."""
    result = world.merge(
        world.person,
        world.police(
            world.address(AddressKind.HOUSEHOLD, "示例路1号", as_of=date(2009, 5, 1)),
            world.address(AddressKind.EMPLOYER, "示例工厂"),
            serving_soldier=False,
        ),
        world.not_heard("human_resources", "participation"),
    )
    return replace(result, audit=AuditTrail(intent=1, outcome=2, checkpoint_size=3))


def test_a_request_says_work_order_subject_and_wants() -> None:
    """The request, whole."""
    request = LookupRequest.model_validate(ASKED)

    assert (request.work_order, request.want) == ("W-2026-01877", (Want.IDENTITY, Want.ADDRESSES))
    assert (request.subject.kind, request.subject.id_type) == (SubjectKind.PERSON, IdType.RESIDENT_ID)


@pytest.mark.parametrize(
    "asked",
    [
        ASKED | {"purpose": "curiosity"},
        ASKED | {"want": []},
        ASKED | {"want": ["identity", "identity"]},
        ASKED | {"want": ["photo"]},
        ASKED | {"work_order": "../W-1"},
        ASKED | {"work_order": "W" * 65},
        about(born_on="1990-03-07"),
        about(id_number=""),
        about(id_number="3" * 65),
        about(name=" "),
        about(name="柯" * 201),
        about(id_type="uscc"),
        about(kind="organization"),
        about(id_type="fingerprint"),
        about(country="usa"),
        {key: value for key, value in ASKED.items() if key != "want"},
    ],
)
def test_a_request_that_says_anything_else_is_refused_without_quoting_it(asked: dict[str, Any]) -> None:
    """Nothing of what was sent stands in the error's text."""
    with pytest.raises(ValidationError) as caught:
        LookupRequest.model_validate(asked)

    text = str(caught.value)
    assert "330802199003071239" not in text
    assert "柯小明" not in text


def test_no_name_or_number_stands_in_the_repr_of_a_request_or_a_result(world: Any) -> None:
    """What a debugger or a log prints by accident."""
    shown = repr(LookupRequest.model_validate(ASKED)) + repr(a_result(world))

    assert [word for word in ("330802199003071239", "柯小明", "示例") if word in shown] == []


def test_the_json_holds_the_words_and_the_printed_articles(world: Any) -> None:
    """A ticket system needs no table of ours to print what makes an address usable."""
    written = json.loads(dump(a_result(world)))

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


def test_the_answer_fits_the_openapi_that_describes_it(world: Any) -> None:
    """OpenAPI 3.1, out of the same dataclasses."""
    app = FastAPI()

    @app.post("/v1/lookups", response_model=LookupResult)
    def look_up(request: LookupRequest) -> None:
        """Not called here."""

    described = app.openapi()
    schemas = json.loads(json.dumps(described["components"]).replace("#/components/schemas/", "#/$defs/"))["schemas"]
    result, request = ({"$defs": schemas, "$ref": f"#/$defs/{name}"} for name in ("LookupResult", "LookupRequest"))

    assert described["openapi"].startswith("3.1")
    jsonschema_rs.validate(result, json.loads(dump(a_result(world))))
    jsonschema_rs.validate(request, ASKED)
    assert not jsonschema_rs.is_valid(request, ASKED | {"want": ["identity", "identity"]})
    assert not jsonschema_rs.is_valid(request, ASKED | {"purpose": "curiosity"})


@given(damaged=st.binary(max_size=40))
def test_what_is_not_a_result_is_refused_without_quoting_it(damaged: bytes) -> None:
    """The error says only that it could not be read, and no library's error hangs on."""
    with pytest.raises(ValueError, match=r"^could not read the stored result$") as caught:
        load(damaged)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_every_provision_has_a_word_of_its_own_a_citation_and_two_sentences() -> None:
    """The list of provisions is closed."""
    assert len({basis.article for basis in LegalBasis}) == len(LegalBasis) == 13
    assert all(basis.article and basis.zh and basis.en for basis in LegalBasis)


def test_a_word_that_two_tables_share_keeps_its_own_sentence() -> None:
    """`party_deceased` of an address and of the whole list are two remarks."""
    of_address, of_list = coded_text(AddressWarning.PARTY_DECEASED), coded_text(LadderNote.PARTY_DECEASED)

    assert of_address.code is AddressWarning.PARTY_DECEASED
    assert of_list.code is LadderNote.PARTY_DECEASED
    assert of_address.zh != of_list.zh


def test_the_place_in_the_log_is_put_into_what_was_written_before_it_was_known(world: Any) -> None:
    """The stored bytes and the released bytes differ in `audit` alone, and a place is put in once."""
    placed = a_result(world)
    written = dump(replace(placed, audit=None))
    trail = AuditTrail(intent=1, outcome=2, checkpoint_size=3)

    assert load(with_trail(written, trail)) == placed
    with pytest.raises(ValueError, match="already"):
        with_trail(dump(placed), trail)
