"""What is said again and again: `forensics.toml`, or `[tool.forensics]` of pyproject.toml."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import UsageError

VARIABLE = "FORENSICS_CONFIG"
NAME = "forensics.toml"
_PROJECT = "pyproject.toml"
_SECTION = b"[tool.forensics"


@dataclass(frozen=True)
class Config:
    """What a configuration file says.

    Attributes:
        path: the file; None where there is none.
        values: by name of a flag without its dashes, or by a command and then by flag.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def configuration(folder: Path) -> Config:
    """Read the configuration that is in force in a folder.

    `FORENSICS_CONFIG` names the file, and an empty one says that there is none. Without it, it is
    the nearest `forensics.toml`, or pyproject.toml with a `[tool.forensics]`, in the folder or
    above it, as far up as the repository goes.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """
    named = os.environ.get(VARIABLE)
    if named == "":
        return Config()
    if named:
        path = Path(named)
        return Config(path, _section(path))
    for path in _places(folder):
        if path.is_file() and (path.name == NAME or _SECTION in path.read_bytes()):
            return Config(path, _section(path))
    return Config()


def _places(folder: Path) -> Iterator[Path]:
    """The files that may say it, nearest first."""
    folder = folder.resolve()
    for above in (folder, *folder.parents):
        yield above / NAME
        yield above / _PROJECT
        if (above / ".git").exists():
            return


def _section(path: Path) -> Mapping[str, Any]:
    document = _document(path)
    if path.name == _PROJECT:
        found: Mapping[str, Any] = document.get("tool", {}).get("forensics", {})
        return found
    return document


def _document(path: Path) -> dict[str, Any]:
    import tomllib  # only where there is a file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"The configuration {path} cannot be read: {error.strerror}.",
            f"Name another in {VARIABLE}, or set that to nothing.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The configuration {path} is not TOML: {error}.", "Mend that line, and run it again."
        ) from error
