"""
An address for service: its kind, its rank, and the provisions of law that make it usable.

Ranks 0 to 5 are those of 法发〔2017〕19号 arts. 1–2, 8 and 9.  An address without a rank is a lead, which may help
to find a party and is never usable for presumptive service.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from schemas.coded_text import CodedText
from schemas.codes import AddressKind, Code
from schemas.legal_basis import LegalBasis
from schemas.provenance import Sourced
from schemas.records import AddressRecord


class RefusalState(Code):
    """Whether the case records that the party refuses to confirm an address or evades service."""

    RECORDED = "recorded", "已记录拒绝确认或规避送达", "Refusal or evasion is recorded"
    NOT_RECORDED = "not_recorded", "未记录拒绝确认或规避送达", "Refusal or evasion is not recorded"
    UNKNOWN = "unknown", "拒绝确认或规避送达情况不明", "Refusal or evasion is not known"


class PreconditionCode(Code):
    """What must have happened before an address of ranks 1 to 4 may be used."""

    REFUSAL_OR_EVASION = (
        "refusal_or_evasion",
        "须当事人拒绝确认送达地址或躲避、规避送达（法发〔2017〕19号第八条）",
        "The party must have refused to confirm an address, or evade service (法发〔2017〕19号 art. 8)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Precondition:
    """A precondition and its state.  The hub shows it, a clerk decides it."""

    code: PreconditionCode
    state: RefusalState


class DeliveryOutcome(Code):
    """How an earlier delivery in this case ended."""

    SUCCEEDED = "succeeded", "送达成功", "Delivered"
    FAILED = "failed", "退回或未妥投", "Returned or not delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One earlier delivery in this case, to the address `text`; `evidence` is the number of its proof."""

    text: str = field(repr=False)
    on: date
    outcome: DeliveryOutcome
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAddress:
    """
    An address that the case itself supplies (ranks 0 to 4), with the number of the form or document that proves it.
    """

    record: AddressRecord = field(repr=False)
    evidence: str
    confidential: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """What the case file states about serving this party."""

    refusal: RefusalState = RefusalState.UNKNOWN
    addresses: tuple[KnownAddress, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    in_custody: bool = False
    party_abroad: bool = False


NOTHING_ON_FILE: Final = CaseFile()


class AddressWarning(Code):
    """The reason why an address is ranked lower, or is only a lead."""

    ABNORMAL_LIST = (
        "abnormal_list",
        "登记机关已将其列入经营异常名录，该登记住所可能无法联系",
        "The registry has put the organization on the abnormal list: it may not be reachable here",
    )
    DELIVERY_FAILED = (
        "delivery_failed",
        "本案此前在该地址未能送达",
        "An earlier delivery to this address failed in this case",
    )
    REVOKED = (
        "revoked",
        "营业执照已吊销、未注销，登记住所可能已停用",
        "The licence is revoked, not deregistered: the registered office may be out of use",
    )
    DATE_IN_FUTURE = (
        "date_in_future",
        "登记日期晚于查询日期，按无日期处理",
        "The date of this address lies in the future and is not relied on",
    )
    OUTSIDE_PERIOD = (
        "outside_period",
        "超出一年期间，仅作线索",
        "Older than the period of one year: a lead only",
    )
    DATE_MISSING = (
        "date_missing",
        "未载明日期，无法认定在一年期间内，仅作线索",
        "Not dated, so that the period of one year cannot be shown: a lead only",
    )
    SUSPENSION_OVER = (
        "suspension_over",
        "歇业已届满，法律文书送达地址不再代替住所，仅作线索",
        "The suspension is over and this address no longer stands in for the domicile: a lead only",
    )
    SUSPENSION_END_MISSING = (
        "suspension_end_missing",
        "未载明歇业期限，无法认定仍在歇业期间，仅作线索",
        "The end of the suspension is not stated, so that it cannot be shown to last: a lead only",
    )
    NOT_REGISTERED_RESIDENCE = (
        "not_registered_residence",
        "未登记为经常居住地，仅作线索",
        "Not registered as habitual residence: a lead only",
    )
    PLACE_OF_BUSINESS = (
        "place_of_business",
        "经营场所并非登记住所，仅作线索",
        "A place of business and not the registered domicile: a lead only",
    )
    WORK_UNIT = (
        "work_unit",
        "工作单位信息，可能已过时，仅作线索",
        "A work unit, which may be outdated: a lead only",
    )
    SELF_DECLARED = (
        "self_declared",
        "本人自报的联系信息，可能已过时，仅作线索",
        "Declared by the person, may be outdated: a lead only",
    )
    PARTY_DECEASED = (
        "party_deceased",
        "登记显示当事人已死亡，不得作为送达地址使用",
        "The party is registered as deceased: not usable for service",
    )
    SERVING_SOLDIER = (
        "serving_soldier",
        "当事人系现役军人，家庭住址仅作线索",
        "The party is a serving soldier: the home address is a lead only",
    )
    PARTY_DEREGISTERED = (
        "party_deregistered",
        "该主体已注销，原登记地址仅作线索",
        "The organization is deregistered: its former registered address is a lead only",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """
    One candidate address.  `rank` is 0 to 5, absent for a lead.

    `legal_basis` holds the codes of the provisions under which it may be used (none for a lead that no provision
    touches), `valid_until` the end of an address that stands in for another.
    """

    rank: int | None = None
    kind: AddressKind
    text: Sourced[str]
    legal_basis: tuple[LegalBasis, ...] = ()
    precondition: Precondition | None = None
    region_code: Sourced[str] | None = None
    postcode: Sourced[str] | None = None
    telephone: Sourced[str] | None = None
    recipient: Sourced[str] | None = None
    recipient_role: Sourced[str] | None = None
    valid_until: Sourced[date] | None = None
    deliveries: tuple[Delivery, ...] = ()
    warnings: tuple[CodedText[AddressWarning], ...] = ()
    confidential: bool = False

    @property
    def lead(self) -> bool:
        """Whether it is a lead: it helps to find the party and is not usable for presumptive service."""
        return self.rank is None


class LadderNote(Code):
    """A note on the list of addresses as a whole."""

    NOT_WANTED = "not_wanted", "本次未查询送达地址", "Addresses were not asked for in this lookup"
    IDENTITY_AMBIGUOUS = (
        "identity_ambiguous",
        "当事人身份待确认，确认前不提供任何地址",
        "It is not settled who the party is: no address is given until a clerk has chosen",
    )
    PARTY_DECEASED = (
        "party_deceased",
        "登记显示当事人已死亡：停止送达，报告承办法官；所列地址均仅作线索",
        "The party is registered as deceased: stop, and tell the judge. Every address listed is a lead only",
    )
    INCOMPLETE = (
        "incomplete",
        "有单位尚未答复，地址清单不完整，不得视为无地址",
        "Not every agency was heard: the list is incomplete and does not mean that there is no address",
    )
    RANK_FIVE_MISSING = (
        "rank_five_missing",
        "缺少第5顺位地址：未得到户籍登记住所、经常居住地登记住址或登记住所",
        "Rank 5 is missing: no registered domicile or registered habitual residence was obtained",
    )
    NONE_RANKED = (
        "none_ranked",
        "各单位均已答复，没有可依法使用的送达地址",
        "Every agency was heard and none holds an address that the law makes usable",
    )
    SOURCES_DISAGREE = (
        "sources_disagree",
        "来源不一致：依法只有一个的地址出现多个，均已列出",
        "Sources disagree: of an address that exists only once by law, several are held; all are shown",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """
    The completeness of the list of addresses.

    `complete` only if every agency that could hold an address has answered; `not_heard` names those that have not.
    """

    complete: bool
    not_heard: tuple[str, ...] = ()
    notes: tuple[CodedText[LadderNote], ...] = ()
