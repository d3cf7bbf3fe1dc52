"""
Provisions of law that make an address usable for service, as pages print them.

The texts are summaries, not quotations.  Sources: 法发〔2017〕19号 (最高法《关于进一步加强民事送达工作的若干意见》,
whose arts. 8–9 are to be checked against the official text before production), 民诉解释, 法院专递规定 (2004),
市场主体登记管理条例 and its 实施细则.
"""

from dataclasses import dataclass
from typing import Self

from schemas.codes import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """The text of a provision as it is printed: the citation, and what it says in Chinese and in English."""

    article: str
    zh: str
    en: str


class LegalBasis(Code):
    """
    The provisions by their stable codes.  `article` is the citation.
    """

    article: str

    def __new__(cls, code: str, article: str, zh: str, en: str) -> Self:
        # An enumeration puts its own constructor in the place of `Code`'s.
        basis = str.__new__(cls, code)
        basis._value_, basis.article, basis.zh, basis.en = code, article, zh, en
        return basis

    @property
    def provision(self) -> Provision:
        """Its text."""
        return Provision(article=self.article, zh=self.zh, en=self.en)

    CONFIRMATION = (
        "service_opinion_1_2",
        "法发〔2017〕19号第一条、第二条",
        "当事人（或其诉讼代理人）在送达地址确认书中确认的送达地址。",
        "Address confirmed by the party, or by its agent, in the confirmation form of this case.",
    )
    CARRIED_OVER = (
        "procedure_interpretation_137",
        "民诉解释第一百三十七条",
        "上诉、申请再审、申请执行时未书面变更的，一审确认的送达地址继续适用。",
        "The confirmed address carries over to appeal, retrial and enforcement unless changed in writing.",
    )
    AGREED_ADDRESS = (
        "service_opinion_8_1",
        "法发〔2017〕19号第八条第（一）项",
        "当事人拒绝确认或躲避、规避送达的，以讼争合同、往来函件中明确约定的地址为送达地址。",
        "If the party refuses to confirm or evades service: the address expressly agreed in the contract or "
        "correspondence in dispute.",
    )
    OWN_PAPERS = (
        "service_opinion_8_2",
        "法发〔2017〕19号第八条第（二）项",
        "没有约定的，以当事人在本案提交的书面材料中载明的自己的地址为送达地址。",
        "Else the party's own address in papers that it filed in this case.",
    )
    OTHER_PROCEEDINGS = (
        "service_opinion_8_3",
        "法发〔2017〕19号第八条第（三）项",
        "仍没有的，以当事人一年内在其他诉讼、仲裁案件中提供的地址为送达地址。",
        "Else the address given in another lawsuit or arbitration within one year.",
    )
    CIVIL_ACTIVITIES = (
        "service_opinion_8_4",
        "法发〔2017〕19号第八条第（四）项",
        "仍没有的，以当事人一年内进行民事活动时经常使用的地址为送达地址。",
        "Else the address regularly used in civil activities within one year.",
    )
    REGISTERED_ADDRESS = (
        "service_opinion_9",
        "法发〔2017〕19号第九条",
        "依第八条仍不能确认的，自然人以户籍登记的住所或者经常居住地登记的住址，法人或其他组织以工商登记或其他依法"
        "登记、备案的住所地为送达地址。",
        "Else, for a natural person, the household-registration domicile or the registered habitual residence; "
        "for an organization, the domicile in its registration or other lawful filing.",
    )
    MAIL_CONFIDENTIAL = (
        "court_mail_4",
        "法院专递规定第四条",
        "当事人要求对其提供的送达地址保密的，应当保密。",
        "A party may demand that the address it gave be kept secret.",
    )
    MAIL_REGISTERED = (
        "court_mail_5",
        "法院专递规定第五条",
        "当事人拒绝提供送达地址的，自然人以户籍登记的住所地或者经常居住地为送达地址，法人或其他组织以工商登记或其"
        "他依法登记、备案的住所地为送达地址。",
        "If a party gives no address: a natural person's registered domicile or habitual residence, an "
        "organization's registered or filed domicile.",
    )
    MAIL_RETURNED = (
        "court_mail_11",
        "法院专递规定第十一条",
        "地址由当事人提供或确认而不准确、变更未告知，或拒绝签收的，文书退回之日视为送达之日；当事人证明无过错的除外。",
        "Where the party gave or confirmed the address, mail returned because it was wrong, outdated or refused "
        "counts as served on the day of return, unless the party shows that it is not at fault.",
    )
    SERVICE_RECIPIENT_FILED = (
        "market_entities_9_7",
        "市场主体登记管理条例第九条第（七）项",
        "外商投资企业法律文件送达接受人应当备案。",
        "A foreign-invested company files its recipient of legal documents.",
    )
    SUSPENSION = (
        "market_entities_30",
        "市场主体登记管理条例第三十条",
        "歇业期间，市场主体可以以法律文书送达地址代替住所（歇业期限最长不超过三年）。",
        "While suspended, for three years at most, an entity may let a legal-document address stand in for its "
        "domicile.",
    )
    SUSPENSION_FILING = (
        "market_entities_rules_41_43",
        "市场主体登记管理条例实施细则第四十一条、第四十三条",
        "歇业备案以送达地址确认书载明法律文书送达地址，登记管辖不变。",
        "The filing of a suspension states the legal-document address in a confirmation form; the competent "
        "registry stays the same.",
    )
