"""
The registers of the police: the population base without addresses, household and residence registers with them.
"""

from datetime import date
from typing import ClassVar

from mock_agencies.faults.records import Row
from mock_agencies.operation import OperationQuery, PersonRegister
from mock_agencies.population import SyntheticPerson

MATCH, NO_MATCH = "1", "0"


class PopulationBase(PersonRegister):
    """
    人口基准信息: answers how number and name match, and tells facts only where both do.

    Of two persons with one number only the one of that name answers; without a name both do.
    """

    agency: ClassVar[str] = "population_base"

    def find(self, query: OperationQuery) -> list[SyntheticPerson]:
        persons = super().find(query)
        armed_name = [person for person in persons if person.name == query.name]
        return armed_name or persons

    def rows(self, subject: SyntheticPerson, query: OperationQuery) -> list[Row]:
        echo = {"GMSFHM": subject.id_number, "GMSFHM_PPDDM": MATCH, "XM": query.name or subject.name}
        if query.name not in (None, subject.name):
            return [{**echo, "XM_PPDDM": NO_MATCH}]
        return [
            {
                **echo,
                "XM_PPDDM": MATCH,
                "SWBS": "1" if subject.deceased else "0",
                "XBDM": subject.sex,
                "CSRQ": _compact(subject.born_on),
                "MZDM": "01",
                "CSD_GJHDQDM": "156",
                "CSD_SSXQDM": subject.id_number[:6],
            }
        ]


class HouseholdRegister(PersonRegister):
    """Household and residence data of city and province, by number alone, only the columns that were asked for."""

    agency: ClassVar[str] = "household_register"
    columns: ClassVar[frozenset[str]] = frozenset(
        {"GMSFHM", "XM", "CYM", "XB", "CSRQ", "SWBS", "BYQK", "ZZXZ", "ZZSSXQ", "ZZQSRQ", "QTZZXZ", "QTZZSSXQ"}
        | {"QTZZQSRQ", "QTZZLX", "HKSZD", "FWCS", "SFZH"}
    )

    def rows(self, subject: SyntheticPerson, query: OperationQuery) -> list[Row]:
        residence = subject.residence
        columns = {
            "GMSFHM": subject.id_number,
            "SFZH": subject.id_number,
            "XM": subject.name,
            "CYM": subject.former_name,
            "XB": subject.sex,
            "CSRQ": _compact(subject.born_on),
            "SWBS": "1" if subject.deceased else "0",
            "BYQK": "1" if subject.serving else "0",
            "ZZXZ": subject.household.text,
            "ZZSSXQ": subject.household.region,
            "ZZQSRQ": _compact(subject.household_since),
            "QTZZXZ": residence.text if residence else None,
            "QTZZSSXQ": residence.region if residence else None,
            "QTZZQSRQ": _compact(subject.residence_since) if residence else None,
            "QTZZLX": subject.residence_kind if residence else None,
            "HKSZD": subject.household.region,
            "FWCS": self._workplace(subject),
        }
        return [{column: columns[column] or "" for column in query.columns}]

    def _workplace(self, subject: SyntheticPerson) -> str | None:
        if subject.workplace or subject.previous_employer is None:
            return subject.workplace
        # The police learnt of the work-place at the last registration, which was before the last change of job.
        return self.population.organization(subject.previous_employer).name


def _compact(day: date | None) -> str:
    return f"{day:%Y%m%d}" if day else ""
