"""What a command needs beyond the core, and the line that installs it.

The list is pyproject.toml's: it is read back from what was installed.
"""

from __future__ import annotations

import re
from importlib import metadata

from forensics.errors import ForensicsError

_DISTRIBUTION = "incident-forensics"
_NEEDED = re.compile(r"""\A([\w.-]+)[^;]*;.*\bextra == ["']([\w-]+)["']""")


def needs(extra: str) -> None:
    """Go on only where what an extra brings is installed.

    Args:
        extra: its name: "report", "notebooks".

    Raises:
        ForensicsError: a part of it is not there.
    """
    lacking = _lacking(extra)
    if lacking:
        raise ForensicsError(
            f"This needs {', '.join(lacking)}, which the core of the kit goes without.",
            line(extra),
        )


def line(extra: str) -> str:
    """The line that installs an extra."""
    return f"In the kit's folder: pip install '.[{extra}]'"


def bringing(module: str) -> str:
    """The smallest extra that brings a module; all of them where none is known to."""
    for extra, names in sorted(_needed().items(), key=lambda item: len(item[1])):
        if module.lower() in names:
            return extra
    return "all"


def _lacking(extra: str) -> list[str]:
    lacking = []
    for name in _needed().get(extra, ()):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            lacking.append(name)
    return lacking


def _needed() -> dict[str, list[str]]:
    """By extra, what it brings; nothing where the kit was not installed but lies on the path."""
    found: dict[str, list[str]] = {}
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return found
    for text in lines:
        match = _NEEDED.match(text)
        if match:
            found.setdefault(match[2], []).append(match[1].lower())
    return found
