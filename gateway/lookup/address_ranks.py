"""
The ranks of addresses as a table: the rank of each kind, the provisions that give it, and the kinds that are leads.

Sources: 法发〔2017〕19号 arts. 1–2, 8, 9; 市场主体登记管理条例 arts. 9, 11, 30.  Every kind of address is in one of the
two tables and in one only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.address import AddressWarning
from schemas.codes import AddressKind
from schemas.legal_basis import LegalBasis


@dataclass(frozen=True, slots=True)
class AddressRank:
    """The rank of a kind of address, and the provisions that give it; a lead has none."""

    rank: int | None
    legal_basis: tuple[LegalBasis, ...]


_REGISTERED: Final = (LegalBasis.REGISTERED_ADDRESS, LegalBasis.MAIL_REGISTERED)

ADDRESS_RANKS: Final[Mapping[AddressKind, AddressRank]] = MappingProxyType(
    {
        AddressKind.CONFIRMED: AddressRank(
            0, (LegalBasis.CONFIRMATION, LegalBasis.CARRIED_OVER, LegalBasis.MAIL_RETURNED)
        ),
        AddressKind.AGREED: AddressRank(1, (LegalBasis.AGREED_ADDRESS,)),
        AddressKind.OWN_FILING: AddressRank(2, (LegalBasis.OWN_PAPERS, LegalBasis.MAIL_RETURNED)),
        AddressKind.OTHER_LAWSUIT: AddressRank(3, (LegalBasis.OTHER_PROCEEDINGS,)),
        AddressKind.REGULAR_USE: AddressRank(4, (LegalBasis.CIVIL_ACTIVITIES,)),
        AddressKind.HOUSEHOLD: AddressRank(5, _REGISTERED),
        AddressKind.RESIDENCE: AddressRank(5, _REGISTERED),
        AddressKind.DOMICILE: AddressRank(5, _REGISTERED),
        AddressKind.LEGAL_DOCUMENTS: AddressRank(
            5, (LegalBasis.REGISTERED_ADDRESS, LegalBasis.SUSPENSION, LegalBasis.SUSPENSION_FILING)
        ),
        AddressKind.SERVICE_RECIPIENT: AddressRank(
            5, (LegalBasis.REGISTERED_ADDRESS, LegalBasis.SERVICE_RECIPIENT_FILED)
        ),
    }
)

LEADS: Final[Mapping[AddressKind, AddressWarning]] = MappingProxyType(
    {
        AddressKind.OTHER_RESIDENCE: AddressWarning.NOT_REGISTERED_RESIDENCE,
        AddressKind.BUSINESS_PLACE: AddressWarning.PLACE_OF_BUSINESS,
        AddressKind.EMPLOYER: AddressWarning.WORK_UNIT,
        AddressKind.CONTACT: AddressWarning.SELF_DECLARED,
    }
)

LEAD: Final = AddressRank(None, ())

# Ranks 3 and 4 are limited to a period; rank 5 consists of homes and offices.
DATED: Final = frozenset({AddressKind.OTHER_LAWSUIT, AddressKind.REGULAR_USE})
HOMES: Final = frozenset({AddressKind.HOUSEHOLD, AddressKind.RESIDENCE})
OFFICES: Final = frozenset({AddressKind.DOMICILE, AddressKind.LEGAL_DOCUMENTS, AddressKind.SERVICE_RECIPIENT})

# Kinds of which a party has one at a time (市场主体登记管理条例 11 for the domicile): two are a contradiction.
ONLY_ONE: Final = frozenset({AddressKind.HOUSEHOLD, AddressKind.DOMICILE})
