"""
Reading the catalogue's files: every mistake is found in one pass, each with file, line and the rule that it breaks.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

from gateway.access.catalogue.fields import ADDRESS_TEXT, FIELDS, is_text
from gateway.access.catalogue.kinds import CourtOverride, Kind, Scope, Start
from gateway.access.catalogue.masks import Mask
from schemas.codes import Code, Want

C = TypeVar("C", bound=Code)

LONGEST_DAYS: Final = 366
MOST_QUESTIONS: Final = 1000
_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
_TEXTS: Final = ("zh", "en")
_OF_A_KIND: Final = {
    *_TEXTS,
    "start",
    "trigger",
    "autofill",
    "days",
    "hours",
    "questions",
    "second_person",
    "masks",
    *Want,
}
_OF_A_MODE: Final = {"days", "questions", "second_person", "without", "masks"}
_WORDS: Final = {bool: "true or false", int: "a whole number", str: "a text", list: "a list", dict: "a table"}


class CatalogueFile:
    """
    One file.  `problems` grows while it is read; what is wrong is left out of the result.
    """

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        self.problems: list[str] = []
        self._groups: dict[str, list[str]] = {}
        self._table: dict[str, Any] = {}
        try:
            self._table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.problems.append(f"{name}: is not TOML: {error}")

    def kinds(self) -> dict[str, Kind]:
        """The kinds of a catalogue."""
        self._groups = self._table.get("fields", {})
        for name in self._table.keys() - {"fields", "kinds"}:
            self._wrong((name,), "is not a table of the catalogue: it has [fields] and [kinds]")
        described = self._table.get("kinds", {})
        if not described:
            self._wrong((), "describes no kind")
        read = ((name, self._kind(name, one)) for name, one in described.items())
        return {name: kind for name, kind in read if kind is not None}

    def modes(self, kinds: Mapping[str, Kind]) -> dict[tuple[str, str], CourtOverride]:
        """The modes that courts have chosen, by court and kind."""
        for name in self._table.keys() - {"court"}:
            self._wrong((name,), "is not a table of a file of modes: it has [court.<code>.<kind>]")
        found: dict[tuple[str, str], CourtOverride] = {}
        for court, chosen in self._table.get("court", {}).items():
            for kind, one in chosen.items():
                place = ("court", court, kind)
                if kind not in kinds:
                    self._wrong(place, "narrows a kind that the catalogue does not have")
                elif (mode := self._mode(place, one, kinds[kind])) is not None:
                    found[court, kind] = mode
        return found

    def _kind(self, name: str, said: dict[str, Any]) -> Kind | None:
        place, before = ("kinds", name), len(self.problems)
        if not _ID.fullmatch(name):
            self._wrong(place, "is not an id: small letters, digits and hyphens, at most 64")
        self._unknown(place, said, _OF_A_KIND)
        texts = {key: self._take(place, said, key, str, "") for key in _TEXTS}
        for key in _TEXTS:
            if not texts[key]:
                self._wrong((*place, key), "is missing: a kind has a Chinese and an English name")
        start = self._code((*place, "start"), Start, said.get("start"))
        trigger = self._take(place, said, "trigger", str, "")
        if (start is Start.MACHINE) != bool(trigger):
            self._wrong((*place, "trigger"), "belongs to a kind that a machine starts, and to no other")
        lasts = self._lasts(place, said)
        questions = self._between(place, said, "questions", MOST_QUESTIONS)
        second = self._take(place, said, "second_person", bool, False)
        masks = self._masks(place, said)
        scopes: dict[Want, Scope] = {}
        for want in Want:
            fields = frozenset(self._fields((*place, want.value), want, said.get(want.value, [])))
            if fields:
                own = {key.removeprefix(f"{want}."): mask for key, mask in masks.items() if key.startswith(f"{want}.")}
                for one in own.keys() - fields:
                    self._wrong((*place, "masks"), f"masks {want}.{one}, which the kind does not grant")
                scopes[want] = Scope(fields=fields, masks=own)
        if len(self.problems) > before or start is None:
            return None
        return Kind(
            id=name, zh=texts["zh"], en=texts["en"], start=start, trigger=trigger, lasts=lasts, questions=questions,
            second_person=second, scopes=scopes, autofill=self._take(place, said, "autofill", str, ""),
        )  # fmt: skip

    def _mode(self, place: tuple[str, ...], said: dict[str, Any], kind: Kind) -> CourtOverride | None:
        before = len(self.problems)
        self._unknown(place, said, _OF_A_MODE)
        days = self._between(place, said, "days", kind.lasts.days) if "days" in said else None
        questions = self._between(place, said, "questions", kind.questions) if "questions" in said else None
        second = self._take(place, said, "second_person", bool, False)
        if "second_person" in said and not second and kind.second_person:
            self._wrong((*place, "second_person"), "would widen the kind: it needs a second person")
        without = frozenset(self._take(place, said, "without", list, []))
        granted = {f"{want}.{name}" for want, scope in kind.scopes.items() for name in scope.fields}
        for name in sorted(without - granted):
            self._wrong((*place, "without"), f"leaves out {name}, which the kind does not grant")
        masks = self._masks(place, said)
        for name in masks.keys() - granted:
            self._wrong((*place, "masks"), f"masks {name}, which the kind does not grant")
        if len(self.problems) > before:
            return None
        return CourtOverride(days=days, questions=questions, second_person=second, without=without, masks=masks)

    def _fields(self, place: tuple[str, ...], want: Want, named: Any) -> Iterator[str]:
        if not isinstance(named, list):
            self._wrong(place, "is a list of fields and @groups of fields")
            return
        names: list[str] = []
        for one in named:
            group = self._groups.get(str(one).removeprefix("@")) if str(one).startswith("@") else [one]
            if group is None:
                self._wrong(place, f"names the group {one}, which [fields] does not have")
            names += group or ()
        for name in names:
            if name in FIELDS[want]:
                yield name
            else:
                near = difflib.get_close_matches(str(name), FIELDS[want], n=1)
                self._wrong(place, f"names {name}, which is no field of {want}" + "".join(f"; {one}?" for one in near))
        if want is Want.ADDRESSES and names and ADDRESS_TEXT not in names:
            self._wrong(place, "grants addresses without their text")

    def _masks(self, place: tuple[str, ...], said: dict[str, Any]) -> dict[str, Mask]:
        found: dict[str, Mask] = {}
        for name, word in self._take(place, said, "masks", dict, {}).items():
            want, _, one = name.partition(".")
            if want not in list(Want) or one not in FIELDS[Want(want)]:
                self._wrong((*place, "masks"), f"masks {name}, which is no field of a lookup")
            elif not is_text(Want(want), one):
                self._wrong((*place, "masks"), f"masks {name}, which is not a text: leave it out instead")
            elif (mask := self._code((*place, "masks"), Mask, word)) is not None:
                found[name] = mask
        return found

    def _lasts(self, place: tuple[str, ...], said: dict[str, Any]) -> timedelta:
        if ("days" in said) == ("hours" in said):
            self._wrong((*place, "days"), "says how long the right lasts, in days or in hours, one of them")
            return timedelta()
        if "hours" in said:
            return timedelta(hours=self._between(place, said, "hours", LONGEST_DAYS * 24))
        return timedelta(days=self._between(place, said, "days", LONGEST_DAYS))

    def _between(self, place: tuple[str, ...], said: dict[str, Any], key: str, most: int) -> int:
        value: int = self._take(place, said, key, int, 0)
        if not 1 <= value <= most:
            self._wrong((*place, key), f"is a whole number from 1 to {most}")
        return value

    def _take(self, place: tuple[str, ...], said: dict[str, Any], key: str, kind: type, default: Any) -> Any:
        value = said.get(key, default)
        if type(value) is not kind:
            self._wrong((*place, key), f"is {_WORDS[kind]}")
            return default
        return value

    def _code(self, place: tuple[str, ...], codes: type[C], word: Any) -> C | None:
        found = next((one for one in codes if one.value == word), None)
        if found is None:
            self._wrong(place, f"is one of {', '.join(one.value for one in codes)}")
        return found

    def _unknown(self, place: tuple[str, ...], said: Any, known: set[Any]) -> None:
        for key in sorted(set(said) - {str(one) for one in known}):
            self._wrong((*place, key), "is not known here; check its spelling")

    def _wrong(self, place: tuple[str, ...], rule: str) -> None:
        line = self._line(place)
        self.problems.append(f"{self._name}, line {line}: {'.'.join(place) or 'the file'} {rule}")

    def _line(self, place: tuple[str, ...]) -> int:
        """The line of the key, or of the nearest table above it that is there."""
        found = 1
        parts = list(place)
        while parts and (at := self._heading(parts)) is None:
            parts.pop()
        if not parts:
            return found
        found = at or found
        for key in place[len(parts) :][:1]:
            for number, line in enumerate(self._lines[found:], found + 1):
                if line.lstrip().startswith("["):
                    break
                if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                    return number
        return found

    def _heading(self, parts: list[str]) -> int | None:
        quoted = r"\s*\.\s*".join(rf"[\"']?{re.escape(part)}[\"']?" for part in parts)
        heading = re.compile(rf"\s*\[\s*{quoted}\s*\]")
        return next((number for number, line in enumerate(self._lines, 1) if heading.match(line)), None)
