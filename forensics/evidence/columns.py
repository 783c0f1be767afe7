"""The fields of one column in a block of COPY text, all at once, and what tells some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forensics.evidence.bytewise import words
from forensics.evidence.fields import unescape

# Kinds of bytes, a bit each; a field's kinds are those of all its bytes.
DIGIT, MINUS, POINT, HEX, CLOCK, _OTHER = 1, 2, 4, 8, 16, 128


def _kinds() -> bytes:
    found = bytearray([_OTHER]) * 256
    for kind, members in (
        (DIGIT, b"0123456789"),
        (MINUS, b"-"),
        (POINT, b"."),
        (HEX, b"abcdefABCDEF"),
        (CLOCK, b": +"),
        (0, b"\t\n"),
    ):
        for byte in members:
            found[byte] = kind
    return bytes(found)


_KINDS = _kinds()


def kinds_of(text: bytes, starts: np.ndarray) -> np.ndarray:
    """The kinds of bytes of all fields of a block, by where each begins."""
    of_bytes = np.frombuffer(text.translate(_KINDS), dtype=np.uint8)
    return np.asarray(np.bitwise_or.reduceat(of_bytes, starts))


@dataclass(frozen=True)
class Fields:
    """The fields of one column in a block of COPY text.

    Attributes:
        text: the block.
        data: its bytes, and some zeros behind them.
        starts, lengths: where each field is.
        told_kinds: gives the kinds of the bytes of each; it takes long.
    """

    text: bytes
    data: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    told_kinds: Callable[[], np.ndarray]

    @cached_property
    def kinds(self) -> np.ndarray:
        """The kinds of bytes of each field."""
        return self.told_kinds()

    def byte(self, place: int) -> np.ndarray:
        """The byte at a place of every field; where that is shorter it says nothing."""
        found: np.ndarray = self.data[self.starts + place]
        return found

    def word(self, place: int) -> np.ndarray:
        """The eight bytes from a place of every field on, as a number, the first the lowest."""
        found: np.ndarray = words(self.data, place)[self.starts]
        return found

    def some(self, chosen: np.ndarray) -> Fields:
        """Some of the fields."""
        starts, lengths = self.starts[chosen], self.lengths[chosen]
        return Fields(self.text, self.data, starts, lengths, lambda: self.kinds[chosen])

    def byte_before_end(self, place: int) -> np.ndarray:
        """The byte so many places before the end of every field; shorter ones say nothing."""
        found: np.ndarray = self.data[np.maximum(self.starts + self.lengths - place, 0)]
        return found

    def count(self, byte: bytes) -> np.ndarray:
        """How often a byte stands in every field."""
        places = np.flatnonzero(self.data == ord(byte))
        found: np.ndarray = np.searchsorted(places, self.starts + self.lengths)
        found -= np.searchsorted(places, self.starts)
        return found

    def strings(self, chosen: np.ndarray, width: int) -> np.ndarray:
        """The first `width` bytes of some fields, each as one string of bytes."""
        places = self.starts[chosen][:, None] + np.arange(width)
        return np.ascontiguousarray(self.data[places]).view(f"S{width}")[:, 0]

    def only(self, kinds: int) -> np.ndarray:
        """Which fields hold digits, and nothing but bytes of some kinds."""
        found: np.ndarray = (self.kinds & np.uint8(0xFF ^ kinds)) == 0
        found &= (self.kinds & DIGIT) != 0
        return found

    def joined(self, chosen: np.ndarray) -> bytes:
        """Some fields in the order of the block, each with the tab or line feed behind it."""
        borders = np.zeros(len(self.text) + 1, dtype=np.int8)
        borders[self.starts[chosen]] += 1
        borders[self.starts[chosen] + self.lengths[chosen] + 1] -= 1
        within = np.cumsum(borders[:-1], dtype=np.int8).view(bool)
        found: bytes = self.data[: len(self.text)][within].tobytes()
        return found

    def nulls(self) -> np.ndarray:
        """Which fields are NULL."""
        found: np.ndarray = self.lengths == 2
        found &= (self.byte(0) == 0x5C) & (self.byte(1) == 0x4E)
        return found

    def unless(self, sure: np.ndarray, holds: Callable[[str], bool]) -> np.ndarray:
        """The places of the fields that are not sure, not NULL, and that `holds` refuses."""
        refused = []
        others = np.flatnonzero(~sure)
        others = others[~self.some(others).nulls()]
        for at in others.tolist():
            start = int(self.starts[at])
            field = self.text[start : start + int(self.lengths[at])]
            if not holds(unescape(field.decode("utf-8", "replace"))):
                refused.append(at)
        return np.array(refused, dtype=np.int64)


Check = Callable[[Fields], np.ndarray]


def of_others(fields: Fields, sure: np.ndarray, check: Check) -> np.ndarray:
    """The places of fields that are not sure, and that a check refuses."""
    others = np.flatnonzero(~sure)
    if not len(others):
        return others
    return np.asarray(others[check(fields.some(others))])
