"""
Labels of fields and agencies on the pages, in both languages.

Keys are the names of the catalogue of kinds (`identity.id_number`, `registrations.position.role`), so that withheld and
masked fields have the same labels.
"""

from dataclasses import dataclass
from typing import Final

from schemas.codes import Code


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    zh: str
    en: str


_NAMES: Final[dict[str, tuple[str, str]]] = {
    "identity.id_number": ("公民身份号码", "ID number"),
    "identity.full_name": ("姓名", "Full name"),
    "identity.former_name": ("曾用名", "Former name"),
    "identity.sex": ("性别", "Sex"),
    "identity.born_on": ("出生日期", "Date of birth"),
    "identity.life_status": ("生存状态", "Life status"),
    "identity.serving_soldier": ("现役军人", "Serving soldier"),
    "identity.telephone": ("联系电话", "Telephone"),
    "identity.name": ("名称", "Name"),
    "identity.uscc": ("统一社会信用代码", "Unified social credit code"),
    "identity.registration_number": ("注册号", "Registration number"),
    "identity.type_text": ("主体类型", "Type"),
    "identity.representative": ("法定代表人（负责人）", "Legal representative"),
    "identity.representative_role": ("代表人职务", "Representative's role"),
    "addresses.text": ("地址", "Address"),
    "addresses.region_code": ("行政区划代码", "Region code"),
    "addresses.postcode": ("邮政编码", "Postcode"),
    "addresses.telephone": ("联系电话", "Telephone"),
    "addresses.recipient": ("收件人", "Recipient"),
    "addresses.recipient_role": ("收件人身份", "Recipient's role"),
    "addresses.valid_until": ("有效期至", "Valid until"),
    "registrations.organization.name": ("名称", "Name"),
    "registrations.organization.state": ("登记状态", "Registration state"),
    "registrations.organization.uscc": ("统一社会信用代码", "Unified social credit code"),
    "registrations.organization.registration_number": ("注册号", "Registration number"),
    "registrations.organization.registry": ("登记机关", "Registry"),
    "registrations.organization.representative": ("法定代表人（负责人）", "Legal representative"),
    "registrations.organization.founded_on": ("成立日期", "Founded on"),
    "registrations.organization.approved_on": ("核准日期", "Approved on"),
    "registrations.organization.term_from": ("经营期限自", "Term from"),
    "registrations.organization.term_to": ("经营期限至", "Term to"),
    "registrations.organization.suspended_until": ("歇业至", "Suspended until"),
    "registrations.organization.abnormal_list": ("列入经营异常名录", "On the abnormal list"),
    "registrations.position.organization": ("任职单位", "Organization"),
    "registrations.position.role": ("职务", "Role"),
    "registrations.position.uscc": ("统一社会信用代码", "Unified social credit code"),
    "registrations.position.state": ("登记状态", "Registration state"),
    "registrations.insurance.insurance": ("险种", "Insurance"),
    "registrations.insurance.state": ("参保状态", "State"),
    "registrations.insurance.employer": ("参保单位", "Employer"),
    "registrations.insurance.employer_number": ("单位编号", "Employer's number"),
    "registrations.insurance.since": ("参保时间", "Since"),
    "registrations.insurance.paid_until": ("缴费至", "Paid until"),
    "registrations.insurance.office": ("经办机构", "Office"),
}
FIELD_NAMES: Final = {key: Words(*names) for key, names in _NAMES.items()}

ENTRY_TITLES: Final = {
    "organization": Words("主体登记", "Registration"),
    "position": Words("任职", "Position"),
    "insurance": Words("社会保险参保", "Social insurance"),
}


class Tag(Code):
    """The state of a question that is not answered yet."""

    ASKING = "asking", "查询中…", "Asking…"


def field_name(key: str) -> Words:
    """The label of a field.  Raises `KeyError` if it is not in the catalogue."""
    return FIELD_NAMES[key]


def agency_name(names: dict[str, str] | None, agency: str) -> Words:
    """The short official names of an agency, or its id if it is no longer connected."""
    return Words(agency, agency) if names is None else Words(names["zh"], names["en"])
