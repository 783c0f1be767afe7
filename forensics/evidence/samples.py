"""Whole lines from places all over a table's rows, kept while these are read for something else.

Who asks only what rows are like on the whole need not read, or unpack, all of a backup again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

from forensics.evidence.blocks import BLOCK_BYTES, Block
from forensics.evidence.source import Segment, Source
from forensics.model import TableName

PIECE = 4_000  # bytes
_SMALL_PIECE, _FIRST_STEP = 1_000, 16 << 10  # of a sample: neighbours are much alike
_MOST = 16 << 20  # bytes of one sample, and of all that are kept of a source
_kept: WeakKeyDictionary[Source, dict[TableName, Sample]] = WeakKeyDictionary()


class Sample:
    """Pieces of a stream of blocks: at first every so many bytes, and of more and more of them.

    Args:
        columns: what a line holds, in order.

    Attributes:
        read: how many bytes were seen.
        size: how many of them it holds.
        whole: whether there are no more.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.read = self.size = 0
        self.whole = False
        self._pieces: list[bytes] = []
        self._step = _FIRST_STEP
        # Where the next piece is taken. Neither the first rows nor the last are like the others.
        self._next = _FIRST_STEP // 2

    def add(self, block: Block) -> None:
        """Take in the next block of the stream: whole lines."""
        text = memoryview(block)
        while self._next < self.read + len(text):
            start = self._next - self.read
            if start:
                start += len(lines_at(text, start, start))
            piece = lines_at(text, start, start + _SMALL_PIECE)
            self._pieces.append(piece)
            self.size += len(piece)
            self._next += max(self._step, len(piece))
        self.read += len(text)
        while self.size > _MOST and len(self._pieces) > 1:
            self._pieces = self._pieces[::2]
            self._step *= 2
            self.size = sum(map(len, self._pieces))

    def taken(self, part: float) -> Iterator[bytes]:
        """Yield pieces of it in blocks, so that they are about a part of all rows."""
        every = max(1, round(self.size / max(part * self.read, 1)))
        chosen = (self._pieces[:-1] or self._pieces)[::every]
        together = BLOCK_BYTES // _SMALL_PIECE
        for start in range(0, len(chosen), together):
            if block := b"".join(chosen[start : start + together]):
                yield block


def lines_at(block: memoryview, start: int, upto: int) -> bytes:
    """A block from one place to the end of the line that another is in."""
    ahead = PIECE
    while upto < len(block):
        rest = bytes(block[upto : upto + ahead])
        end = rest.find(b"\n") + 1
        if end:
            return bytes(block[start : upto + end])
        ahead *= 4
    return bytes(block[start:])


class SampledSegment(Segment):
    """About a part of a table's rows, out of a sample."""

    def __init__(self, table: TableName, sample: Sample, part: float) -> None:
        super().__init__(table, sample.columns)
        self._sample, self._part = sample, part

    def as_stored(self) -> Iterator[Block] | None:
        return self._sample.taken(self._part)

    def blocks(self) -> Iterator[Block]:
        yield from self._sample.taken(self._part)


def keep(source: Source, name: TableName, sample: Sample) -> None:
    """Keep the sample of a table for whoever asks of it later, as far as there is room."""
    held = _kept.setdefault(source, {})
    if sample.whole and sum(one.size for one in held.values()) + sample.size <= 2 * _MOST:
        held[name] = sample


def sample_of(source: Source, name: TableName, part: float) -> SampledSegment | None:
    """About such a part of a table's rows, where a sample of them was kept that is as large."""
    sample = _kept.get(source, {}).get(name)
    if sample is None or 2 * sample.size < part * sample.read:
        return None
    return SampledSegment(name, sample, part)
