"""
The catalogue of a hub: every kind of work order, with the overrides of each court.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Self

from adapters.errors import ConfigurationError
from gateway.access.catalogue.kinds import CourtOverride, Kind
from gateway.access.catalogue.parser import CatalogueFile


class Catalogue:
    """
    The kinds as each court has them.  Complete and checked; never changes while the hub runs.
    """

    def __init__(self, kinds: Mapping[str, Kind], modes: Mapping[tuple[str, str], CourtOverride], digest: str) -> None:
        self.kinds = MappingProxyType(dict(kinds))
        self.digest = digest
        self._of_court = {key: self.kinds[key[1]].restricted(mode) for key, mode in modes.items()}

    @classmethod
    def load(cls, path: Path | None = None, modes: Path | None = None) -> Self:
        """
        Reads the catalogue (ours, unless another is named) and the modes of this installation's courts.

        Raises `ConfigurationError` that names file, line and rule, for everything that is wrong at once.
        """
        own = files("gateway.access.catalogue").joinpath("kinds.toml")
        text = own.read_text(encoding="utf-8") if path is None else _read(path)
        file = CatalogueFile("kinds.toml" if path is None else str(path), text)
        kinds = file.kinds()
        chosen: dict[tuple[str, str], CourtOverride] = {}
        texts = [text]
        problems = list(file.problems)
        if modes is not None:
            texts.append(_read(modes))
            narrowing = CatalogueFile(str(modes), texts[-1])
            chosen = narrowing.modes(kinds)
            problems += narrowing.problems
        if problems:
            raise ConfigurationError("\n".join(problems))
        return cls(kinds, chosen, hashlib.sha256("\0".join(texts).encode()).hexdigest())

    def kind(self, court: str, name: str) -> Kind | None:
        """A kind as this court has it; None for an unknown kind."""
        return self._of_court.get((court, name)) or self.kinds.get(name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        pass
    raise ConfigurationError(f"{path}: cannot be read as UTF-8 text; name another file, or correct its rights")
