"""
The registers of market regulation: organizations of its own registry, and positions in them.

Names of leaves beyond the national 企业基本信息查询 (suspension, service recipient, abnormal list, positions) are made
up for these servers.
"""

from typing import ClassVar

from mock_agencies.clock import midnight_ms
from mock_agencies.faults.records import Row
from mock_agencies.operation import OperationQuery, OrganizationRegister, PersonRegister
from mock_agencies.population import SyntheticOrganization, SyntheticPerson


class OrganizationRegistry(OrganizationRegister):
    """The enterprise register.  Dates are midnight in China in ms; the representative may stand under an old name."""

    def rows(self, subject: SyntheticOrganization, query: OperationQuery) -> list[Row]:  # noqa: ARG002
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
    suspension = subject.suspension
    return {
        "clsflag": "1" if suspension else "0",
        "clsfrom": midnight_ms(suspension.since) if suspension else None,
        "clsto": midnight_ms(suspension.until) if suspension else None,
        "clsaddr": suspension.address.text if suspension else None,
        "clsrecipient": suspension.recipient if suspension else None,
    }


def _recipient(subject: SyntheticOrganization) -> Row:
    recipient = subject.recipient
    return {
        "fgnflag": "1" if "外国" in subject.type_text else "0",
        "svcrecipient": recipient.name if recipient else None,
        "svcaddr": recipient.address.text if recipient else None,
        "svctel": recipient.telephone if recipient else None,
    }


class PositionRegister(PersonRegister):
    """Positions by the ID number and the exact name of the person, today's or the one that the registry still holds."""

    agency: ClassVar[str] = "market_regulation"

    def find(self, query: OperationQuery) -> list[SyntheticPerson]:
        return [
            person for person in super().find(query) if query.name in (None, person.name, person.name_at(self.agency))
        ]

    def rows(self, subject: SyntheticPerson, query: OperationQuery) -> list[Row]:  # noqa: ARG002
        return [
            {
                "uniscid": organization.uscc,
                "entname": organization.name,
                "position": title,
                "regstateCn": organization.state_text,
            }
            for organization, title in self.population.positions(subject)
        ]
