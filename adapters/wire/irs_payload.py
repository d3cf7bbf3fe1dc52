"""
The shapes that `datas` of the IRS platform takes, as a closed list of which each route declares its own.

    array     [{"AAC003": …}]                      object    {"AAC003": …}
    text      JSON in a text, decoded once more    provider  {"success": true, "data": …} or {"code": 200, "data": …}
    xml       <GMSFHM&gt;…</GMSFHM&gt;: `<` literal, `>` escaped

At most two layers are unwrapped.  No record is one of `empty`: text "", null, array [], or the text "[]".
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

from adapters.errors import AgencyFault, AnswerUnreadable
from adapters.wire import decode
from schemas.codes import Reason

Shape = Literal["array", "object", "text", "provider", "xml"]
EmptyForm = Literal["text", "null", "array", "text_array"]
LAYERS: Final = 2

Records = tuple[Mapping[str, Any], ...]

# Name of each empty form, and whether a value has it.
EMPTY: Final[Mapping[EmptyForm, Callable[[Any], bool]]] = {
    "text": lambda datas: datas == "",
    "null": lambda datas: datas is None,
    "array": lambda datas: datas == [],
    "text_array": lambda datas: datas == "[]",
}

_PROVIDER: Final = frozenset({"success", "code", "data", "errorMsg", "errMsg", "message", "msg"})


class Shapes:
    """
    The declared shapes of one route.
    """

    def __init__(self, shapes: frozenset[Shape], empty: frozenset[EmptyForm]) -> None:
        self._shapes = shapes
        self._empty = tuple(EMPTY[name] for name in sorted(empty))

    def read(self, datas: Any) -> tuple[Records, tuple[str, ...]]:
        """
        The records and the drift of the provider's envelope.  Raises `AnswerUnreadable` for any other shape and
        `AgencyFault` if the provider says that it failed.
        """
        return self._read(datas, LAYERS)

    def _read(self, datas: Any, layers: int) -> tuple[Records, tuple[str, ...]]:
        if any(is_empty(datas) for is_empty in self._empty):
            return (), ()
        match datas:
            case str() if "text" in self._shapes and layers and datas.lstrip()[:1] in {"[", "{"}:
                return self._read(decode.json_value(datas, at="datas"), layers - 1)
            case str() if "xml" in self._shapes and datas.lstrip()[:1] == "<":
                return _half_escaped(datas), ()
            case dict() if _is_provider(datas):
                if "provider" not in self._shapes or not layers:
                    raise AnswerUnreadable(at="datas")
                records, drift = self._read(_provided(datas), layers - 1)
                return records, (*drift, *(f"datas/{name}" for name in datas if name not in _PROVIDER))
            case dict() if datas and "object" in self._shapes:
                return (decode.flatten(datas),), ()
            case list() if datas and "array" in self._shapes:
                return _records(datas), ()
        raise AnswerUnreadable(at="datas")


def _records(rows: Iterable[Any]) -> Records:
    records = []
    for row in rows:
        if not isinstance(row, dict) or not row:
            raise AnswerUnreadable(at="datas")
        records.append(decode.flatten(row))
    return tuple(records)


def _is_provider(datas: Mapping[str, Any]) -> bool:
    return "success" in datas or ("code" in datas and datas.keys() <= _PROVIDER)


def _provided(envelope: Mapping[str, Any]) -> Any:
    # `success` true or `code` 200, as number or as text; if both are there, both.
    if envelope.get("success", True) is not True or str(envelope.get("code", 200)) != "200":
        raise AgencyFault(Reason.PROVIDER_ERROR)
    if "data" not in envelope:
        raise AnswerUnreadable(Reason.MISSING_LEAF, at="datas/data")
    return envelope["data"]


def _half_escaped(datas: str) -> Records:
    # A fragment: the leaves of one record, or several records of leaves.
    document = f"<datas>{datas.replace('&gt;', '>')}</datas>"
    root = decode.xml(document.encode(), at="datas")
    if all(len(child) == 0 for child in root):
        return (_leaves(root),)
    return tuple(_leaves(child) for child in root)


def _leaves(record: Any) -> dict[str, str]:
    leaves = {decode.local_name(child): decode.element_text(child, at="datas") for child in record}
    if not leaves or len(leaves) != len(record):
        raise AnswerUnreadable(at="datas")
    return leaves
