"""Long values on their way into the engine: marks of them go in their place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from forensics.store.values import LONGEST, LongValues

Mark = Callable[[memoryview], str]


class Long:
    """The long values of one table, as its rows are read.

    A value is written beside the case file where its row may be kept: of the backup's rows, those
    that are read a second time; of live's, values that the backup was not seen to hold.

    Args:
        values: the case's.

    Attributes:
        lacking: whether a value was left to the backup to write.
    """

    def __init__(self, values: LongValues) -> None:
        self._values = values
        self._seen: set[str] = set()
        self._wanted: set[str] = set()
        self.lacking = False

    def see(self, field: memoryview) -> str:
        """Mark a value of the backup, which is not written yet."""
        mark = self._values.mark(field)
        self._seen.add(mark)
        return mark

    def keep(self, field: memoryview) -> str:
        """Mark a value, and write it."""
        return self._values.keep(field)

    def keep_new(self, field: memoryview) -> str:
        """Mark a value of live's, and write it unless the backup holds it."""
        mark = self._values.mark(field)
        if mark in self._seen:
            self.lacking = True
            return mark
        return self._values.keep(field)

    def keep_those(self, marks: set[str]) -> bool:
        """Have `keep_wanted` write the values of some marks; return whether any lacks its file."""
        self._wanted = {mark for mark in marks if not self._values.has(mark)}
        return bool(self._wanted)

    def keep_wanted(self, field: memoryview) -> str:
        """Mark a value, and write it if it is one of those."""
        mark = self._values.mark(field)
        if mark in self._wanted:
            self._values.keep(field)
        return mark


def without_long(lines: pa.Array, mark: Mark | None) -> pa.Array:
    """Lines with marks in place of their long fields.

    Args:
        lines: large_string, none of them NULL, each with its line feed.
        mark: gives what stands for a field; None leaves lines as they are.
    """
    if mark is None or not len(lines):
        return lines
    _, offsets, data = lines.buffers()
    ends = np.frombuffer(offsets, np.int64)[lines.offset : lines.offset + len(lines) + 1]
    lengths = np.diff(ends)
    if lengths.max() <= LONGEST or data is None:
        return lines
    text = memoryview(data)
    pieces: list[bytes | memoryview] = []
    at = int(ends[0])
    for place in np.flatnonzero(lengths > LONGEST):
        start, end = int(ends[place]), int(ends[place + 1])
        line = _marked(text[start:end], mark)
        pieces += [text[at:start], line]
        lengths[place] = len(line)
        at = end
    pieces.append(text[at : int(ends[-1])])
    edges = np.zeros(len(lines) + 1, np.int64)
    np.cumsum(lengths, out=edges[1:])
    buffers = [None, pa.py_buffer(edges), pa.py_buffer(b"".join(pieces))]
    return pa.Array.from_buffers(lines.type, len(lines), buffers)


def _marked(line: memoryview, mark: Mark) -> bytes:
    """One line, with its line feed."""
    tabs = np.flatnonzero(np.frombuffer(line, np.uint8) == ord("\t"))
    fields = []
    start = 0
    for end in [*tabs.tolist(), len(line) - 1]:
        field = line[start:end]
        fields.append(mark(field).encode("utf-8") if len(field) > LONGEST else bytes(field))
        start = end + 1
    return b"\t".join(fields) + b"\n"
