"""
What the readers of the configuration share: a TOML document, a file for its owner alone, and how an error reads.
"""

import re
import stat
import tomllib
from pathlib import Path
from typing import Any, Final

from adapters.errors import ConfigurationError

_LINE: Final = re.compile(r"\(at (line \d+, column \d+|end of document)\)")


def document(path: Path, fix: str) -> dict[str, Any]:
    """The document of a TOML file.  Raises `ConfigurationError`, which holds nothing of its content."""
    # The parser's own text may quote a credential: only its line is kept.
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        rule = "cannot be read as text"
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        rule, fix = f"is not TOML{f' ({place[1]})' if place else ''}", "correct that line"
    raise wrong(path, "the file", rule, fix)


def require_private(path: Path) -> None:
    """Raises `ConfigurationError` unless the file is there, for its owner alone."""
    try:
        mode = path.stat().st_mode
    except OSError:
        mode = None
    if mode is None or not stat.S_ISREG(mode):
        raise wrong(path, "the file", "cannot be found", f"touch {path} && chmod 600 {path}")
    if mode & 0o077:
        raise wrong(path, "the file", "can be read by others than its owner", f"chmod 600 {path}")


def wrong(path: Path, key: str, rule: str, fix: str) -> ConfigurationError:
    """The error about one key of a file."""
    return ConfigurationError(f"{path}: {key}: {rule}; fix: {fix}")
