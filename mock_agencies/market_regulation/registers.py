"""
What market regulation holds: organizations of its own registry, and who holds a position in them.

Names of leaves beyond the national 企业基本信息查询 (suspension, service recipient, abnormal list, positions) are made
up for these servers.
"""

from typing import ClassVar

from mock_agencies.clock import midnight_ms
from mock_agencies.faults.records import Row
from mock_agencies.operation import OperationInput, OrganizationRegister, PersonRegister
from mock_agencies.population import SyntheticOrganization, SyntheticPerson


class Registry(OrganizationRegister):
    """The enterprise register.  Dates are midnight in China in ms; the representative may stand under an old name."""

    def rows(self, subject: SyntheticOrganization, asked: OperationInput) -> list[Row]:  # noqa: ARG002
        representative = self.population.person(subject.representative)
        return [
            {
                "uniscid": subject.uscc,
                "regno": subject.registration_number,
                "entname": subject.name,
                "enttypeCn": subject.type_text,
                "name": representative.name_at(PositionRegister.agency),
                "dom": subject.domicile.text,
                "proloc": subject.business_place.text if subject.business_place else None,
                "postalcode": subject.domicile.postcode,
                "tel": subject.telephone,
                "regstateCn": subject.state_text,
                "regorgCn": subject.registry,
                "sExtNodenum": "330000",
                "estdate": midnight_ms(subject.founded),
                "apprdate": midnight_ms(subject.approved),
                "opfrom": midnight_ms(subject.founded),
                "opto": midnight_ms(subject.term_to) if subject.term_to else None,
                "regcap": subject.capital,
                "regcapcurCn": "人民币",
                "opscope": subject.scope,
                **_suspension(subject),
                **_recipient(subject),
                "abnflag": "1" if subject.abnormal_reason else "0",
                "abnreason": subject.abnormal_reason,
            }
        ]


def _suspension(subject: SyntheticOrganization) -> Row:
    held = subject.suspension
    return {
        "clsflag": "1" if held else "0",
        "clsfrom": midnight_ms(held.since) if held else None,
        "clsto": midnight_ms(held.until) if held else None,
        "clsaddr": held.address.text if held else None,
        "clsrecipient": held.recipient if held else None,
    }


def _recipient(subject: SyntheticOrganization) -> Row:
    held = subject.recipient
    return {
        "fgnflag": "1" if "外国" in subject.type_text else "0",
        "svcrecipient": held.name if held else None,
        "svcaddr": held.address.text if held else None,
        "svctel": held.telephone if held else None,
    }


class PositionRegister(PersonRegister):
    """Positions by the ID number and the exact name of the person, today's or the one that the registry still holds."""

    agency: ClassVar[str] = "market_regulation"

    def find(self, asked: OperationInput) -> list[SyntheticPerson]:
        return [
            person for person in super().find(asked) if asked.name in (None, person.name, person.name_at(self.agency))
        ]

    def rows(self, subject: SyntheticPerson, asked: OperationInput) -> list[Row]:  # noqa: ARG002
        return [
            {
                "uniscid": organization.uscc,
                "entname": organization.name,
                "position": title,
                "regstateCn": organization.state_text,
            }
            for organization, title in self.population.positions(subject)
        ]
