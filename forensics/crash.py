"""What is kept of an error that nobody foresaw: a file that can be sent to a stranger.

It says which versions ran and where in the code it happened. It holds no message of an error, no
line of source and no variable: any of these may hold values of rows, or a password.
"""

from __future__ import annotations

import json
import os
import platform
import re
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Any

_LIBRARIES = ("psycopg", "duckdb", "pandas", "pyarrow", "numpy", "sqlalchemy", "postgast")
_PREFIX, _SUFFIX = "crash-", ".json"
_VERSION = re.compile(r"\d+(\.\d+)*")
_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_MOST_ERRORS = 20  # of a chain

# By role, the versions of the servers that were asked.
_servers: dict[str, str] = {}


def asked(role: str, version: str | None) -> None:
    """Note which server was asked, for the case that something goes wrong."""
    number = _VERSION.match(version or "")
    if number:
        _servers[role] = number[0]


def is_crash(name: str) -> bool:
    """Whether a file's name is one of those that are given here."""
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def kept(error: BaseException, stage: str, folder: Path | None = None) -> Path | None:
    """Write the file of an error, which only its owner can read; return where it is.

    Args:
        error: what happened.
        stage: what was being done.
        folder: the case's folder; without one, or where it cannot be written to, it goes into the
            system's folder for temporary files.

    Returns:
        None where it could be written to neither.
    """
    said = json.dumps(_said(error, stage, folder), indent=2) + "\n"
    for place in (folder, Path(tempfile.gettempdir())):
        if place is None:
            continue
        try:
            return _written(place, said)
        except OSError:
            continue
    return None


def _written(folder: Path, text: str) -> Path:
    folder.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
    # mkstemp has the file readable by its owner alone.
    descriptor, name = tempfile.mkstemp(_SUFFIX, _PREFIX, folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _said(error: BaseException, stage: str, folder: Path | None) -> dict[str, Any]:
    versions = {"forensics": version("forensics"), "python": platform.python_version()}
    for library in _LIBRARIES:
        versions[library] = version(library)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "stage": stage,
        "system": platform.platform(),
        "versions": versions,
        "postgresql": {**_compared(folder), **_servers},
        "errors": [_of(one) for one in _chain(error)],
    }


def version(library: str) -> str | None:
    """The version of a library, or of the kit; None where it is not there."""
    if library == "forensics":
        version = getattr(sys.modules.get("forensics"), "__version__", None)
        return None if version is None else str(version)
    from importlib import metadata  # it takes ten times as long to load as this file

    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _compared(folder: Path | None) -> dict[str, str]:
    """The versions of the servers of a case, as far as its summary tells."""
    if folder is None:
        return {}
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found = {}
    for role in ("backup", "live"):
        side = summary.get(role) if isinstance(summary, dict) else None
        version = side.get("server_version") if isinstance(side, Mapping) else None
        number = _VERSION.match(str(version))
        if number:
            found[role] = number[0]
    return found


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen and len(seen) < _MOST_ERRORS:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _of(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    frames = []
    for frame, line in walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__"))
        frames.append({"module": module, "function": frame.f_code.co_qualname, "line": line})
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "sqlstate": _sqlstate(error),
        "frames": frames,
    }


def _sqlstate(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and _SQLSTATE.fullmatch(state):
        return state
    return None
