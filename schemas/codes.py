"""
The closed code tables of the hub, each value with its Chinese and English label.

The values are stable: API, pages, command line and audit log use them.  An agency's own codes are mapped onto them
beside its adapter; a code outside its map is never guessed.
"""

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """
    One value of a closed table: a stable word, and what it is called in Chinese and in English.
    """

    zh: str
    en: str

    def __new__(cls, word: str, zh: str = "", en: str = "") -> Self:
        code = str.__new__(cls, word)
        code._value_ = word
        code.zh = zh
        code.en = en
        return code


class SubjectKind(Code):
    """The kind of subject of a question."""

    PERSON = "person", "自然人", "Person"
    ORGANIZATION = "organization", "法人或其他组织", "Organization"


class IdType(Code):
    """
    The kinds of identifier that a caller may state; never guessed from the digits.
    """

    RESIDENT_ID = "resident_id", "公民身份号码", "Resident identity number"
    RESIDENCE_PERMIT = "residence_permit", "港澳台居民居住证", "Residence permit (Hong Kong, Macao, Taiwan)"
    PERMANENT_RESIDENCE = "permanent_residence", "外国人永久居留身份证", "Foreigner's permanent residence ID"
    PASSPORT = "passport", "护照或其他旅行证件", "Passport or other travel paper"
    USCC = "uscc", "统一社会信用代码", "Unified social credit code"
    ORGANIZATION_CODE = "organization_code", "组织机构代码", "Organization code"
    REGISTRATION_NUMBER = "registration_number", "注册号", "Registration number"

    @property
    def subject_kind(self) -> SubjectKind:
        """The kind of subject that the identifier belongs to."""
        organizations = {IdType.USCC, IdType.ORGANIZATION_CODE, IdType.REGISTRATION_NUMBER}
        return SubjectKind.ORGANIZATION if self in organizations else SubjectKind.PERSON


class Want(Code):
    """The sections that a lookup can ask for."""

    IDENTITY = "identity", "身份信息", "Identity"
    ADDRESSES = "addresses", "送达地址", "Addresses for service"
    REGISTRATIONS = "registrations", "登记信息", "Registrations"


class AnswerState(Code):
    """
    The six states of an agency's answer, the same six words everywhere.
    """

    FOUND = "found", "已查到", "Found"
    NOT_FOUND = "not_found", "未查到", "No record held"
    AMBIGUOUS = "ambiguous", "查到多条，待确认", "More than one match"
    UNAVAILABLE = "unavailable", "暂不可用", "Not available now"
    REFUSED = "refused", "无权查询", "Not permitted"
    NOT_ASKED = "not_asked", "未查询", "Not asked"


class Reason(Code):
    """
    The reason why an answer is not a plain `found`; never the agency's own text, which may hold names.
    """

    TIMEOUT = "timeout", "在时限内未答复", "did not answer in time"
    UNREACHABLE = "unreachable", "无法连接", "could not be reached"
    CERTIFICATE = "certificate", "证书无效", "has a certificate that is not to be trusted"
    HTTP = "http", "返回了错误状态", "answered with an error status"
    AUTH = "auth", "不接受本院凭据", "did not accept our credentials"
    NO_SECRET = "no_secret", "访问密钥暂时无法更新", "needs a secret that cannot be renewed just now"
    QUOTA = "quota", "当日查询额度已用完", "daily quota is used up"
    THROTTLED = "throttled", "请求过于频繁", "asked us to slow down"
    OUTSIDE_HOURS = "outside_hours", "不在服务时间", "is outside its service hours"
    FAULT = "fault", "返回了系统故障", "answered with a fault"
    PROVIDER_ERROR = "provider_error", "数据提供方报错", "reported an error of its data provider"
    UNKNOWN_CODE = "unknown_code", "返回了未约定的代码", "used a code outside the agreed table"
    MISSING_LEAF = "missing_leaf", "缺少必需字段", "left out a required field"
    UNDECODABLE = "undecodable", "答复无法解读", "sent an answer that cannot be read"
    SIGNATURE = "signature", "签名无法核验", "sent an answer whose signature does not hold"
    WRONG_SUBJECT = "wrong_subject", "答复与所查对象不符", "answered about another subject"
    NO_PERMISSION = "no_permission", "未授权此项查询", "does not permit this question"
    NAME_MISMATCH = "name_mismatch", "号码与姓名不一致", "number and name do not belong together"
    SEVERAL_MATCHES = "several_matches", "有多个不同对象", "holds more than one match"
    ID_TYPE_NOT_SUPPORTED = "id_type_not_supported", "不支持此证件类型", "does not take this type of identifier"
    NOT_CONFIGURED = "not_configured", "尚未接入", "is not connected"
    OFFICIAL_INCOMPLETE = "official_incomplete", "承办人信息不全", "needs the acting official's details"
    NAME_REQUIRED = "name_required", "须同时提供姓名", "needs the name together with the number"
    OTHER_AUTHORITY = "other_authority", "由其他机关登记", "does not register this organization"
    NOT_EXPRESSIBLE = "not_expressible", "查询内容无法按对方格式书写", "cannot be asked this in its own format"
    OVERLOADED = "overloaded", "等待查询过多", "has too many questions waiting"
    RESTING = "resting", "近期多次未正常答复，暂停查询", "failed repeatedly and is given a rest"


