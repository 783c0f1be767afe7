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

import numpy as np

from forensics.evidence.source import Block

_NEAR, _FAR = 4 << 10, 64 << 10
_LEAST_STEP, _LARGEST_STEP = 16 << 10, 1 << 20
_LINE_FEED = 10
_TELL_ROWS = 100_000
_ODD_BYTES = 48 << 20  # of either side, held in memory
_SEARCH_PER_BYTE = 8  # bytes that may be searched for each byte that was paired
_SEARCH_ALLOWANCE = 32 << 20


class Stream:
    """One side: a buffer of whole lines, filled from blocks as it is used up.

    Attributes:
        odd: (position, line with its line feed) of the rows that found no partner.
        passed: how many rows lie in what has been walked past; kept up only where
            `counting`.
    """

    def __init__(self, blocks: Iterator[Block], *, counting: bool = False) -> None:
        self._blocks = blocks
        self._counting = counting
        self._start = 0
        self._counted = 0
        self.data = b""
        self.view = np.empty(0, dtype=np.uint8)
        self.at = 0
        self.odd: list[tuple[int, bytes]] = []
        self.odd_bytes = 0
        self.passed = 0

    @property
    def position(self) -> int:
        """The offset of the next line in the stream of blocks."""
        return self._start + self.at

    def fill(self, least: int = 1) -> bool:
        """Have `least` bytes ahead where there are so many; whether any are left."""
        while len(self.data) - self.at < least:
            block = next(self._blocks, None)
            if block is None:
                break
            self.count()
            self._start += self.at
            if self.at < len(self.data):
                self.data = b"".join((memoryview(self.data)[self.at :], block))
            else:
                self.data = bytes(block)
            self.view = np.frombuffer(self.data, dtype=np.uint8)
            self.at = self._counted = 0
        return self.at < len(self.data)

    def count(self) -> int:
        """Bring `passed` up to where the walk is, and return it."""
        if self._counting:
            # A block at a time: counting each short run by itself would cost more than finding it.
            self.passed += int(np.count_nonzero(self.view[self._counted : self.at] == _LINE_FEED))
            self._counted = self.at
        return self.passed

    def line(self) -> bytes:
        """The next line, with its line feed."""
        return self.data[self.at : self.data.index(b"\n", self.at) + 1]

    def skip_to(self, end: int) -> None:
        """Leave the lines up to offset `end` of the buffer as odd."""
        at, data = self.at, self.data
        while at < end:
            after = data.index(b"\n", at) + 1
            self.odd.append((self._start + at, data[at:after]))
            at = after
        self.odd_bytes += at - self.at
        self.at = at

    def rest(self) -> Iterator[Block]:
        """What has not been walked past; its first byte is at `position`."""
        if self.at < len(self.data):
            yield memoryview(self.data)[self.at :]
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
    paired_bytes = searched = told = 0
    while True:
        if len(backup.data) - backup.at < _FAR and not backup.fill(_FAR):
            break
        if len(live.data) - live.at < _FAR and not live.fill(_FAR):
            break
        same = _equal_run(backup, live)
        backup.at += same
        live.at += same
        paired_bytes += same
        if backup.passed - told > _TELL_ROWS:
            progress(backup.passed - told)
            told = backup.passed
        if backup.at == len(backup.data) or live.at == len(live.data):
            continue
        searched += _find_again(backup, live)
        if searched > _SEARCH_ALLOWANCE + _SEARCH_PER_BYTE * paired_bytes:
            break
        if backup.odd_bytes > _ODD_BYTES or live.odd_bytes > _ODD_BYTES:
            break
    progress(backup.count() - told)
    return backup.passed - len(backup.odd)


def _equal_run(backup: Stream, live: Stream) -> int:
    """The length of the run of whole equal lines ahead, in bytes."""
    i, j = backup.at, live.at
    ours, theirs = backup.data, memoryview(live.data)
    ahead = min(len(ours) - i, len(theirs) - j)
    done, step = 0, _LEAST_STEP
    while done < ahead:
        upto = min(done + step, ahead)
        # This compares memory, at its speed; it does not say where it differs.
        if ours.startswith(theirs[j + done : j + upto], i + done):
            done = upto
            step = min(step * 2, _LARGEST_STEP)
            continue
        while upto - done > _LEAST_STEP:
            half = (done + upto) // 2
            if ours.startswith(theirs[j + done : j + half], i + done):
                done = half
            else:
                upto = half
        differ = backup.view[i + done : i + upto] != live.view[j + done : j + upto]
        first = done + int(differ.argmax())
        # Back to where the line began, which may be before this step.
        return max(ours.rfind(b"\n", i, i + first) + 1 - i, 0)
    # One buffer is used up, at a line's end: the other's line ends there too, for its bytes are the
    # same.
    return done


def _find_again(backup: Stream, live: Stream) -> int:
    """Step over the lines that differ.

    Returns:
        How many bytes were searched for where both go on alike.
    """
    ours, theirs = backup.line(), live.line()
    after_ours, after_theirs = backup.at + len(ours), live.at + len(theirs)
    next_ours = backup.data[after_ours : after_ours + 256]
    if next_ours and next_ours == live.data[after_theirs : after_theirs + 256]:
        # A row that was changed in place: the lines after it are the same.
        backup.skip_to(after_ours)
        live.skip_to(after_theirs)
        return len(next_ours)
    if backup.data.startswith(theirs, after_ours):
        # A row that is gone: what stands behind it is live's next.
        backup.skip_to(after_ours)
        return len(ours)
    searched = 0
    for window in (_NEAR, _FAR):
        for stream, wanted in ((backup, theirs), (live, ours)):
            end = stream.at + window
            found = stream.data.find(b"\n" + wanted, stream.at, end)
            if found >= 0:
                searched += found - stream.at
                stream.skip_to(found + 1)
                return searched
            searched += min(end, len(stream.data)) - stream.at
    backup.skip_to(after_ours)
    live.skip_to(after_theirs)
    return searched
