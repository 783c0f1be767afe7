"""The blocks that the data of a custom archive lie in, each with its length before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from forensics.evidence.archive.container import CHUNK, File
from forensics.evidence.archive.toc import INTEGERS, Header

_FEW = 32
_ROW_HEADER = 5  # bytes: a zero, and four of length
_LINE_FEED = 10


class Blocks:
    """The blocks of one run of data: each a length and that many bytes, up to a length of 0.

    `position` moves along, and stands after the run when it has been read.

    Args:
        file: the archive.
        header: the archive's, which says how large its integers are.
        position: where the run begins.
        stop: the position that no block of the run may pass.
        damaged: makes the error to raise.
    """

    def __init__(
        self,
        file: File,
        header: Header,
        position: int,
        stop: int,
        damaged: Callable[[str], Exception],
    ) -> None:
        self._file = file
        self._damaged = damaged
        self._header = INTEGERS[header.int_size]
        self._stop = stop
        # Without compression, versions up to 18 write a block for each row.
        self._by_rows = header.int_size == 4 and header.compression is None
        self.position = position

    def __iter__(self) -> Iterator[bytes]:
        return self._run(skip=False)

    def skip(self) -> None:
        """Go to the end of the run without its data."""
        for _ in self._run(skip=True):
            pass

    def _run(self, *, skip: bool) -> Iterator[bytes]:
        left = 0  # bytes of a block that the last chunk did not hold
        ended = False
        while not ended:
            if skip:
                self.position, left = self.position + left, 0
            chunk = self._file.read(min(CHUNK, self._stop - self.position), self.position)
            pieces, used, left, ended = self._cut(chunk, left, skip)
            self.position += used
            if not skip and (piece := b"".join(pieces)):
                yield piece
            if not used:
                raise self._damaged(f"the data have no end, they break off at byte {self.position}")

    def _cut(
        self, chunk: bytes, left: int, skip: bool
    ) -> tuple[list[bytes | memoryview], int, int, bool]:
        """Return the data in `chunk`, how many bytes of it are done with, what its last block still
        lacks, and whether the run ends in it."""
        view = memoryview(chunk)
        unpack_header, head, size = self._header.unpack_from, self._header.size, len(chunk)
        pieces: list[bytes | memoryview] = []
        if left:
            pieces.append(view[:left])
        at, left = min(left, size), max(0, left - size)
        if self._by_rows and at + head <= size and chunk[at] == 0:
            headers, used = _blocks_of_rows(chunk, at)
            self._by_rows = used > 0
            if not skip:
                pieces.append(_between(chunk[at : at + used], headers))
            at += used
        while at + head <= size:
            sign, length = unpack_header(chunk, at)
            if sign:
                raise self._damaged(f"no length of a block stands at byte {self.position + at}")
            if not length:
                return pieces, at + head, 0, True
            start, at = at + head, at + head + length
            pieces.append(view[start:at])
            if at > size:
                # Goes on in the next chunk; or past the end of the run, and then the next chunk
                # is empty.
                return pieces, size, at - size, False
        return pieces, at, left, False


def _blocks_of_rows(chunk: bytes, start: int) -> tuple[np.ndarray, int]:
    """Find blocks of a row each: where their headers stand, from `start` on, and how many bytes
    they all take.

    Every block's end is held against the next line's begin, all at once; where one disagrees, the
    run is taken up to there. There are none, and no bytes, where the blocks are few or not of that
    kind.

    Args:
        chunk: bytes in which a block's header begins at `start`; headers are a zero byte and four
            of length.
    """
    data = np.frombuffer(chunk, dtype=np.uint8)[start:]
    starts = np.concatenate(([0], np.flatnonzero(data == _LINE_FEED) + 1))
    # A line feed within a header is a part of its length: such a "line" begins less than a header
    # after the last one.
    starts = starts[np.concatenate(([True], np.diff(starts) > _ROW_HEADER))]
    starts = starts[starts + _ROW_HEADER <= len(data)]
    digits = data[starts[:, None] + np.arange(1, _ROW_HEADER)].astype(np.int64)
    lengths = digits @ (1 << np.arange(0, 32, 8))
    ends = starts + _ROW_HEADER + lengths
    agree = (lengths[:-1] > 0) & (ends[:-1] == starts[1:]) & (data[starts[1:]] == 0)
    count = len(agree)
    if not agree.all():
        count = int(np.argmin(agree))
    if count < _FEW:
        return starts[:0], 0
    return starts[:count], int(starts[count])


def _between(run: bytes, headers: np.ndarray) -> bytes:
    """Return `run` without the five bytes at each of `headers`."""
    keep = np.ones(len(run), dtype=bool)
    keep[headers[:, None] + np.arange(_ROW_HEADER)] = False
    return np.frombuffer(run, dtype=np.uint8)[keep].tobytes()
