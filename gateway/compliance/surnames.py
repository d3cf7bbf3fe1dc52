"""
Surnames of Chinese names, for the rule of equal surnames.
"""

from typing import Final

_WRITTEN: Final = """
    欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 令狐 司徒 端木 长孙 宇文 夏侯 轩辕 南宫 百里 呼延 独孤 申屠 公羊 澹台
    淳于 濮阳 太叔 钟离 司空 闻人 万俟 赫连 单于 宗政 仲孙 闾丘 鲜于 拓跋 夹谷 谷梁 亓官 西门 第五
"""
_COMPOUND: Final = frozenset(_WRITTEN.split())

# Each of these has more than one bearer in fifty; together they cover a third of the population.
COMMON: Final = frozenset("王李张刘陈杨黄赵吴周")


def surname(name: str) -> str:
    """The surname of a person; empty for a name that is not in Han characters."""
    name = name.strip()
    if len(name) < 2 or not all(_is_han(sign) for sign in name[:2]):
        return ""
    return name[:2] if len(name) > 2 and name[:2] in _COMPOUND else name[:1]


def _is_han(sign: str) -> bool:
    return "㐀" <= sign <= "鿿" or sign >= "𠀀"
