"""
A synthetic province: 11 regions, 64 courts, in each a centre, a group, and somebody of every role.
"""

from gateway.organization.import_export import dump_json
from gateway.organization.people import StaffAccount
from gateway.organization.roles import Role
from gateway.organization.tree import Unit, UnitKind

REGIONS, COURTS = 11, 64


def code(number: int) -> str:
    """The code of the court with this number."""
    return f"浙{number % REGIONS + 1:02}{number // REGIONS + 1:02}"


def court_id(number: int) -> str:
    """The id of that court's unit."""
    return code(number).replace("浙", "zj")


def many_courts() -> str:
    """The file of the whole province."""
    units = [_unit("zj", None, UnitKind.REGION, None)]
    units += [_unit(f"zj{region + 1:02}", "zj", UnitKind.REGION, None) for region in range(REGIONS)]
    people: list[StaffAccount] = []
    for number in range(COURTS):
        court, top, region = code(number), court_id(number), f"zj{number % REGIONS + 1:02}"
        units += [
            _unit(top, region, UnitKind.COURT, court),
            _unit(f"{top}-service", top, UnitKind.CENTRE, court),
            _unit(f"{top}-service-1", f"{top}-service", UnitKind.GROUP, court),
        ]
        places = {
            Role.ASSISTANT: f"{top}-service-1",
            Role.GROUP_LEADER: f"{top}-service-1",
            Role.JUDGE: f"{top}-service",
            Role.CENTRE_ADMINISTRATOR: f"{top}-service",
            Role.SYSTEM_ADMINISTRATOR: top,
            Role.SECURITY_ADMINISTRATOR: top,
            Role.AUDIT_ADMINISTRATOR: top,
        }
        if number < REGIONS:
            places[Role.REGION_ADMINISTRATOR] = region
        people += [
            StaffAccount(
                court=court, user=f"{role.value}.{top}", unit=unit, roles=frozenset({role}), name=f"某{role.zh}"
            )
            for role, unit in places.items()
        ]
    return dump_json(units, people)


def _unit(name: str, parent: str | None, kind: UnitKind, court: str | None) -> Unit:
    return Unit(id=name, parent=parent, kind=kind, court=court, zh=f"某{kind.zh}", en=kind.en)
