"""Memory that was let go of stays with the process for a while.

Blocks are worked on in arrays of about their size. glibc gives what was freed back to the system
and asks for it again with the next block, a page at a time: that is a third of what looking a dump
through takes. Other systems' libraries have no such switch, and are left as they are.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's names for what is set
_KEPT, _LARGEST = 32 << 20, 8 << 20  # bytes that stay, and of one piece that may
_BLOCK = 200_000  # bytes: less than a block of DuckDB has


def keep() -> None:
    """Have so much memory kept that blocks and arrays of their size can be made of it."""
    _set(_KEPT, _LARGEST)


def hold_tight() -> None:
    """Have the C library give DuckDB's blocks back to the system as soon as they are freed.

    They are freed by one thread and asked for by another, and GNU's library would keep
    them for the first: a process came to hold several times what DuckDB was allowed. It
    costs time, so only what is large pays for it.
    """
    _set(_BLOCK, _BLOCK)
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set(kept: int, largest: int) -> None:
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, kept)
        mallopt(_MMAP_THRESHOLD, largest)
