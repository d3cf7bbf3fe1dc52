"""
Words for what the audit log says of its evidence: sealed values, and anchors outside the house.

The log's own words are for programs; they are the same in its files, and here they are told to people.
"""

from typing import Final

from schemas.codes import Code


class Sealed(Code):
    """What became of a record's sealed values (`audit.slots.Values`)."""

    OPENED = "opened", "可打开，与记录中的承诺一致", "They open, and are what the record commits to"
    NONE = "none", "本记录没有密封值", "This record has none"
    ERASED = "erased", "已销毁，承诺保留", "Erased; the commitment to them was kept"
    MISSING = "missing", "缺失", "They are missing"
    BROKEN = "broken", "与记录中的承诺不一致", "They are not what the record commits to"


class AnchorKind(Code):
    """Who speaks for the log (`audit.anchoring.AnchorKind`)."""

    COSIGNATURE = "cosignature", "见证方签名", "Cosignature of a witness"
    TIMESTAMP = "rfc3161", "时间戳（RFC 3161）", "Timestamp (RFC 3161)"
    DELIVERY = "delivery", "异地留存", "Copy kept elsewhere"


class AnchorState(Code):
    """Whether the evidence was verified here (`audit.anchoring.AnchorState`)."""

    VALID = "valid", "已验证", "verified"
    UNPARSED = "unparsed", "仅留存，未在此验证", "kept, not verified here"


SEALED: Final = {one.value: one for one in Sealed}
ANCHOR_KINDS: Final = {one.value: one for one in AnchorKind}
ANCHOR_STATES: Final = {one.value: one for one in AnchorState}
