"""Why a table could not be compared, in words."""

from __future__ import annotations

from pathlib import Path

import duckdb

from forensics import crash
from forensics.errors import ForensicsError, redact

# Any other error fails its table too, and calls itself a fault.
_FORESEEN = (ForensicsError, duckdb.Error, OSError, MemoryError)


def is_foreseen(error: BaseException) -> bool:
    """Whether an error is one of those that a comparison can meet without being at fault."""
    return isinstance(error, _FORESEEN)


def reason(error: BaseException, stage: str = "compare", folder: Path | None = None) -> str:
    """Return what happened, and what to do about it.

    Of an error that nobody foresaw a file is kept; its message, which may hold values, is not
    repeated.

    Args:
        error: what happened.
        stage: what was being done.
        folder: the case's folder.
    """
    if isinstance(error, ForensicsError):
        return str(error)
    words = redact(_first_line(error))
    if isinstance(error, duckdb.OutOfMemoryException) and "offload" in words:
        return (
            f"The disk that holds the case has no room to spill to: {words} "
            "Make room there, or allow more with --memory."
        )
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return (
            f"Memory ran out: {words} "
            "Allow more with --memory, or make room on the disk for spilling."
        )
    if isinstance(error, OSError):
        return f"{words}. Is the disk full?"
    if is_foreseen(error):
        return words
    path = crash.kept(error, stage, folder)
    said = f"The kit failed at {stage} in a way that it did not foresee ({type(error).__name__})."
    if path is None:
        return f"{said} Set FORENSICS_DEBUG=1 to see where, and report it."
    where = str(path)
    if path.parent == folder:
        where = f"{path.name} in the case's folder"
    return f"{said} {where} says where, without any value of your data: report it with that file."


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    if not lines:
        return type(error).__name__
    return lines[0]
