"""
What the leaves of the business register become, and which are left alone.
"""

from typing import Any, Final

from adapters.field_readers import YES_NO, registry_day
from adapters.mapping import CodeTable, Condition, Part, RecordMap, Take, text
from schemas.codes import AddressKind, RegistrationState
from schemas.comparison import comparable_text
from schemas.records import AddressRecord, OrganizationIdentity, OrganizationRegistration, Position

# CA19 by text: the numbers differ between registries, the texts only in the width of comma and brackets.
STATE: Final = CodeTable(
    "market_regulation.regstateCn",
    {
        comparable_text(written): state
        for written, state in {
            "存续（在营、开业、在册）": RegistrationState.ACTIVE,
            "吊销，未注销": RegistrationState.REVOKED,
            "吊销，已注销": RegistrationState.REVOKED_DEREGISTERED,
            "注销": RegistrationState.DEREGISTERED,
            "撤销": RegistrationState.RESCINDED,
            "迁出": RegistrationState.MOVED_OUT,
            "其他": RegistrationState.OTHER,
        }.items()
    },
    fold=comparable_text,
)

# The first word that occurs in the type decides; a branch is a branch before it is a company.
_ROLES: Final = (
    ("分公司", "负责人"),
    ("分支机构", "负责人"),
    ("营业单位", "负责人"),
    ("个体工商户", "经营者"),
    ("个人独资企业", "投资人"),
    ("合伙企业", "执行事务合伙人"),
    ("公司", "法定代表人"),
    ("合作社", "法定代表人"),
    ("全民所有制", "法定代表人"),
    ("集体所有制", "法定代表人"),
    ("股份合作制", "法定代表人"),
)


def representative_role(raw: Any) -> str | None:
    """
    Says what the law calls the person who stands for an organization of this type (text of `enttypeCn`).

    None for a type that is not agreed: the table of types (CA16) is not public, and a role is never guessed.
    """
    written = text(raw)
    return next((role for word, role in _ROLES if word in written), None)


_SUSPENDED: Final = Condition("clsflag", YES_NO)
_FOREIGN_INVESTED: Final = Condition("fgnflag", YES_NO)

ORGANIZATION: Final = RecordMap(
    name="market_regulation.registration",
    identifier_element="uniscid",
    name_element="entname",
    distinguishing_elements=("uniscid",),
    parts=(
        Part(
            record=OrganizationIdentity,
            takes=(
                Take("name", at="entname", required=True),
                Take("uscc", at="uniscid"),
                Take("registration_number", at="regno"),
                Take("type_text", at="enttypeCn"),
                Take("representative", at="name"),
                Take("representative_role", at="enttypeCn", via=representative_role),
            ),
        ),
        Part(
            record=OrganizationRegistration,
            takes=(
                Take("name", at="entname", required=True),
                Take("state", at="regstateCn", via=STATE, required=True),
                Take("uscc", at="uniscid"),
                Take("registration_number", at="regno"),
                Take("registry", at="regorgCn"),
                Take("representative", at="name"),
                Take("founded_on", at="estdate", via=registry_day),
                Take("approved_on", at="apprdate", via=registry_day),
                Take("term_from", at="opfrom", via=registry_day),
                Take("term_to", at="opto", via=registry_day),
                # 歇业 always has an end (条例 30: at most three years): without one the flag cannot be read.
                Take("suspended_until", at="clsto", via=registry_day, condition=_SUSPENDED, required=True),
                Take("abnormal_list", at="abnflag", via=YES_NO),
            ),
        ),
        Part(
            record=AddressRecord,
            when="dom",
            fixed={"kind": AddressKind.DOMICILE},
            takes=(
                Take("text", at="dom", required=True),
                Take("postcode", at="postalcode"),
                Take("telephone", at="tel"),
                Take("as_of", at="apprdate", via=registry_day),
                Take("adverse", at="abnflag", via=YES_NO),
            ),
        ),
        Part(
            record=AddressRecord,
            when="clsaddr",
            condition=_SUSPENDED,
            fixed={"kind": AddressKind.LEGAL_DOCUMENTS},
            takes=(
                Take("text", at="clsaddr", required=True),
                Take("recipient", at="clsrecipient"),
                Take("as_of", at="clsfrom", via=registry_day),
                Take("valid_until", at="clsto", via=registry_day, required=True),
            ),
        ),
        Part(
            record=AddressRecord,
            when="svcaddr",
            condition=_FOREIGN_INVESTED,
            fixed={"kind": AddressKind.SERVICE_RECIPIENT, "recipient_role": "法律文件送达接受人"},
            takes=(
                Take("text", at="svcaddr", required=True),
                Take("recipient", at="svcrecipient"),
                Take("telephone", at="svctel"),
                Take("as_of", at="apprdate", via=registry_day),
            ),
        ),
        Part(
            record=AddressRecord,
            when="proloc",
            fixed={"kind": AddressKind.BUSINESS_PLACE},
            takes=(
                Take("text", at="proloc", required=True),
                Take("as_of", at="apprdate", via=registry_day),
            ),
        ),
    ),
    ignore={
        "sExtNodenum": "province node: the registry itself is read",
        "abnreason": "free text: that the registry warns is read from the flag",
        "regcap": "capital: not needed for service",
        "regcapcurCn": "currency of the capital: not needed for service",
        "opscope": "scope of business: not needed for service",
        "cerno": "number of the representative: only under a grant that names the representative",
    },
)

POSITIONS: Final = RecordMap(
    name="market_regulation.positions",
    parts=(
        Part(
            record=Position,
            takes=(
                Take("organization", at="entname", required=True),
                Take("role", at="position", required=True),
                Take("uscc", at="uniscid"),
                Take("state", at="regstateCn", via=STATE),
            ),
        ),
    ),
)
