"""
Market regulation: what an organization is registered as, where it can be served, and which positions a person holds.

Contract: 企业基本信息查询 of the national data sharing platform (数据直达, REST, keys in lower case) for registrations;
a route of the same form for a person's positions.
Legal basis: 民事诉讼法 (2023) art. 70 (a court may inquire of any unit); 市场主体登记管理条例 arts. 9, 11 and 30
(domicile, service recipient, legal-document address while suspended); 法发〔2017〕19号 art. 9.
Habits: dates are milliseconds of midnight in China; the state is a text whose comma and brackets vary in width; either
of the two identifiers may be null; the positions route repeats neither number nor name of the person.
"""

from dataclasses import replace

from adapters.contract import Adapter, Agency, Interpretation, Question, lookup
from adapters.errors import UnsupportedLookup
from adapters.interpretation import interpret, person_terms
from adapters.market_regulation.mapping import ORGANIZATION, POSITIONS
from schemas.codes import IdType, Reason, SubjectKind, Want
from schemas.identifiers import registering_authority
from schemas.subject import Subject

# How this registry repeats the identifier that it was asked by.
_REGISTRATION = {
    IdType.USCC: replace(ORGANIZATION, identifier_element="uniscid"),
    IdType.REGISTRATION_NUMBER: replace(ORGANIZATION, identifier_element="regno"),
}


class MarketRegulation(Adapter):
    """Asks the market regulation departments about organizations and about positions of persons in them."""

    agency = Agency(
        id="market_regulation",
        names={"zh": "市场监督管理部门", "en": "Market regulation"},
        legal_basis="民事诉讼法第七十条；市场主体登记管理条例第九条、第十一条、第三十条；法发〔2017〕19号第九条",
        repeatable=True,
        retention_days=180,
    )

    @lookup(
        "registration",
        subject=SubjectKind.ORGANIZATION,
        by=(IdType.USCC, IdType.REGISTRATION_NUMBER),
        serves=frozenset({Want.IDENTITY, Want.ADDRESSES, Want.REGISTRATIONS}),
    )
    async def registration(self, question: Question) -> Interpretation:
        """Registration with state, representative, domicile and the other addresses at which it can be served."""
        subject = question.subject
        _refuse_other_registries(subject)
        # The name is compared here and not sent: asked by an old name, the registry would say "no record".
        terms = {subject.id_type.value: subject.id_number}
        rows = await self.wires["registration"].ask(question, "registration", terms)
        return interpret(rows, _REGISTRATION[subject.id_type], subject)

    @lookup(
        "positions",
        subject=SubjectKind.PERSON,
        by=(IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT, IdType.PERMANENT_RESIDENCE),
        serves=frozenset({Want.REGISTRATIONS}),
        name_required=True,
    )
    async def positions(self, question: Question) -> Interpretation:
        """Organizations in which a person is legal representative, director, supervisor, manager or partner."""
        rows = await self.wires["positions"].ask(question, "positions", person_terms(question.subject))
        return interpret(rows, POSITIONS, question.subject)


def _refuse_other_registries(subject: Subject) -> None:
    """Raises `UnsupportedLookup` with the authority that gave out the code, if that is another."""
    if subject.id_type is IdType.USCC:
        authority = registering_authority(subject.id_number)
        if not authority.is_market_regulation:
            raise UnsupportedLookup(Reason.OTHER_AUTHORITY, authority=authority)
