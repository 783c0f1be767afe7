"""Equal rows in equal order, found by comparing bytes: the cheap and exact part of a comparison.

A dump and its database hold most rows in the same physical order, so most of both
streams is the same bytes. Two streams of COPY text are walked side by side; runs of
equal bytes are equal rows, with no hash and no field looked at. Where they part, the
next line of either side is searched a little ahead in the other; what is skipped is
*odd* and is left to the engine (`rows`). Where order has changed altogether, the walk
notices that it pays too much for too little and gives up: the rest of both streams is
handed on as it is.

Every equal pair takes one row from each side, so what is left over differs exactly as
the whole sides differ, as sets and as multisets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from forensics.evidence.bytewise import count_lines
from forensics.evidence.source import Block

_NEAR, _FAR = 4 << 10, 64 << 10
_LEAST_STEP, _LARGEST_STEP = 16 << 10, 1 << 20
_CLOSE = 128
_ALIKE = 256  # bytes behind two lines, which tell whether both sides go on alike
_TELL_ROWS = 100_000
_ODD_BYTES = 96 << 20  # of either side, held in memory
_SEARCH_PER_BYTE = 8  # bytes that may be searched for each byte that was paired
_SEARCH_ALLOWANCE = 32 << 20


class Seen(Protocol):
    """Is told of blocks as they are read."""

    def add(self, block: Block, at: int) -> None:
        """Take the next block, which begins at a position."""

    def end(self) -> None:
        """There is no more."""


class Stream:
    """One side: a buffer of whole lines, filled from blocks as it is used up.

    Attributes:
        data, text: the buffer; lines stand in it up to `end`, the next one at `at`.
        odd: the rows that found no partner, each with its line feed.
        odd_at: where each of them begins in the stream of blocks.
        passed: how many rows lie in what has been walked past; kept up only where
            `counting`.

    Args:
        seen: takes each block, and its position, from the first row on that found no partner.
    """

    def __init__(
        self,
        blocks: Iterator[Block],
        *,
        counting: bool = False,
        seen: Seen | None = None,
    ) -> None:
        self._blocks = blocks if seen is None else self._told(blocks, seen)
        self._counting = counting
        self._start = 0
        self._counted = 0
        self.at = self.end = 0
        self._make(0)
        # Two lists and not one of pairs: a collector of garbage has nothing to look at in them.
        self.odd: list[bytes] = []
        self.odd_at: list[int] = []
        self.odd_bytes = 0
        self.passed = 0

    @property
    def position(self) -> int:
        """The offset of the next line in the stream of blocks."""
        return self._start + self.at

    def fill(self, least: int = 1) -> bool:
        """Have `least` bytes ahead where there are so many; whether any are left."""
        while self.end - self.at < least:
            block = next(self._blocks, None)
            if block is None:
                break
            self._append(block)
        return self.at < self.end

    def _told(self, blocks: Iterator[Block], seen: Seen) -> Iterator[Block]:
        at = 0
        for block in blocks:
            if self.odd:
                seen.add(block, at)
            at += len(block)
            yield block
        seen.end()

    def _append(self, block: Block) -> None:
        # One buffer for all blocks: a fresh one each time costs more than what is copied.
        self.count()
        ahead = self.text[self.at : self.end]
        left, size = len(ahead), len(ahead) + len(block)
        if size > len(self.data):
            self._make(size + size // 4 if left else size)
        self.text[:left] = ahead
        self.text[left:size] = block
        self._start += self.at
        self.at, self.end, self._counted = 0, size, 0

    def _make(self, size: int) -> None:
        self.data = bytearray(size)
        self.text = memoryview(self.data)

    def count(self) -> int:
        """Bring `passed` up to where the walk is, and return it."""
        if self._counting:
            # A block at a time: counting each short run by itself would cost more than finding it.
            self.passed += count_lines(self.text[self._counted : self.at])
            self._counted = self.at
        return self.passed

    def skip_to(self, end: int) -> None:
        """Leave the lines up to offset `end` of the buffer as odd."""
        at, data = self.at, self.data
        self.odd_bytes += end - at
        while at < end:
            after = data.index(b"\n", at) + 1
            self.odd_at.append(self._start + at)
            self.odd.append(bytes(data[at:after]))
            at = after
        self.at = at

    def rest(self) -> Iterator[Block]:
        """What has not been walked past; its first byte is at `position`."""
        if self.at < self.end:
            yield bytes(self.text[self.at : self.end])
        yield from self._blocks


def align(backup: Stream, live: Stream, progress: Callable[[int], None]) -> int:
    """Walk both streams as far as it pays, and return how many rows were paired.

    Afterwards each stream's `odd` holds what was passed without a partner, and `rest()`
    what was not reached.

    Args:
        backup, live: streams of the same columns in the same order; the backup's
            counts.
        progress: is told how many rows of the backup were passed since it was last
            called.
    """
    paired = searched = told = 0  # bytes, bytes, rows
    while True:
        # All that is there, where that is less.
        if not backup.fill(_FAR) or not live.fill(_FAR):
            break
        if backup.passed - told > _TELL_ROWS:
            progress(backup.passed - told)
            told = backup.passed
        walked, looked = _walk(backup, live)
        paired += walked
        searched += looked
        if searched > _SEARCH_ALLOWANCE + _SEARCH_PER_BYTE * paired:
            break
        if backup.odd_bytes > _ODD_BYTES or live.odd_bytes > _ODD_BYTES:
            break
    progress(backup.count() - told)
    return backup.passed - len(backup.odd)


def _walk(backup: Stream, live: Stream) -> tuple[int, int]:
    """Walk along what both have in their buffers, until either has little ahead.

    Returns:
        How many bytes were paired, and how many were searched.
    """
    paired = searched = 0
    # Who has less than that ahead has nothing else.
    last_ours = max(backup.end - _FAR, backup.at)
    last_theirs = max(live.end - _FAR, live.at)
    while searched <= _SEARCH_ALLOWANCE:
        same = _equal_run(backup, live)
        backup.at += same
        live.at += same
        paired += same
        if backup.at == backup.end or live.at == live.end:
            break
        searched += _find_again(backup, live)
        if backup.at > last_ours or live.at > last_theirs:
            break
    return paired, searched


def _equal_run(backup: Stream, live: Stream) -> int:
    """The length of the run of whole equal lines ahead, in bytes."""
    i, j = backup.at, live.at
    ours, theirs = backup.data, live.text
    ahead = min(backup.end - i, live.end - j)
    done, step = 0, _LEAST_STEP
    while done < ahead:
        upto = min(done + step, ahead)
        # This compares memory, at its speed; it does not say where it differs.
        if ours.startswith(theirs[j + done : j + upto], i + done):
            done = upto
            step = min(step * 2, _LARGEST_STEP)
            continue
        return _line_that_differs(ours, theirs, (i, j), (done, upto)) - i
    # One buffer is used up, at a line's end: the other's line ends there too, for its bytes are the
    # same.
    return done


def _line_that_differs(
    ours: bytearray, theirs: memoryview, starts: tuple[int, int], within: tuple[int, int]
) -> int:
    """Where our first line begins that differs; up to there both are the same.

    Halving comes close, and then line by line, from the last one on: looking at each byte takes
    twice as long.

    Args:
        starts: where either side's lines begin.
        within: from where on they are not the same, up to where, counted from there.
    """
    i, j = starts
    same, upto = within
    while upto - same > _CLOSE:
        half = (same + upto) // 2
        if ours.startswith(theirs[j + same : j + half], i + same):
            same = half
        else:
            upto = half
    while True:
        line = ours.rfind(b"\n", i + same, i + upto) + 1
        if not line:
            return ours.rfind(b"\n", i, i + same) + 1 or i
        if ours.startswith(theirs[j + same : j + line - i], i + same):
            return line
        upto = line - 1 - i


def _find_again(backup: Stream, live: Stream) -> int:
    """Step over the lines that differ.

    Returns:
        How many bytes were searched for where both go on alike.
    """
    after_ours = backup.data.index(b"\n", backup.at) + 1
    after_theirs = live.data.index(b"\n", live.at) + 1
    alike = min(_ALIKE, backup.end - after_ours)
    next_theirs = live.text[after_theirs : min(after_theirs + alike, live.end)]
    if 0 < alike == len(next_theirs) and backup.data.startswith(next_theirs, after_ours):
        # A row that was changed in place: the lines after it are the same.
        backup.skip_to(after_ours)
        live.skip_to(after_theirs)
        return alike
    theirs = live.text[live.at : after_theirs]
    if after_ours + len(theirs) <= backup.end and backup.data.startswith(theirs, after_ours):
        # A row that is gone: what stands behind it is live's next.
        backup.skip_to(after_ours)
        return len(theirs)
    searched = 0
    ours = backup.text[backup.at : after_ours]
    for window in (_NEAR, _FAR):
        for stream, wanted in ((backup, theirs), (live, ours)):
            end = min(stream.at + window, stream.end)
            found = stream.data.find(b"\n" + bytes(wanted), stream.at, end)
            if found >= 0:
                searched += found - stream.at
                stream.skip_to(found + 1)
                return searched
            searched += end - stream.at
    backup.skip_to(after_ours)
    live.skip_to(after_theirs)
    return searched
