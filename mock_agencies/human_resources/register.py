"""
The register of human resources and social security: insurance participations and old contact data.

Dates and periods are numbers.  Wage, contribution base and ethnicity come uninvited, as the real interface sends them.
"""

from datetime import date
from typing import ClassVar

from mock_agencies.faults.records import Row
from mock_agencies.operation import OperationQuery, PersonRegister
from mock_agencies.population import SyntheticPerson

_ACTIVE, _ENDED = "1", "3"
_EMPLOYED = ("110", "310", "410")
_RESIDENT = ("170", "390")


class InsuranceRegister(PersonRegister):
    """Participations by number and exact name: no browsing."""

    agency: ClassVar[str] = "human_resources"

    def find(self, query: OperationQuery) -> list[SyntheticPerson]:
        return [
            person
            for person in super().find(query)
            if person.insured and query.name in (None, person.name, person.name_at(self.agency))
        ]

    def rows(self, subject: SyntheticPerson, query: OperationQuery) -> list[Row]:  # noqa: ARG002
        rows = []
        if subject.previous_employer is not None:
            rows.append(self._row(subject, "110", _ENDED, subject.previous_employer, date(2012, 9, 1), 201806))
        if subject.deceased:
            rows.append(self._row(subject, "170", _ENDED, None, date(2012, 1, 1), 202203))
        elif subject.employer is not None:
            since = date(2018, 9, 1)
            rows += [self._row(subject, kind, _ACTIVE, subject.employer, since, 202610) for kind in _EMPLOYED]
        else:
            rows += [self._row(subject, kind, _ACTIVE, None, date(2014, 1, 1), 202612) for kind in _RESIDENT]
        return rows

    def _row(
        self, subject: SyntheticPerson, kind: str, state: str, employer: int | None, since: date, paid: int
    ) -> Row:
        organization = self.population.organization(employer) if employer is not None else None
        return {
            "AAC001": f"3308{subject.index:012d}",
            "AAC002": subject.number_at(self.agency),
            "AAC003": subject.name_at(self.agency),
            "AAC004": subject.sex,
            "AAC006": _number(subject.born_on),
            "AAB001": f"D{employer:09d}" if employer is not None else None,
            "AAB004": organization.name if organization else None,
            "AAE140": kind,
            "AAC031": state,
            "AAC030": _number(since),
            "AAE003": paid,
            "AAE006": subject.contact.text,
            "AAE007": subject.contact.postcode,
            "AAC067": subject.telephone,
            "AAE005": subject.telephone,
            "AAE036": _number(subject.contact_changed),
            "AAB300": "衢州市社会保险事业管理中心",
            "AAC005": "01",
            "AAC040": 6500.0,
            "AAE180": 6500.0,
        }


def _number(day: date) -> int:
    return int(f"{day:%Y%m%d}")
