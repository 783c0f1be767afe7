"""Reading files where systems differ: at a place, into a buffer, without keeping what was read."""

from __future__ import annotations

import mmap
import os
import threading

# Opening a pipe that nobody writes to would wait for ever; children inherit nothing. Not
# everywhere is there a need for it, or a name.
NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)

_seeking = threading.Lock()


def read_at(fd: int, size: int, at: int) -> bytes:
    """Read up to `size` bytes from a place, whoever else reads the same file meanwhile."""
    if hasattr(os, "pread"):
        return os.pread(fd, size, at)
    with _seeking:
        os.lseek(fd, at, os.SEEK_SET)
        return os.read(fd, size)


def read_into(fd: int, buffer: memoryview, at: int) -> int:
    """Fill a buffer from a place, as far as there is something; return how many bytes that is."""
    if hasattr(os, "preadv"):
        return os.preadv(fd, [buffer], at)
    return _put(read_at(fd, len(buffer), at), buffer)


def receive(fd: int, buffer: memoryview) -> int:
    """Put what a pipe holds into a buffer; 0 where it has ended."""
    if hasattr(os, "readv"):
        return os.readv(fd, [buffer])
    return _put(os.read(fd, len(buffer)), buffer)


def let_go(text: mmap.mmap, start: int, size: int) -> None:
    """Have what was read of a file no longer count as this process's memory.

    It stays in the system's cache.
    """
    if size > 0 and hasattr(mmap, "MADV_DONTNEED"):
        text.madvise(mmap.MADV_DONTNEED, start, size)


def _put(piece: bytes, buffer: memoryview) -> int:
    buffer[: len(piece)] = piece
    return len(piece)
