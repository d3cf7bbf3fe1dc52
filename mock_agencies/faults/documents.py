"""
Document faults: texts that a careless parser accepts or fails on.
"""

import re
from collections.abc import Callable
from typing import Final

from mock_agencies.faults.records import FaultFields

_DEPTH: Final = 100_000
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'


def _duplicate_json_key(text: str, fault_fields: FaultFields) -> str:
    return re.sub(f'("{fault_fields.required}":)', r'\1"另一个值",\1', text, count=1)


def _nan(text: str, fault_fields: FaultFields) -> str:
    return re.sub(f'("{fault_fields.number}":)-?[0-9.]+', r"\1NaN", text, count=1)


def _deep_json(_text: str, _leaves: FaultFields) -> str:
    return "[" * _DEPTH + "]" * _DEPTH


def _duplicate_element(text: str, fault_fields: FaultFields) -> str:
    return text.replace(
        f"<{fault_fields.required}>",
        f"<{fault_fields.required}>另一个值</{fault_fields.required}><{fault_fields.required}>",
        1,
    )


def _deep_xml(_text: str, _leaves: FaultFields) -> str:
    return _DECLARATION + "<a>" * _DEPTH + "</a>" * _DEPTH


def _with_entity(text: str, declarations: str) -> str:
    """Puts a DTD before the root and its entity `x` into the first element that has text."""
    root = re.search(r"<(\w+)", text)
    name = root.group(1) if root else "x"
    body = re.sub(r">([^<>]+)</", ">&x;</", text.replace(_DECLARATION, "", 1), count=1)
    return f"{_DECLARATION}<!DOCTYPE {name} [{declarations}]>{body}"


def _dtd_inner(text: str, _leaves: FaultFields) -> str:
    return _with_entity(text, '<!ENTITY x "另一个值">')


def _external_entity(text: str, _leaves: FaultFields) -> str:
    return _with_entity(text, '<!ENTITY x SYSTEM "file:///etc/hostname">')


def _entity_bomb(text: str, _leaves: FaultFields) -> str:
    levels = "".join(f'<!ENTITY x{level} "{f"&x{level + 1};" * 10}">' for level in range(9))
    return _with_entity(text, f'<!ENTITY x "&x0;">{levels}<!ENTITY x9 "哈哈">')


JSON_DOCUMENTS: Final[dict[str, Callable[[str, FaultFields], str]]] = {
    "duplicate_keys": _duplicate_json_key,
    "nan": _nan,
    "deep_json": _deep_json,
}
XML_DOCUMENTS: Final[dict[str, Callable[[str, FaultFields], str]]] = {
    "deep_xml": _deep_xml,
    "dtd_inner": _dtd_inner,
    "external_entity": _external_entity,
    "entity_bomb": _entity_bomb,
}
ELEMENT_DOCUMENTS: Final = {**XML_DOCUMENTS, "duplicate_keys": _duplicate_element}
