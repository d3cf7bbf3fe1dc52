"""
Service flags: facts about a party that change the way of service, not the address.

Each has its sources, and the sources that state otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.codes import Code
from schemas.provenance import Source


class Effect(Code):
    """The effect of a flag on the work of the clerk."""

    STOP = "stop", "停止送达", "Stop"
    WITHHOLD = "withhold", "暂不提供地址", "Withhold addresses"
    TELL_JUDGE = "tell_judge", "报告承办法官", "Tell the judge"
    OTHER_WAY = "other_way", "改用其他送达途径", "Another way of service"
    OTHER_ADDRESS = "other_address", "改用其他地址", "Another address"
    APPROVAL = "approval", "须另行审批", "Extra approval"
    WARNING = "warning", "提示", "Warning"


class ServiceFlagCode(Code):
    """
    The closed list of flags, gravest first, each with the sentence that the clerk reads.
    """

    DECEASED = (
        "deceased",
        "登记显示当事人已死亡：停止送达，报告承办法官，考虑变更当事人。",
        "The party is registered as deceased. Stop and tell the judge: succession of the party.",
    )
    AMBIGUOUS_IDENTITY = (
        "ambiguous_identity",
        "号码与姓名或名称不一致，或一号多人：由书记员确认后方可取得地址，确认行为将留痕。",
        "Number and name do not belong together, or several subjects share a number. No address is released until a "
        "clerk has chosen; the choice is audited.",
    )
    DEREGISTERED = (
        "deregistered",
        "该主体已注销：报告承办法官，考虑变更当事人。",
        "The organization is deregistered. Tell the judge: substitution of the party.",
    )
    ANNOUNCEMENT_BARRED = (
        "announcement_barred",
        "简易程序不得公告送达，且未查到可用地址：报告承办法官，考虑转换程序。",
        "Simplified procedure bars announcement and no address is usable. Tell the judge: change of procedure.",
    )
    SERVING_SOLDIER = (
        "serving_soldier",
        "当事人系现役军人：通过其所在部队团以上单位的政治机关转交（民事诉讼法第九十二条），家庭住址仅作线索。",
        "The party is a serving soldier: service through the political organ of the unit (Civil Procedure Law, "
        "art. 92). The home address is a lead only.",
    )
    IN_CUSTODY = (
        "in_custody",
        "当事人被监禁或采取强制措施：通过其所在场所转交（民事诉讼法第九十三条）。",
        "The party is in custody: service through the institution (Civil Procedure Law, art. 93).",
    )
    PARTY_ABROAD = (
        "party_abroad",
        "当事人在境外，或系外国人且在境内无住所：适用民事诉讼法第二百八十三条，公告期六十日。",
        "The party is abroad, or foreign without domicile here: Civil Procedure Law, art. 283; announcement takes "
        "60 days.",
    )
    UNDER_14 = (
        "under_14",
        "当事人不满十四周岁，属敏感个人信息：须另行审批，向其监护人送达。",
        "The party is under 14, which is sensitive personal information: extra approval; service through a guardian.",
    )
    SUSPENDED = (
        "suspended",
        "该主体处于歇业期间：使用其法律文书送达地址。",
        "The organization has suspended business: use its legal-document address.",
    )
    REVOKED = (
        "revoked",
        "该主体已被吊销营业执照但未注销：仍为当事人，登记住所仍可使用，但可能无法联系。",
        "The organization's licence is revoked but it is not deregistered: still a party; its registered office stays "
        "usable and may be out of use.",
    )
    ABNORMAL_LIST = (
        "abnormal_list",
        "该主体被列入经营异常名录：登记住所可能无法联系，宜及早考虑其他送达方式。",
        "The organization is on the abnormal list: it may not be reachable at its registered office; consider other "
        "ways early.",
    )

    @property
    def effect(self) -> Effect:
        """The effect of this flag."""
        return _EFFECTS[self]


_EFFECTS: Final[Mapping[ServiceFlagCode, Effect]] = MappingProxyType(
    {
        ServiceFlagCode.DECEASED: Effect.STOP,
        ServiceFlagCode.AMBIGUOUS_IDENTITY: Effect.WITHHOLD,
        ServiceFlagCode.DEREGISTERED: Effect.TELL_JUDGE,
        ServiceFlagCode.ANNOUNCEMENT_BARRED: Effect.TELL_JUDGE,
        ServiceFlagCode.SERVING_SOLDIER: Effect.OTHER_WAY,
        ServiceFlagCode.IN_CUSTODY: Effect.OTHER_WAY,
        ServiceFlagCode.PARTY_ABROAD: Effect.OTHER_WAY,
        ServiceFlagCode.UNDER_14: Effect.APPROVAL,
        ServiceFlagCode.SUSPENDED: Effect.OTHER_ADDRESS,
        ServiceFlagCode.REVOKED: Effect.WARNING,
        ServiceFlagCode.ABNORMAL_LIST: Effect.WARNING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFlag:
    """
    A flag that is raised.  `disputed_by` are sources that state otherwise; it stays raised until a person decides.
    """

    code: ServiceFlagCode
    effect: Effect
    zh: str
    en: str
    sources: tuple[Source, ...]
    disputed_by: tuple[Source, ...] = ()

    @classmethod
    def from_code(
        cls, code: ServiceFlagCode, sources: tuple[Source, ...], disputed_by: tuple[Source, ...] = ()
    ) -> "ServiceFlag":
        """The flag of a code, raised by `sources`."""
        return cls(code=code, effect=code.effect, zh=code.zh, en=code.en, sources=sources, disputed_by=disputed_by)
