"""
Case numbers (法〔2015〕137号, as amended by 法〔2018〕335号), and the form before 2016 as a type of its own.

    (year) court-code [special trial mark] type number 号 [之一]
"""

import re
from dataclasses import dataclass, field

from schemas.identifiers.errors import IdentifierError, IdentifierRule, IdentifierWarning
from schemas.identifiers.normalize import normalized_case_number

REGION_CHARACTERS = frozenset("京津冀晋内辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川黔云藏陕甘青宁新兵军")
_TYPES = """
    民初 民终 民申 民再 民辖 民特 诉前调 财保 执 执恢 执异 执复 执保 破 破申 刑初 刑终 行初 行终 行审 引调 委赔
"""
CASE_TYPES = frozenset(_TYPES.split())

_YEAR = r"\((?P<year>20[0-9]{2})\)"
# Atomic: a court that is read must not be given back to make a type out of its characters.
_COURT = r"(?P<court>(?>最高法|[一-鿿](?>[0-9]{4}|[0-9]{2})?(?![0-9])))"
_TYPE = r"(?P<mark>知(?=[一-鿿]))?(?P<type>(?:(?![字第号])[一-鿿]){1,4})"
_NUMBER = r"(?P<number>[1-9][0-9]{0,8})号"
_SUFFIX = r"(?P<suffix>之[一二三四五六七八九十百]{1,5})?"

_CURRENT = re.compile(_YEAR + _COURT + _TYPE + _NUMBER + _SUFFIX)
# 字第 went out of use with the year 2015: in a later number it is a mistake, not an old form.
_OLD_YEAR = r"\((?P<year>19[0-9]{2}|200[0-9]|201[0-5])\)"
_OLD = re.compile(_OLD_YEAR + r"(?P<words>[一-鿿]{1,12})字第(?P<number>0{0,8}[1-9][0-9]{0,8})号" + _SUFFIX)

# The parts in their order: the first one that cannot be read is the rule that is named.
_PARTS = (
    (re.compile(_YEAR), IdentifierRule.CASE_NUMBER_YEAR),
    (re.compile(_YEAR + _COURT), IdentifierRule.CASE_NUMBER_COURT),
    (re.compile(_YEAR + _COURT + _TYPE + r"(?=[0-9]|号)"), IdentifierRule.CASE_NUMBER_TYPE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNumber:
    """
    A case number since 2016.  `court` is the court's code (浙0802), `suffix` a document of the case (之一).
    """

    year: int
    court: str
    mark: str | None
    type: str
    number: int = field(repr=False)
    suffix: str | None = None
    as_written: str = field(compare=False, repr=False)
    warnings: tuple[IdentifierWarning, ...] = ()

    @property
    def case(self) -> str:
        """The case itself, without a document's suffix: equal for the same case."""
        return f"({self.year}){self.court}{self.mark or ''}{self.type}{self.number}号"

    @property
    def value(self) -> str:
        """The normalized text."""
        return self.case + (self.suffix or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OldCaseNumber:
    """
    A case number before 2016: court and type run together in `words`, and the zeros are part of the text.
    """

    year: int
    words: str
    number: int = field(repr=False)
    suffix: str | None = None
    value: str = field(compare=False, repr=False)
    as_written: str = field(compare=False, repr=False)
    warnings: tuple[IdentifierWarning, ...] = (IdentifierWarning.OLD_CASE_NUMBER,)

    @property
    def case(self) -> str:
        """The case itself, without zeros and suffix: equal for the same case."""
        return f"({self.year}){self.words}字第{self.number}号"


def parse_case_number(text: str) -> CaseNumber | OldCaseNumber:
    """
    Reads a case number of either form.  Raises `IdentifierError`, whose rule names the first part that is wrong.
    """
    value = normalized_case_number(text)
    if current := _CURRENT.fullmatch(value):
        return _current(current, text)
    if old := _OLD.fullmatch(value):
        return OldCaseNumber(
            year=int(old["year"]),
            words=old["words"],
            number=int(old["number"]),
            suffix=old["suffix"],
            value=value,
            as_written=text,
        )
    raise IdentifierError(_broken_rule(value))


def _current(match: re.Match[str], text: str) -> CaseNumber:
    court, case_type = match["court"], match["type"]
    doubts = {
        IdentifierWarning.COURT_UNKNOWN: court != "最高法" and court[0] not in REGION_CHARACTERS,
        IdentifierWarning.CASE_TYPE_UNKNOWN: case_type not in CASE_TYPES,
    }
    return CaseNumber(
        year=int(match["year"]),
        court=court,
        mark=match["mark"],
        type=case_type,
        number=int(match["number"]),
        suffix=match["suffix"],
        as_written=text,
        warnings=tuple(doubt for doubt, raised in doubts.items() if raised),
    )


def _broken_rule(value: str) -> IdentifierRule:
    broken = (rule for part, rule in _PARTS if not part.match(value))
    return next(broken, IdentifierRule.CASE_NUMBER_NUMBER)
