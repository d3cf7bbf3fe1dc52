"""
What the police's leaves become, and which are left alone.
"""

from typing import Final

from adapters.field_readers import SEX, day
from adapters.mapping import CodeTable, Part, RecordMap, Take
from schemas.codes import AddressKind, LifeStatus
from schemas.records import AddressRecord, PersonIdentity

LIFE_STATUS: Final = CodeTable("public_security.SWBS", {"0": LifeStatus.ALIVE, "1": LifeStatus.DECEASED})

# Assumption: read only as a flag; the route's other codes are to be agreed.
SERVING_SOLDIER: Final = CodeTable("public_security.BYQK", {"0": False, "1": True})

# Assumption: 1 = registered habitual residence 居住登记, 9 = any other address.
OTHER_ADDRESS: Final = CodeTable(
    "public_security.QTZZLX", {"1": AddressKind.RESIDENCE, "9": AddressKind.OTHER_RESIDENCE}
)

_UNWANTED: Final = {
    "XP": "photograph: not needed for service, and under an approval of its own",
    "MZ": "ethnicity: not needed for service",
    "MZDM": "ethnicity: not needed for service",
    "HYZK": "marriage: not needed for service",
    "WHCD": "education: not needed for service",
    "SG": "height: not needed for service",
    "ZY": "occupation: not needed for service",
    "CSD_GJHDQDM": "country of birth: not needed for service",
    "CSD_SSXQDM": "region of birth: not needed for service",
    "JGSSX": "place of origin: not needed for service",
}

IDENTITY: Final = RecordMap(
    name="public_security.identity",
    identifier_element="GMSFHM",
    name_element="XM",
    match_elements=("GMSFHM_PPDDM", "XM_PPDDM"),
    parts=(
        Part(
            record=PersonIdentity,
            takes=(
                Take("id_number", at="GMSFHM", required=True),
                Take("full_name", at="XM", required=True),
                Take("sex", at="XBDM", via=SEX),
                Take("born_on", at="CSRQ", via=day),
                Take("life_status", at="SWBS", via=LIFE_STATUS),
            ),
        ),
    ),
    ignore=_UNWANTED,
)

ADDRESSES: Final = RecordMap(
    name="public_security.addresses",
    identifier_element="GMSFHM",
    name_element="XM",
    former_name_element="CYM",
    parts=(
        Part(
            record=PersonIdentity,
            takes=(
                Take("id_number", at="GMSFHM", required=True),
                Take("full_name", at="XM", required=True),
                Take("former_name", at="CYM"),
                Take("sex", at="XB", via=SEX),
                Take("born_on", at="CSRQ", via=day),
                Take("life_status", at="SWBS", via=LIFE_STATUS),
                Take("serving_soldier", at="BYQK", via=SERVING_SOLDIER),
            ),
        ),
        Part(
            record=AddressRecord,
            when="ZZXZ",
            fixed={"kind": AddressKind.HOUSEHOLD},
            takes=(
                Take("text", at="ZZXZ", required=True),
                Take("region_code", at="ZZSSXQ"),
                Take("as_of", at="ZZQSRQ", via=day),
            ),
        ),
        Part(
            record=AddressRecord,
            when="QTZZXZ",
            # Without a kind it is no registered residence: a lead, never a rung.
            fixed={"kind": AddressKind.OTHER_RESIDENCE},
            takes=(
                Take("kind", at="QTZZLX", via=OTHER_ADDRESS),
                Take("text", at="QTZZXZ", required=True),
                Take("region_code", at="QTZZSSXQ"),
                Take("as_of", at="QTZZQSRQ", via=day),
            ),
        ),
        Part(
            record=AddressRecord,
            when="FWCS",
            fixed={"kind": AddressKind.EMPLOYER},
            takes=(Take("text", at="FWCS", required=True),),
        ),
    ),
    ignore={
        **_UNWANTED,
        "SFZH": "the number once more; GMSFHM is read",
        "HKSZD": "household place: a region code and no address",
        "HDQR": "moved in from: not needed for service",
    },
    complete=True,
)
