"""Rows that are read elsewhere: a segment that can be sent, and where it may be cut.

Who reads on another machine is sent the segment once, and for each part of it a few numbers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from forensics.errors import EvidenceError
from forensics.evidence.source import Segment

Cut = tuple[int, ...]


class Divisible(ABC):
    """A segment that can be read in parts, one behind the other."""

    @abstractmethod
    def cuts(self, size: int) -> list[Cut]:
        """Return the parts, each of about `size` bytes, in the order of their rows."""

    @abstractmethod
    def part(self, cut: Cut) -> Segment:
        """Return the segment of one part."""

    def refused(self, words: str, state: str | None, outdated: bool) -> EvidenceError:
        """Build the error for rows that a database refused to whoever was sent them."""
        raise NotImplementedError

    def sent(self) -> Segment:
        """Return the segment as one that can be pickled.

        Raises:
            BoundError: there is none.
        """
        assert isinstance(self, Segment)
        return self


def cuts_of(segment: Segment, size: int) -> list[Cut]:
    """Where a segment may be cut; one part, without a number, where it may not."""
    if isinstance(segment, Divisible):
        return segment.cuts(size)
    return [()]


def part_of(segment: Segment, cut: Cut) -> Segment:
    """The segment of one of the parts that `cuts_of` tells."""
    if isinstance(segment, Divisible) and cut:
        return segment.part(cut)
    return segment


def refused(segment: Segment, words: str, state: str | None, outdated: bool) -> EvidenceError:
    """The error for rows of a segment that a database refused to whoever was sent it.

    Args:
        words, state: what the server said.
        outdated: whether the snapshot is at fault.
    """
    assert isinstance(segment, Divisible)
    return segment.refused(words, state, outdated)


def sent(segment: Segment) -> Segment:
    """A segment as one that can be pickled.

    Raises:
        BoundError: there is none.
    """
    if isinstance(segment, Divisible):
        return segment.sent()
    return segment
