"""
Comparison of texts that people write in several ways, above all names.
"""

import re
import unicodedata
from typing import Final

_NOT_COMPARED: Final = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_ONE_SPELLING: Final = str.maketrans({"•": "·", "・": "·", "‧": "·", "∙": "·", "、": ","})


def comparable_text(text: str) -> str:
    """
    The form in which names and code texts are compared; two texts are the same if their forms are equal.

    One width, one kind of dot and comma, no case, no blanks and no invisible characters: `阿依古丽•买买提` equals
    `阿依古丽·买买提`, `吊销, 未注销` equals `吊销，未注销`.  A text is shown as its source wrote it, never so.
    """
    narrow = _NOT_COMPARED.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return unicodedata.normalize("NFKC", narrow).translate(_ONE_SPELLING)
