"""
Human resources and social security: in which insurances a natural person takes part, through whom, and the contact
details that the person declared.

Contract: 社会保险个人参保信息 (001003085, dataSharing, socialPersonalParticipationInfo) of the public data platform of
Zhejiang (IRS).
Legal basis: 民事诉讼法 (2023) art. 70 (a court may inquire of any unit); 个人信息保护法 arts. 34–35.
Habits: number and name in one call, exact match; dates and periods come as numbers; one row for each insurance; wages
come uninvited and are dropped.  No address from here is a rung of the ladder: employer and declared address are leads.
"""

from adapters.contract import Adapter, Agency, Interpretation, Question, lookup
from adapters.human_resources.mapping import PARTICIPATION
from adapters.interpretation import interpret, person_terms
from schemas.codes import IdType, SubjectKind, Want


class HumanResources(Adapter):
    """Asks the social insurance register about a natural person."""

    agency = Agency(
        id="human_resources",
        names={"zh": "人力资源和社会保障部门", "en": "Human resources and social security"},
        legal_basis="民事诉讼法第七十条；个人信息保护法第三十四条",
        repeatable=True,
        retention_days=180,
    )

    @lookup(
        "participation",
        subject=SubjectKind.PERSON,
        by=(IdType.RESIDENT_ID, IdType.RESIDENCE_PERMIT, IdType.PERMANENT_RESIDENCE),
        serves=frozenset({Want.ADDRESSES, Want.REGISTRATIONS}),
        name_required=True,
    )
    async def participation(self, question: Question) -> Interpretation:
        """Social insurances with employer, and the contact address and telephone that the person declared."""
        rows = await self.wires["participation"].ask(question, "participation", person_terms(question.subject))
        return interpret(rows, PARTICIPATION, question.subject)
