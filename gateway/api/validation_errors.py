"""
Request bodies and their validation errors: every broken rule with its field, without the values that were sent.
"""

import re
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict

from gateway.api.problems import InputError, Problem
from schemas.identifiers import IdentifierError

# A member's name may itself be an identifier; only names of our own shape are repeated.
FIELD_NAME = re.compile(r"[a-z_]{1,40}|[0-9]{1,4}")


class RequestModel(BaseModel):
    """Base of request bodies and forms: closed, frozen, and silent about its values, which may be personal."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def __repr_args__(self) -> tuple[tuple[str, object], ...]:
        """No values."""
        return ()


def as_problem(error: RequestValidationError) -> Problem:
    """All broken rules of one input as one problem."""
    return Problem("invalid-input", errors=[_input_error(detail) for detail in error.errors()])


def identifier_error(field: str, error: IdentifierError) -> InputError:
    """An identifier that breaks its rule."""
    return InputError(field=field, rule=str(error.rule), detail=error.help("en"))


def invalid(field: str, rule: str, en: str, zh: str) -> Problem:
    """A problem about one field, in both languages."""
    return Problem("invalid-input", en=en, zh=zh, errors=[InputError(field=field, rule=rule, detail=en)])


def _input_error(error: dict[str, Any]) -> InputError:
    steps = [str(step) for step in error["loc"] if step != "body"]
    field = ".".join(step if FIELD_NAME.fullmatch(step) else "(unknown member)" for step in steps) or "(body)"
    rule = error["type"]
    detail = _ADVICE.get(rule, "The value breaks the rule of this field; /docs shows its form.")
    return InputError(field=field, rule=rule, detail=detail)


_ADVICE = {
    "extra_forbidden": "The hub does not know this member. Leave it out, or check its spelling against /docs.",
    "missing": "This member is required. Add it.",
    "json_invalid": "The body is not well-formed JSON in UTF-8. Check quotes, commas and encoding.",
    "enum": "The value is not one of the closed list of this field. /docs shows the list.",
    "string_too_short": "The text is shorter than this field takes.",
    "string_too_long": "The text is longer than this field takes.",
    "string_pattern_mismatch": "The text does not have the form of this field; /docs shows the form.",
    "string_type": "This member must be a text.",
    "model_attributes_type": "This member must be an object.",
}
