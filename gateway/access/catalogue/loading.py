"""
The catalogue of a hub: every kind of work order, with the overrides of each court.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Self

from adapters.config_file import ConfigFile, require_sound
from gateway.access.catalogue.kinds import CourtOverride, Kind
from gateway.access.catalogue.parser import KindsFile, OverridesFile, OverrideTable


class Catalogue:
    """
    The kinds as each court has them.  Complete and checked; never changes while the hub runs.
    """

    def __init__(
        self, kinds: Mapping[str, Kind], overrides: Mapping[tuple[str, str], CourtOverride], digest: str
    ) -> None:
        self.kinds = MappingProxyType(dict(kinds))
        self.digest = digest
        self._of_court = {key: self.kinds[key[1]].restricted(override) for key, override in overrides.items()}

    @classmethod
    def load(cls, path: Path | None = None, overrides: Path | None = None) -> Self:
        """
        The catalogue (ours, unless another is named) with the overrides of this installation's courts.

        Raises `ConfigurationError` with everything that is wrong in both files.
        """
        own = files("gateway.access.catalogue").joinpath("kinds.toml")
        file = ConfigFile("kinds.toml", own.read_text(encoding="utf-8")) if path is None else _read(path)
        parsed = file.parse(KindsFile, context={"groups": {}})
        kinds = {name: table.kind(name) for name, table in parsed.kinds.items()} if parsed else {}
        sources = [file] if overrides is None else [file, _read(overrides)]
        restricted = _overrides(sources[1], kinds) if overrides and parsed else {}
        require_sound(*sources)
        digest = hashlib.sha256("\0".join(source.text for source in sources).encode()).hexdigest()
        return cls(kinds, restricted, digest)

    def kind(self, court: str, name: str) -> Kind | None:
        """A kind as this court has it; None for an unknown kind."""
        return self._of_court.get((court, name)) or self.kinds.get(name)


def _read(path: Path) -> ConfigFile:
    return ConfigFile.read(path, "name another file, or correct its rights")


def _overrides(file: ConfigFile, kinds: Mapping[str, Kind]) -> dict[tuple[str, str], CourtOverride]:
    courts = parsed.court if (parsed := file.parse(OverridesFile)) else {}
    overrides = {}
    for court, name in ((court, name) for court, tables in courts.items() for name in tables):
        keys = ("court", court, name)
        if name not in kinds:
            file.add(keys, "restricts a kind that the catalogue does not have", "correct its spelling or remove it")
        elif table := file.parse(OverrideTable, at=keys, context={"kind": kinds[name]}):
            overrides[court, name] = table.override()
    return overrides
