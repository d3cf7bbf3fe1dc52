"""
Configuration files in TOML, read through pydantic models.

    agencies.toml, line 7: public_security.identity.timeout: is more than 30; fix: write at most 30

All mistakes are reported at once, each with file, line, key, rule and next step.  No text repeats a value: it could be
a secret, or be about a person.
"""

import difflib
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from adapters.errors import ConfigurationError

T = TypeVar("T")
Location = tuple[str | int, ...]
Mistake = tuple[Location, str, str]
"""Where, which rule is broken, and the next step."""


def beside(path: Any, info: ValidationInfo) -> Any:
    """A path that is relative to the configuration file; anything but a text stays what it is."""
    context: Any = info.context
    return context["folder"] / path if isinstance(path, str) else path


# TOML has types of its own: a number in quotes is a text, and no truth value is a number.
Integer = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, Strict()]
TimeOfDay = Annotated[time, Strict()]
Moment = Annotated[datetime, Strict()]
Text = Annotated[str, Field(min_length=1)]
PathBeside = Annotated[Path, BeforeValidator(beside)]


class ConfigTable(BaseModel):
    """A table of a configuration file, in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


# Rule and next step of each kind of error that pydantic reports here.
_RULES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("is missing", "write {key} = …"),
    "int_type": ("is not a whole number", "write a whole number, without quotes"),
    "float_type": ("is not a number", "write a number, without quotes"),
    "bool_type": ("is neither true nor false", "write true or false, without quotes"),
    "string_type": ("is not a text", 'write {key} = "…"'),
    "path_type": ("is not a path", 'write {key} = "…"'),
    "date_type": ("is not a day", "write a day such as 2026-10-01, without quotes"),
    "time_type": ("is not a time of day", "write a time such as 09:00:00, without quotes"),
    "datetime_type": ("is not a moment", "write a moment such as 2026-12-05T22:00:00, without quotes"),
    "list_type": ("is not a list", "write {key} = […], or [[{key}]] before each table"),
    "dict_type": ("is not a table", "write [{path}]"),
    "model_type": ("is not a table", "write [{path}]"),
    "dataclass_type": ("is not a table", "write [{path}]"),
    "greater_than": ("is not above {gt:g}", "write more than {gt:g}"),
    "greater_than_equal": ("is less than {ge:g}", "write at least {ge:g}"),
    "less_than_equal": ("is more than {le:g}", "write at most {le:g}"),
    "string_too_short": ("is empty", 'write {key} = "…"'),
    "too_short": ("is empty", "write at least one"),
    "too_long": ("is too long", "write at most {max_length}"),
    "string_pattern_mismatch": ("has not the agreed form", "write it as {pattern} describes it"),
    "enum": ("is none of the choices", "write one of {expected}"),
    "literal_error": ("is none of the choices", "write one of {expected}"),
    "rule": ("{rule}", "{fix}"),
}
_RULES_OF_LISTS: Final = {"tuple_type": "list_type", "frozen_set_type": "list_type", "mapping_type": "dict_type"}

_NAME: Final = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_NAMES: Final = rf"{_NAME}(?:\s*\.\s*{_NAME})*"
_HEADING: Final = re.compile(rf"\s*(\[\[?)\s*({_NAMES})\s*\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(rf"\s*({_NAMES})\s*=")
_PLACE: Final = re.compile(r"\(at line (\d+)")


class ConfigFile:
    """
    One configuration file.  Its problems are collected while it is parsed; `require_sound` reports them.
    """

    def __init__(self, name: str, text: str, folder: Path | None = None) -> None:
        self._mistakes: list[tuple[int, str]] = []
        self.document: dict[str, Any] = {}
        self._name = name
        self.text = text
        self._folder = folder
        self._lines = _key_lines(text)
        try:
            self.document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            # The parser's own text may quote a credential: only its line is kept.
            place = _PLACE.search(str(error))
            self._report(int(place[1]) if place else len(text.splitlines()), "is not TOML; fix: correct that line")
        self._readable = not self._mistakes

    @classmethod
    def read(cls, path: Path, fix: str) -> Self:
        """The file at `path`.  Raises `ConfigurationError` with this next step if it is not text in UTF-8."""
        try:
            return cls(str(path), path.read_text(encoding="utf-8"), path.parent)
        except (OSError, UnicodeDecodeError):
            pass
        raise ConfigurationError(f"{path}: cannot be read as UTF-8 text; fix: {fix}")

    @property
    def problems(self) -> list[str]:
        """What is wrong, by line."""
        return [text for _, text in sorted(self._mistakes)]

    def parse(self, form: type[T], at: Sequence[str] = (), context: Mapping[str, Any] | None = None) -> T | None:
        """The table at these keys in the form of a type that pydantic knows; None adds to `problems`."""
        if not self._readable:
            return None
        table: Any = self.document
        for key in at:
            table = table[key]
        try:
            return TypeAdapter(form).validate_python(table, context={"folder": self._folder, **(context or {})})
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        for detail in details:
            kind, ctx = detail["type"], detail.get("ctx", {})
            path = self._path((*at, *detail["loc"]))
            names = [str(part) for part in path if isinstance(part, str)] or ["the file"]
            if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
                rule, fix = "is not known here", _respelling(names[-1], _known_keys(form, detail["loc"][:-1]))
            else:
                rule, fix = _RULES.get(
                    _RULES_OF_LISTS.get(kind, kind), ("has not the agreed form", "compare it with its documentation")
                )
            terms = {"key": names[-1], "path": ".".join(names), **ctx}
            self._add(path, rule.format_map(terms), fix.format_map(terms))
        return None

    def add(self, at: Location, rule: str, fix: str) -> None:
        """Reports one more problem, of the key at this location."""
        self._add(at, rule, fix)

    def _add(self, path: Location, rule: str, fix: str) -> None:
        key = ".".join(part for part in path if isinstance(part, str)) or "the file"
        known = path
        while known not in self._lines:
            known = known[:-1]
        self._report(self._lines[known], f"{key}: {rule}; fix: {fix}")

    def _report(self, line: int, text: str) -> None:
        self._mistakes.append((line, f"{self._name}, line {line}: {text}"))

    def _path(self, location: Location) -> Location:
        """A location without the parts that are pydantic's own."""
        path: list[str | int] = []
        table: Any = self.document
        for part in location:
            try:
                table = table[part]
            except (KeyError, IndexError, TypeError):
                if part is not location[-1] or part == "[key]":
                    continue
            path.append(part)
        return tuple(path)


