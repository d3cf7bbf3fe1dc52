"""
Reading the form templates: every mistake is found in one pass, each with file, field and the rule that it breaks.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeVar

from adapters.errors import ConfigurationError
from gateway.access.catalogue.fields import FIELDS, is_text
from gateway.access.catalogue.masks import Mask
from gateway.autofill.templates import ADDRESS_FIELDS, FieldSource, FormField, FormTemplate, FormTemplates
from gateway.autofill.transforms import Transform
from schemas.codes import Code, Want
from schemas.work_order import PartyRole

C = TypeVar("C", bound=Code)

LONGEST_HOURS: Final = 30 * 24
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_OF_A_FORM: Final = {"zh", "en", "kinds", "hours", "fields"}
_OF_A_FIELD: Final = {"zh", "en", "from", "roles", "required", "as", "mask"}


def load_forms(folder: Traversable | None = None) -> FormTemplates:
    """
    Reads every template of a folder (ours, unless another is named).

    Raises `ConfigurationError` for everything that is wrong at once.  `Forms.check` compares with the catalogue.
    """
    found: dict[str, FormTemplate] = {}
    problems: list[str] = []
    where = files("gateway.autofill").joinpath("forms") if folder is None else folder
    for file in sorted(where.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            reading = _TemplateReader(file.name)
            form = reading.form(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))
            problems += reading.problems
            if form is not None:
                found[form.id] = form
    if problems:
        raise ConfigurationError("\n".join(problems))
    return FormTemplates(found)


class _TemplateReader:
    """One file.  `problems` grows while it is read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: list[str] = []

    def form(self, name: str, text: str) -> FormTemplate | None:
        try:
            said = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(f"{self._name}: is not TOML: {error}")
            return None
        self._unknown("", said, _OF_A_FORM)
        hours = said.get("hours", 24)
        if not isinstance(hours, int) or not 1 <= hours <= LONGEST_HOURS:
            self._wrong("hours", f"is a whole number from 1 to {LONGEST_HOURS}")
        if not said.get("kinds") or not said.get("fields"):
            self._wrong("", "names no kind of work order, or no field")
        fields = tuple(self._field(called, one) for called, one in said.get("fields", {}).items())
        if self.problems:
            return None
        return FormTemplate(
            id=name,
            zh=self._text("", said, "zh"),
            en=self._text("", said, "en"),
            kinds=tuple(said["kinds"]),
            lasts=timedelta(hours=hours),
            fields=fields,
        )

    def _field(self, name: str, said: dict[str, Any]) -> FormField:
        place = f"fields.{name}"
        if not _NAME.fullmatch(name):
            self._wrong(place, "is not a name: letters, digits and _, at most 64")
        self._unknown(place, said, _OF_A_FIELD)
        named = said.get("from", [])
        origins = tuple(self._origins(place, [named] if isinstance(named, str) else named))
        mask = self._code(place, "mask", Mask, said)
        if mask is not None and not all(
            one.name not in ADDRESS_FIELDS and is_text(one.want, one.name) for one in origins
        ):
            self._wrong(place, "masks what is not a text: leave the field out instead")
        return FormField(
            name=name,
            zh=self._text(place, said, "zh"),
            en=self._text(place, said, "en"),
            origins=origins,
            roles=frozenset(role for word in said.get("roles", []) if (role := self._role(place, word)) is not None),
            required=bool(said.get("required", False)),
            transform=self._code(place, "as", Transform, said),
            mask=mask,
        )

    def _origins(self, place: str, named: list[str]) -> Iterator[FieldSource]:
        if not named:
            self._wrong(place, "says not where it comes from: `from` is a field such as identity.full_name")
        for one in named:
            want, _, name = one.partition(".")
            known = FIELDS.get(Want(want), frozenset()) if want in list(Want) else frozenset()
            if want == Want.ADDRESSES.value:
                known |= ADDRESS_FIELDS
            if name in known:
                yield FieldSource(Want(want), name)
            else:
                near = difflib.get_close_matches(name, known, n=1)
                self._wrong(place, f"comes from {one}, which no lookup has" + "".join(f"; {want}.{x}?" for x in near))

    def _role(self, place: str, word: str) -> PartyRole | None:
        return self._code(place, "roles", PartyRole, {"roles": word})

    def _code(self, place: str, key: str, codes: type[C], said: dict[str, Any]) -> C | None:
        if key not in said:
            return None
        found = next((one for one in codes if one.value == said[key]), None)
        if found is None:
            self._wrong(f"{place}.{key}", f"is one of {', '.join(one.value for one in codes)}")
        return found

    def _text(self, place: str, said: dict[str, Any], key: str) -> str:
        value = said.get(key)
        if not isinstance(value, str) or not value:
            self._wrong(f"{place}.{key}".lstrip("."), "is missing: there is a Chinese and an English name")
            return ""
        return value

    def _unknown(self, place: str, said: dict[str, Any], known: set[str]) -> None:
        for key in sorted(said.keys() - known):
            self._wrong(f"{place}.{key}".lstrip("."), "is not known here; check its spelling")

    def _wrong(self, place: str, rule: str) -> None:
        self.problems.append(f"{self._name}: {place or 'the file'} {rule}")
