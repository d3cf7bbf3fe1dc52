"""
Labels for words of the audit log: outcomes, purposes, sealed values, anchors.
"""

from typing import Final

from schemas.codes import Code


class SealedValueLabel(Code):
    """The state of a record's sealed values (`audit.store.sealed_values.SealedValues`)."""

    OPENED = "opened", "可打开，与记录中的承诺一致", "They open, and are what the record commits to"
    NONE = "none", "本记录没有密封值", "This record has none"
    ERASED = "erased", "已销毁，承诺保留", "Erased; the commitment to them was kept"
    MISSING = "missing", "缺失", "They are missing"
    BROKEN = "broken", "与记录中的承诺不一致", "They are not what the record commits to"


class OutcomeLabel(Code):
    """The outcome of a record."""

    ACCEPTED = "accepted", "已受理", "accepted"
    ANSWERED = "answered", "已答复", "answered"
    ASKED = "asked", "已提出", "asked"
    BEGUN = "begun", "已开始", "begun"
    CHANGED = "changed", "已变更", "changed"
    CLOSED = "closed", "已关闭", "closed"
    CONFIRMED = "confirmed", "已确认", "confirmed"
    DRAFTED = "drafted", "已起草", "drafted"
    ENDED = "ended", "已结束", "ended"
    FILLED = "filled", "已填写", "filled"
    OVERTAKEN = "overtaken", "已被其他变更取代", "overtaken"
    REFUSED = "refused", "被拒", "refused"
    RELEASED = "released", "已交付", "released"
    REVIEWED = "reviewed", "已核查", "reviewed"
    SIGNED_IN = "signed_in", "已登录", "signed in"
    USED = "used", "已采用", "used"
    WITHHELD = "withheld", "未交付", "withheld"


class PurposeLabel(Code):
    """The purpose of a lookup."""

    SERVICE = "service_of_process", "送达", "Service of process"


class SectionLabel(Code):
    """Sections of a result that are not answers of agencies."""

    SWITCHES = "switches", "影响送达的情形", "What stops or changes the way of service"


class AnchorKindLabel(Code):
    """The kind of an anchor (`audit.anchor.anchors.AnchorKind`)."""

    COSIGNATURE = "cosignature", "见证方签名", "Cosignature of a witness"
    TIMESTAMP = "rfc3161", "时间戳（RFC 3161）", "Timestamp (RFC 3161)"
    DELIVERY = "delivery", "异地留存", "Copy kept elsewhere"


class AnchorStateLabel(Code):
    """Whether the evidence was verified here (`audit.anchor.anchors.AnchorState`)."""

    VALID = "valid", "已验证", "verified"
    UNPARSED = "unparsed", "仅留存，未在此验证", "kept, not verified here"


PURPOSES: Final = {label.value: label for label in PurposeLabel}
OUTCOMES: Final = {label.value: label for label in OutcomeLabel}
SEALED: Final = {label.value: label for label in SealedValueLabel}
ANCHOR_KINDS: Final = {label.value: label for label in AnchorKindLabel}
ANCHOR_STATES: Final = {label.value: label for label in AnchorStateLabel}