def require_sound(*files: ConfigFile) -> None:
    """Raises `ConfigurationError` with all problems of the files."""
    if problems := [problem for file in files for problem in file.problems]:
        raise ConfigurationError("\n".join(problems))


def read_config(path: Path, form: type[T], *, fix: str) -> T:
    """A whole file in the form of a model.  Raises `ConfigurationError`; `fix` is the next step if there is no file."""
    file = ConfigFile.read(path, fix)
    parsed = file.parse(form)
    require_sound(file)
    assert parsed is not None  # noqa: S101 - without problems there is a result
    return parsed


def privacy_violation(path: Path) -> tuple[str, str] | None:
    """Which rule is broken unless the file is there, for its owner alone; and the next step."""
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = 0
    if not stat.S_ISREG(mode):
        return "cannot be found", f"touch {path} && chmod 600 {path}"
    return ("can be read by others than its owner", f"chmod 600 {path}") if mode & 0o077 else None


def matches(form: str, fix: str) -> AfterValidator:
    """The rule that a text has this form (a regular expression) from its first to its last character."""

    def check(text: str) -> str:
        if re.fullmatch(form, text):
            return text
        raise broken_rule("has not the agreed form", fix)

    return AfterValidator(check)


def broken_rule(rule: str, fix: str) -> PydanticCustomError:
    """What a validator raises."""
    return PydanticCustomError("rule", "{rule}", {"rule": rule, "fix": fix})


def broken_rules(mistakes: Iterable[Mistake]) -> ValidationError:
    """What a validator raises about several keys, with locations below the value that it validates."""
    details = [InitErrorDetails(type=broken_rule(rule, fix), loc=at, input=None) for at, rule, fix in mistakes]
    return ValidationError.from_exception_data("configuration", details)


def _key_lines(text: str) -> dict[Location, int]:
    """The line of each table and key."""
    lines: dict[Location, int] = {(): 1}
    counts: Counter[Location] = Counter()
    table: Location = ()
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _HEADING.fullmatch(line):
            table = ()
            names = _names(heading[2])
            for name in names[:-1]:
                table = (*table, name)
                table = (*table, counts[table] - 1) if table in counts else table
            table = (*table, names[-1])
            if heading[1] == "[[":
                counts[table] += 1
                table = (*table, counts[table] - 1)
            path = table
        elif key := _KEY.match(line):
            path = (*table, *_names(key[1]))
        else:
            continue
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    return lines


def _respelling(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    if near or not known:
        return f"write {near[0]}, or remove it" if near else "correct its spelling, or remove it"
    return f"write one of {', '.join(known)}; or remove it"


def _names(dotted: str) -> list[str]:
    return [name.strip("\"'") for name in re.findall(_NAME, dotted)]


def _known_keys(form: Any, location: Location) -> list[str]:
    """The keys of the table at a location."""
    tables = list(_tables(form))
    for part in location:
        inner = [keys[str(part)] for table in tables if str(part) in (keys := _keys(table))]
        tables = [table for annotation in inner for table in _tables(annotation)] if inner else tables
    return [key for table in tables for key in _keys(table)]


def _keys(table: type) -> Mapping[str, Any]:
    """The keys of a table's form, and what stands at each."""
    if issubclass(table, BaseModel):
        return {field.alias or name: field.annotation for name, field in table.model_fields.items()}
    return get_type_hints(table)


def _tables(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables(inner)
