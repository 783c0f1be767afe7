"""Why a table could not be compared, in words."""

from __future__ import annotations

import duckdb

from forensics.errors import ForensicsError, redact

# Any other error fails its table too, and calls itself a fault.
_FORESEEN = (ForensicsError, duckdb.Error, OSError, MemoryError)


def is_foreseen(error: BaseException) -> bool:
    """Whether an error is one of those that a comparison can meet without being at fault."""
    return isinstance(error, _FORESEEN)


def reason(error: BaseException) -> str:
    """Return what happened, and what to do about it."""
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
    return (
        "The kit failed in a way that it did not foresee: "
        f"{type(error).__name__}: {words}. Set FORENSICS_DEBUG=1 to see where, and report it."
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    if not lines:
        return type(error).__name__
    return lines[0]
