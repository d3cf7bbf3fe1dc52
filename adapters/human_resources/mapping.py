"""
What the leaves of the social insurance register become, and which are left alone.
"""

from typing import Final

from adapters.field_readers import SEX, day, month
from adapters.mapping import CodeTable, Condition, Part, RecordMap, Take
from schemas.codes import AddressKind, InsuranceKind, ParticipationState
from schemas.records import AddressRecord, InsuranceParticipation, PersonIdentity

INSURANCE: Final = CodeTable(
    "human_resources.AAE140",
    {
        "110": InsuranceKind.ENTERPRISE_PENSION,
        "120": InsuranceKind.PUBLIC_BODY_PENSION,
        "150": InsuranceKind.RESIDENT_PENSION,
        "170": InsuranceKind.RESIDENT_PENSION,
        "210": InsuranceKind.UNEMPLOYMENT,
        "310": InsuranceKind.EMPLOYEE_HEALTH,
        "390": InsuranceKind.RESIDENT_HEALTH,
        "410": InsuranceKind.WORK_INJURY,
        "510": InsuranceKind.MATERNITY,
    },
)

STATE: Final = CodeTable(
    "human_resources.AAC031",
    {"1": ParticipationState.ACTIVE, "2": ParticipationState.PAUSED, "3": ParticipationState.ENDED},
)

# The same codes as STATE: an employer of an ended participation leads nowhere.
EMPLOYED: Final = CodeTable("human_resources.AAC031", {"1": True, "2": True, "3": False})

# The mobile number first, else the contact number.
_TELEPHONE: Final = (Take("telephone", at="AAC067"), Take("telephone", at="AAE005"))

PARTICIPATION: Final = RecordMap(
    name="human_resources.participation",
    identifier_element="AAC002",
    name_element="AAC003",
    parts=(
        Part(
            record=PersonIdentity,
            takes=(
                Take("id_number", at="AAC002", required=True),
                Take("full_name", at="AAC003", required=True),
                Take("sex", at="AAC004", via=SEX),
                Take("born_on", at="AAC006", via=day),
                *_TELEPHONE,
            ),
        ),
        Part(
            record=InsuranceParticipation,
            takes=(
                Take("insurance", at="AAE140", via=INSURANCE, required=True),
                Take("state", at="AAC031", via=STATE, required=True),
                Take("employer", at="AAB004"),
                Take("employer_number", at="AAB001"),
                Take("since", at="AAC030", via=day),
                Take("paid_until", at="AAE003", via=month),
                Take("office", at="AAB300"),
            ),
        ),
        Part(
            record=AddressRecord,
            when="AAB004",
            condition=Condition("AAC031", EMPLOYED),
            fixed={"kind": AddressKind.EMPLOYER},
            takes=(
                Take("text", at="AAB004", required=True),
                Take("as_of", at="AAC030", via=day),
            ),
        ),
        Part(
            record=AddressRecord,
            when="AAE006",
            fixed={"kind": AddressKind.CONTACT},
            takes=(
                Take("text", at="AAE006", required=True),
                Take("postcode", at="AAE007"),
                *_TELEPHONE,
                Take("as_of", at="AAE036", via=day),
            ),
        ),
    ),
    ignore={
        "AAC001": "person number of the insurance: AAC002 identifies",
        "BAC001": "person number of the insurance: AAC002 identifies",
        "AAC005": "ethnicity: not needed for service",
        "AAC009": "household kind: not needed for service",
        "AAC010": "household address: the police hold it with authority",
        "AAC040": "wage: sensitive, not needed for service",
        "AAC049": "first participation: the present one tells whether the lead is live",
        "AAC058": "kind of identity document: stated in the question",
        "AAC084": "retirement: not needed for service",
        "AAC147": "number of the identity document: AAC002 identifies",
        "AAC161": "nationality: not needed for service",
        "AAC301": "region of residence: AAE006 holds the address",
        "AAE002": "period accounted: AAE003 is the period paid for",
        "AAE180": "contribution base: sensitive, not needed for service",
        "BAC301": "region of household: the police hold it with authority",
        "BAA027": "pooling region: not needed for service",
        "AAB301": "pooling region: not needed for service",
    },
)
