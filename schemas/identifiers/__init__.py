"""
Identifiers of people, organizations and cases: errors where arithmetic decides, warnings where only a table does.

    identifier = parse(IdType.RESIDENT_ID, "330802 19900307 1239")
    identifier.value, identifier.warnings, born_on(identifier), masked(identifier)

Only `IdentifierError` is raised, and neither its text nor any `repr` holds the number.
"""

from schemas.identifiers.authorities import Authority, registering_authority
from schemas.identifiers.case_number import CaseNumber, OldCaseNumber, parse_case_number
from schemas.identifiers.errors import IdentifierError, IdentifierRule, IdentifierWarning
from schemas.identifiers.identifier import Identifier, masked, same_identifier
from schemas.identifiers.parsing import parse
from schemas.identifiers.resident import born_on, is_under_14, sex_of

__all__ = [
    "Authority",
    "CaseNumber",
    "Identifier",
    "IdentifierError",
    "IdentifierRule",
    "IdentifierWarning",
    "OldCaseNumber",
    "born_on",
    "is_under_14",
    "masked",
    "parse",
    "parse_case_number",
    "registering_authority",
    "same_identifier",
    "sex_of",
]
