"""
Registering authorities, by the first character of a unified social credit code.
"""

from schemas.codes import Code
from schemas.identifiers.normalize import normalized


class Authority(Code):
    """
    The registering authorities of GB 32100.  `UNKNOWN` is a first character outside the table, not a guess.
    """

    STAFFING = "staffing", "机构编制部门", "Public-sector staffing office"
    FOREIGN_AFFAIRS = "foreign_affairs", "外交部门", "Foreign affairs"
    JUSTICE = "justice", "司法行政部门", "Justice administration"
    CULTURE = "culture", "文化部门", "Culture"
    CIVIL_AFFAIRS = "civil_affairs", "民政部门", "Civil affairs"
    TOURISM = "tourism", "旅游部门", "Tourism"
    RELIGION = "religion", "宗教事务部门", "Religious affairs"
    TRADE_UNIONS = "trade_unions", "工会", "Trade unions"
    MARKET_REGULATION = "market_regulation", "市场监督管理部门", "Market regulation"
    MILITARY = "military", "中央军委有关部门", "Military commission"
    AGRICULTURE = "agriculture", "农业农村部门", "Agriculture and rural affairs"
    OTHER = "other", "其他登记管理部门", "Another registering authority"
    UNKNOWN = "unknown", "未知的登记管理部门", "Unknown registering authority"

    @property
    def is_market_regulation(self) -> bool:
        """Whether market regulation keeps this register, so that its lookups can answer."""
        return self is Authority.MARKET_REGULATION


_FIRST_CHARACTER = {
    "1": Authority.STAFFING,
    "2": Authority.FOREIGN_AFFAIRS,
    "3": Authority.JUSTICE,
    "4": Authority.CULTURE,
    "5": Authority.CIVIL_AFFAIRS,
    "6": Authority.TOURISM,
    "7": Authority.RELIGION,
    "8": Authority.TRADE_UNIONS,
    "9": Authority.MARKET_REGULATION,
    "A": Authority.MILITARY,
    "N": Authority.AGRICULTURE,
    "Y": Authority.OTHER,
}


def registering_authority(uscc: str) -> Authority:
    """The authority that issued a unified social credit code.  Takes any text and raises nothing."""
    return _FIRST_CHARACTER.get(normalized(uscc)[:1], Authority.UNKNOWN)
