"""What a command needs beyond the core, and the line that installs it.

The list is pyproject.toml's: it is read back from what was installed.
"""

from __future__ import annotations

import re
from importlib import metadata

from forensics.errors import ForensicsError

_DISTRIBUTION = "incident-forensics"
_NEEDED = re.compile(r"""\A([\w.-]+)(?:\[([\w,-]+)\])?[^;]*;.*\bextra == ["']([\w-]+)["']""")


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
    """The name of the extra that brings a module, or "all" where none does."""
    for name, _, extra in _needed():
        if _normal(name) == _normal(module) and extra != "all":
            return extra
    return "all"


def _lacking(extra: str) -> list[str]:
    lacking = []
    for name, extras, of in _needed():
        if of != extra:
            continue
        for other in filter(None, extras.split(",")):
            lacking += _lacking(other)
        if not extras and not _installed(name):
            lacking.append(name)
    return lacking


def _needed() -> list[tuple[str, str, str]]:
    """Name, its extras and the extra of ours that asks for it; none where it was not installed."""
    try:
        lines = metadata.requires(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for text in lines:
        match = _NEEDED.match(text)
        if match:
            found.append((match[1], match[2] or "", match[3]))
    return found


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _normal(name: str) -> str:
    return name.replace("-", "_").lower()
