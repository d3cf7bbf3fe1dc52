"""
Made-up names: characters put together by chance, telephones that no operator has issued, streets of no town.
"""

from typing import Final

from mock_agencies.population.draws import Draw

_SURNAMES: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
    "戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
)
_GIVEN_FIRST: Final = "若清云沐景书明嘉子思文雨晓安亦知怀星映念承远允凌时舒宛羽春秋"
_GIVEN_SECOND: Final = "溪禾川岚舟竹棠砚澄蘅樾笙棋原遥帆苇橘茗枫霖初珩弦霁楠芷洲亭陌"

_BRANDS_FIRST: Final = "衡沃瑞禾澜砚启泽柚岚橙景汇辰拓熙"
_BRANDS_SECOND: Final = "川石舟田谷林桥渡仓野港屿泉坊峰原"
_TRADES: Final = (
    "商贸", "机械制造", "新材料科技", "建筑工程", "物流", "食品", "纺织", "信息技术",
    "农业开发", "化工", "装饰工程", "电子", "文化传播", "环保科技", "竹木制品", "餐饮管理",
)  # fmt: skip
_SHOPS: Final = ("小吃店", "五金店", "便利店", "理发店", "水果行", "修理铺", "茶叶店", "服装店")

_STREETS: Final = (
    "示范一路", "示范二路", "样例大街", "虚构东路", "虚构西路", "模拟北街", "模拟南街", "范本巷",
    "假设路", "例证街", "拟名路", "拟真大道",
)  # fmt: skip


def person_name(draw: Draw) -> str:
    """Draws a person's name of two or three characters."""
    surname, first = draw.one_of(_SURNAMES), draw.one_of(_GIVEN_FIRST)
    second = "" if draw.chance(12) else draw.one_of(_GIVEN_SECOND)
    return surname + first + second


def renamed(name: str, draw: Draw) -> str:
    """Draws another given name for the same surname."""
    return name[0] + draw.one_of(_GIVEN_SECOND) + draw.one_of(_GIVEN_FIRST)


def brand(draw: Draw) -> str:
    """Draws a trade name of two characters."""
    return draw.one_of(_BRANDS_FIRST) + draw.one_of(_BRANDS_SECOND)


def trade(draw: Draw) -> str:
    """Draws a line of business as it stands in a company's name."""
    return draw.one_of(_TRADES)


def shop(draw: Draw) -> str:
    """Draws a kind of small shop."""
    return draw.one_of(_SHOPS)


def street_and_number(draw: Draw) -> str:
    """Draws a street that no town has, with a house number."""
    return f"{draw.one_of(_STREETS)}{draw.below(400) + 1}号"


def mobile(draw: Draw) -> str:
    """Draws a mobile number in the range 100, which no operator has issued."""
    return f"100{draw.below(100_000_000):08d}"


def landline(draw: Draw) -> str:
    """Draws a Quzhou landline with a leading zero, which no exchange issues."""
    return f"0570-0{draw.below(1_000_000):06d}"
