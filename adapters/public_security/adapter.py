"""
Public security: who a natural person is, and where the police have the person registered.

Contract: population base query 人口基准信息查询 (GK_JZCX_RKJCXXCX, service s_1200000900000_2108 of the national data
sharing platform); request service 请求服务 (RBSP), method Query, for household and residence addresses.
Legal basis: 民事诉讼法 (2023) art. 70 (a court may inquire of any unit); 法发〔2017〕19号 art. 9 (household
domicile and registered habitual residence as addresses for service); 个人信息保护法 arts. 34–35.
Habits: the national base holds no address; the request service takes the number only, never a name, and is asked only
for the columns that the mapping reads.
"""

from adapters.contract import Adapter, Agency, Interpretation, Question, lookup
from adapters.interpretation import interpret, person_terms, registered_number
from adapters.public_security.mapping import ADDRESSES, IDENTITY
from schemas.codes import IdType, SubjectKind, Want


class PublicSecurity(Adapter):
    """Asks the police about a natural person."""

    agency = Agency(
        id="public_security",
        names={"zh": "公安机关", "en": "Public security"},
        legal_basis="民事诉讼法第七十条；法发〔2017〕19号第九条；个人信息保护法第三十四条",
        repeatable=True,
        retention_days=180,
    )

    @lookup(
        "identity",
        subject=SubjectKind.PERSON,
        by=(IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT, IdType.PERMANENT_RESIDENCE),
        serves=frozenset({Want.IDENTITY}),
    )
    async def identity(self, question: Question) -> Interpretation:
        """Name, sex, birth date and whether the person has died, from the national population base."""
        rows = await self.wires["identity"].ask(question, "identity", person_terms(question.subject))
        return interpret(rows, IDENTITY, question.subject)

    @lookup(
        "addresses",
        subject=SubjectKind.PERSON,
        by=(IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT),
        serves=frozenset({Want.IDENTITY, Want.ADDRESSES}),
    )
    async def addresses(self, question: Question) -> Interpretation:
        """Household domicile and registered residence, with former name and military flag."""
        number = {"id_number": registered_number(question.subject)}
        rows = await self.wires["addresses"].ask(question, "addresses", number)
        return interpret(rows, ADDRESSES, question.subject)
