"""
Form templates from their files.
"""

import difflib
from collections.abc import Mapping
from datetime import timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from adapters.config_file import (
    ConfigFile,
    ConfigTable,
    Flag,
    Integer,
    Mistake,
    Text,
    broken_rule,
    broken_rules,
    matches,
    require_sound,
)
from gateway.access.catalogue.fields import FIELDS, is_text
from gateway.access.catalogue.masks import Mask
from gateway.autofill.templates import ADDRESS_FIELDS, FieldSource, FormField, FormTemplate, FormTemplates
from gateway.autofill.transforms import Transform
from schemas.codes import Want
from schemas.work_order import PartyRole


def _sources(names: Any) -> tuple[FieldSource, ...]:
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise broken_rule("is neither a field nor a list of fields", 'write from = "identity.full_name"')
    mistakes: list[Mistake] = []
    sources = []
    for written in names:
        want, _, name = written.partition(".")
        known = FIELDS.get(Want(want), frozenset()) if want in list(Want) else frozenset()
        known |= ADDRESS_FIELDS if want == Want.ADDRESSES else frozenset()
        if name in known:
            sources.append(FieldSource(Want(want), name))
        else:
            near = difflib.get_close_matches(name, known, n=1)
            fix = f"write {want}.{near[0]}" if near else "correct its spelling"
            mistakes.append(((), f"names {written}, which no lookup has", fix))
    if mistakes:
        raise broken_rules(mistakes)
    return tuple(sources)


class FieldTable(ConfigTable):
    """`[fields.<name>]`."""

    zh: Text
    en: Text
    origins: Annotated[tuple[FieldSource, ...], PlainValidator(_sources), Field(alias="from")]
    roles: frozenset[PartyRole] = frozenset()
    required: Flag = False
    transform: Annotated[Transform | None, Field(alias="as")] = None
    mask: Mask | None = None

    @field_validator("mask")
    @classmethod
    def _of_a_text(cls, mask: Mask | None, info: ValidationInfo) -> Mask | None:
        for origin in info.data.get("origins", ()):
            if origin.name in ADDRESS_FIELDS or not is_text(origin.want, origin.name):
                raise broken_rule("masks what is not a text", "leave the field out instead")
        return mask


class FormTable(ConfigTable):
    """A file of the folder `forms`."""

    zh: Text
    en: Text
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    hours: Annotated[Integer, Field(ge=1, le=30 * 24)] = 24
    fields: Annotated[
        Mapping[Annotated[str, matches(r"[A-Za-z][A-Za-z0-9_]{0,63}", "use letters, digits and _")], FieldTable],
        Field(min_length=1),
    ]

    def template(self, name: str) -> FormTemplate:
        """The template of this name."""
        return FormTemplate(
            id=name,
            zh=self.zh,
            en=self.en,
            kinds=self.kinds,
            lasts=timedelta(hours=self.hours),
            fields=tuple(FormField(name=field, **dict(table)) for field, table in self.fields.items()),
        )


def load_forms(folder: Traversable | None = None) -> FormTemplates:
    """
    Every template of a folder (ours, unless another is named).

    Raises `ConfigurationError` with everything that is wrong in any file.  `FormTemplates.check` compares with the
    catalogue.
    """
    folder = folder or files("gateway.autofill").joinpath("forms")
    sources = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    parsed = {file.name: ConfigFile(file.name, file.read_text(encoding="utf-8")) for file in sources}
    forms = {name.removesuffix(".toml"): file.parse(FormTable) for name, file in parsed.items()}
    require_sound(*parsed.values())
    return FormTemplates({name: form.template(name) for name, form in forms.items() if form})
