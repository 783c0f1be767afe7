"""Where a COPY's rows end: at a line that is exactly backslash and point."""

from __future__ import annotations

from typing import NamedTuple

from forensics.evidence.blocks import read_blocks
from forensics.evidence.bytewise import count_lines
from forensics.evidence.files import PlainFile
from forensics.evidence.flaws import Judge
from forensics.evidence.plain import patterns
from forensics.evidence.plain.index import Data
from forensics.evidence.reading import read_at

# As much as a processor's cache holds: what is read is looked at several times.
_FIRST_CHUNK, _CHUNK = 16 << 10, 1 << 20
_EDGE = 16  # more than a marker, or the end of a COPY
_FEW = 64


class Ending(NamedTuple):
    """Where rows end.

    Attributes:
        marker: where the end marker begins, or None where none follows.
        nul: where a NUL was met, behind which nothing is what was written, or None.
        copies: whether what a COPY ends with may stand before the marker.
        lines: how many end before the marker, or before the NUL or the end.
    """

    marker: int | None
    nul: int | None
    copies: bool
    lines: int


def find_ending(fd: int, start: int, size: int) -> Ending:
    """Find where the rows that begin at `start` end, in the first `size` bytes of a file."""
    at = start
    nul: int | None = None
    copies, lines = False, 0
    # A marker stands at the beginning of a line: a window begins with the byte before it.
    window = b"\n" + read_at(fd, min(_FIRST_CHUNK, size - at), at)
    wanted = _FIRST_CHUNK  # most tables are small, and what follows them is others'
    while len(window) > 1:
        zero = window.find(b"\0", 1)
        if zero >= 0:
            window = window[:zero]
            nul = size = at + zero - 1
        end = at + len(window) - 1
        last = end >= size
        copies = copies or _holds_copy(window)
        found = _marker_in(window, last)
        if found is not None:
            return Ending(at - 1 + found, nul, copies, lines + count_lines(window[1:found]))
        # What lies across the edge is seen whole in the next window.
        after = end if last else max(end - _EDGE, at + 1)
        # While it is at hand: reading it again takes longer.
        lines += count_lines(memoryview(window)[1 : 1 + after - at])
        at = after
        wanted = min(4 * wanted, _CHUNK)
        window = read_at(fd, min(wanted, size - at) + 1, at - 1) if at < size else b""
    return Ending(None, nul, copies, lines)


def _holds_copy(window: bytes) -> bool:
    # One byte is found many times as fast as several.
    return b";" in window and patterns.COPY_END in window


def _marker_in(window: bytes, last: bool) -> int | None:
    """The offset of the end marker, or None. A window's first byte is of the line before."""
    found = window.find(b"\\", 1)
    for _ in range(_FEW):
        if found < 0:
            return None
        if _is_marker(window, found, last):
            return found
        found = window.find(b"\\", found + 1)
    # Looking for one byte is fastest where it is rare. Where rows are full of it, look for what
    # comes before it too.
    found = window.find(b"\n\\.", max(found - 1, 0))
    while found >= 0:
        if _is_marker(window, found + 1, last):
            return found + 1
        found = window.find(b"\n\\.", found + 1)
    return None


def _is_marker(window: bytes, at: int, last: bool) -> bool:
    if window[at - 1 : at] != b"\n" or window[at + 1 : at + 2] != b".":
        return False
    after = window[at + 2 : at + 4]
    if after[:1] == b"\n" or after == b"\r\n":
        return True
    return last and after in (b"", b"\r")


def count_rows(file: PlainFile, start: int, end: int) -> int:
    """Count the lines between two offsets of a file."""
    rows = 0
    for chunk in file.chunks(start, end, _CHUNK):
        rows += count_lines(chunk)
    return rows


def count_sound_rows(file: PlainFile, run: Data) -> int:
    """Count the lines of a run that breaks off, but for those that are no rows."""
    if run.columns is None or run.copy:
        return count_rows(file, run.start, run.end)
    rows = 0
    judge = Judge(run.columns, among_messages=True)
    for block in judge.sound(read_blocks(file.reader(run.start, run.end))):
        rows += bytes(block).count(b"\n")
    return rows


class Lines:
    """Numbers of lines in a file, asked for from its beginning on."""

    def __init__(self, file: PlainFile) -> None:
        self._file = file
        self._at = self._before = 0

    def number(self, at: int) -> int:
        """The number of the line that an offset is on."""
        if at < self._at:
            self._at = self._before = 0
        self._before += count_rows(self._file, self._at, at)
        self._at = at
        return self._before + 1