class Sex(Code):
    """GB/T 2261.1."""

    UNKNOWN = "unknown", "未知的性别", "Unknown"
    MALE = "male", "男", "Male"
    FEMALE = "female", "女", "Female"
    NOT_STATED = "not_stated", "未说明的性别", "Not stated"


class LifeStatus(Code):
    """The life status in the population register (`SWBS`)."""

    ALIVE = "alive", "在世", "Alive"
    DECEASED = "deceased", "已死亡", "Deceased"


class RegistrationState(Code):
    """
    Registration state of an organization (CA19), mapped by text and never by number.

    Suspension (歇业) and the abnormal list (经营异常名录) are flags beside it, not states.
    """

    ACTIVE = "active", "存续", "Active"
    REVOKED = "revoked", "吊销，未注销", "Revoked, not deregistered"
    REVOKED_DEREGISTERED = "revoked_deregistered", "吊销，已注销", "Revoked and deregistered"
    DEREGISTERED = "deregistered", "注销", "Deregistered"
    RESCINDED = "rescinded", "撤销", "Rescinded"
    MOVED_OUT = "moved_out", "迁出", "Moved to another registry"
    OTHER = "other", "其他", "Other"


class AddressKind(Code):
    """The kind of an address, as its source calls it."""

    CONFIRMED = "confirmed", "送达地址确认书地址", "Confirmed for service"
    AGREED = "agreed", "约定送达地址", "Agreed in the contract in dispute"
    OWN_FILING = "own_filing", "当事人诉讼材料所载地址", "Given in the party's own papers"
    OTHER_LAWSUIT = "other_lawsuit", "其他案件中提供的地址", "Given in another case"
    REGULAR_USE = "regular_use", "民事活动中经常使用的地址", "Regularly used in civil activities"
    HOUSEHOLD = "household", "户籍登记住所", "Household registration"
    RESIDENCE = "residence", "经常居住地登记住址", "Registered habitual residence"
    OTHER_RESIDENCE = "other_residence", "其他住址", "Other address in the police record"
    DOMICILE = "domicile", "登记住所", "Registered domicile"
    LEGAL_DOCUMENTS = "legal_documents", "歇业法律文书送达地址", "Legal-document address while suspended"
    SERVICE_RECIPIENT = "service_recipient", "法律文件送达接受人", "Recipient of legal documents"
    BUSINESS_PLACE = "business_place", "经营场所", "Place of business"
    EMPLOYER = "employer", "工作单位", "Employer"
    CONTACT = "contact", "自报联系地址", "Self-declared contact address"


class ParticipationState(Code):
    """State of a social insurance participation (`AAC031`)."""

    ACTIVE = "active", "参保缴费", "Active"
    PAUSED = "paused", "暂停缴费", "Paused"
    ENDED = "ended", "终止缴费", "Ended"


class InsuranceKind(Code):
    """Kind of social insurance (`AAE140`)."""

    ENTERPRISE_PENSION = "enterprise_pension", "企业职工基本养老保险", "Enterprise pension"
    PUBLIC_BODY_PENSION = "public_body_pension", "机关事业单位养老保险", "Public-body pension"
    RESIDENT_PENSION = "resident_pension", "城乡居民养老保险", "Residents' pension"
    UNEMPLOYMENT = "unemployment", "失业保险", "Unemployment"
    EMPLOYEE_HEALTH = "employee_health", "职工基本医疗保险", "Employees' health"
    RESIDENT_HEALTH = "resident_health", "城乡居民医疗保险", "Residents' health"
    WORK_INJURY = "work_injury", "工伤保险", "Work injury"
    MATERNITY = "maternity", "生育保险", "Maternity"
