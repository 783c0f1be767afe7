"""The keys of a backup's rows as numbers, kept as a walk meets them: 8 bytes a row.

Whether a missing row's key stands in the backup once more is known only when the walk has ended.
Reading all of the backup again for it takes longer than keeping numbers, above all where it is
packed. They are kept from the first row on that found no partner: where none is missing nothing is
kept, and what lies before it is read again. A number holds where its row begins, too: so a row
that is asked about is not taken for another of the same key.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO

import numpy as np
import pyarrow as pa

from forensics.compare.sieve import (
    Known,
    Mixture,
    are_among,
    line_offsets,
    numbers_of,
    shortest_of,
)
from forensics.evidence.blocks import Block
from forensics.store.values import LONGEST

_OFFSET_BITS = np.uint64(22)  # of a number: where its line begins in its block
_OFFSETS = np.uint64((1 << 22) - 1)
_IN_MEMORY = 32 << 20
_NUMBER_BYTES = 8


class KeyNumbers:
    """The numbers of the keys of one side's rows, in the order of the rows.

    Args:
        places: at which places of a line the key's fields stand.
        width: how many fields a line has.

    Attributes:
        begins: the position of the first row that has one; None where no row has.
    """

    def __init__(self, places: Sequence[int], width: int) -> None:
        self._places, self._width = places, width
        self._mixture: Mixture | None = None
        self.begins: int | None = None
        self._next = 0
        self._usable, self._whole = True, False
        self._starts: list[int] = []
        self._sizes: list[int] = []
        self._held: list[np.ndarray] = []
        self._held_bytes = 0
        self._file: IO[bytes] | None = None

    def add(self, block: Block, at: int) -> None:
        """Take in the next block, which begins at a position."""
        if not self._usable:
            return
        offsets = line_offsets(block)
        if self.begins is None:
            self.begins = self._next = at
        if not self._can_take(block, offsets, at):
            self.close()
            return
        if self._mixture is None:
            shortest = _shortest_key(block, self._places)
            self._mixture = Mixture(self._places, self._width, shortest)
        try:
            mixed = self._mixture(block, offsets)
            self._keep(mixed & ~_OFFSETS | offsets[:-1].astype(np.uint64))
        except (ValueError, OSError):  # a row of another width; a disk that is full
            self.close()
            return
        self._starts.append(at)
        self._next = at + len(block)

    def end(self) -> None:
        """There is no more."""
        self._whole = True

    def _can_take(self, block: Block, offsets: np.ndarray, at: int) -> bool:
        if at != self._next or len(block) > _OFFSETS or offsets[-1] != len(block):
            return False
        # A field that is kept apart stands in the keys as a mark.
        return len(offsets) > 1 and int(np.diff(offsets).max()) <= LONGEST

    def _keep(self, numbers: np.ndarray) -> None:
        self._sizes.append(len(numbers))
        self._held.append(numbers)
        self._held_bytes += numbers.nbytes
        if self._held_bytes > _IN_MEMORY:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="forensics-keys-")
            for some in self._held:
                self._file.write(some.tobytes())
            self._held, self._held_bytes = [], 0

    def are_alone(self, keys: Sequence[pa.Array], but: np.ndarray) -> bool:
        """Whether no row that has a number has one of some keys, but for those at some positions.

        Args:
            keys: as lines, in arrays of which none is empty.
            but: positions, ascending.

        Returns:
            False also where that cannot be said.
        """
        mixture = self._mixture
        if not (self._usable and self._whole and mixture):
            return False
        if shortest_of(keys) < mixture.shortest:
            return False
        known = Known(numbers_of(keys, mixture) & ~_OFFSETS)
        with suppress(OSError):
            for start, numbers in zip(self._starts, self._numbers(), strict=True):
                hits = numbers[known.among(numbers & ~_OFFSETS)]
                positions = (hits & _OFFSETS).astype(np.int64) + start
                if not are_among(positions, but).all():
                    return False
            return True
        return False

    def _numbers(self) -> Iterator[np.ndarray]:
        """The numbers of each block."""
        in_memory = iter(self._held)
        written = 0
        if self._file:
            self._file.flush()
            self._file.seek(0)
            written = len(self._sizes) - len(self._held)
        for place, size in enumerate(self._sizes):
            if self._file and place < written:
                yield np.frombuffer(self._file.read(size * _NUMBER_BYTES), dtype=np.uint64)
            else:
                yield next(in_memory)

    def close(self) -> None:
        """Forget all numbers; nothing is said of any key then."""
        self._usable = False
        self._starts, self._sizes, self._held = [], [], []
        if self._file:
            self._file.close()
            self._file = None


def _shortest_key(block: Block, places: Sequence[int]) -> int:
    """The length of a block's shortest key, where it stands first in a line; else 0."""
    number = len(places)
    if list(places) != list(range(number)):
        return 0
    sizes = []
    for line in bytes(block).split(b"\n")[:-1]:
        sizes.append(len(b"\t".join(line.split(b"\t", number)[:number])))
    return min(sizes, default=0)
