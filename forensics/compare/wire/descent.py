"""Which ranges of a table differ: asked level by level, each level in one statement."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from forensics.compare.wire.ordering import Key
from forensics.compare.wire.questions import DIGEST, EMPTY, Edges, answered
from forensics.compare.wire.spool import Ranges, Spool

_COARSE_BYTES = 256 << 10
_SHARE = 0.0004  # of a range's bytes, that its fingerprint and its edge may have
_DIGEST_BYTES = 22  # as it is sent
_SPLIT = 16
_HALF = 0.5
_PROBED = 32
_MANY = 32_768  # ranges: so many at a time have their edges in memory
_FEW = 64  # ranges: fewer are not shared out
# Where more of a sample's leaves differ, their rows cost less than to tell them apart.
_MOST_LEAVES = 0.7

Ask = Callable[[Edges], str]


class UnlikeError(Exception):
    """A table cannot be compared by ranges of its key after all; the message says why."""


class Descent:
    """Finds the ranges of one table that differ.

    Args:
        spool: the backup's rows.
        ask: puts the question of some ranges' fingerprints; returns the answer as it came.
        sessions: how many questions are put at a time.
    """

    def __init__(self, spool: Spool, ask: Ask, sessions: int = 1) -> None:
        self._spool = spool
        self._ask = ask
        self._sessions = sessions

    def run(self) -> Ranges:
        """Return the ranges that differ, in order; those that follow each other are one.

        Raises:
            UnlikeError: the server orders keys otherwise, or the backup repeats one.
            LiveError: the server refused, or was lost.
        """
        found = []
        asked = self._coarse()
        while len(asked):
            theirs = self._fingerprints(asked)
            differs = theirs != self._ours
            # A range in which live has no row cannot be told better.
            empty = (theirs == np.frombuffer(EMPTY, np.uint8)).all(axis=1)
            differs = differs.any(axis=1)
            small = asked[:, 1] - asked[:, 0] == 1
            found.append(asked[differs & (empty | small)])
            left = asked[differs & ~empty & ~small]
            if not len(left):
                break
            asked = self._next(left, differs.mean())
            if not len(asked):
                found.append(left)
        return joined(np.concatenate(found))

    def _coarse(self) -> Ranges:
        """The ranges of the first level: what is sent of them is little beside their rows."""
        spool = self._spool
        edge = 0
        if spool.leaves > 1:
            key = _edge(spool, spool.leaves // 2)
            edge = sum(len(value.encode("utf-8")) + 3 for value in key)
        least = max(_COARSE_BYTES, (edge + _DIGEST_BYTES) / _SHARE)
        leaf = max(spool.size / spool.leaves, 1)
        whole = np.array([[0, spool.leaves]], np.int64)
        return _split(whole, max(int(np.ceil(least / leaf)), 1))

    def _next(self, left: Ranges, share: float) -> Ranges:
        """What to ask next of ranges that differ; nothing where their rows cost less."""
        if share < _HALF:
            step = (left[:, 1] - left[:, 0]).max() / _SPLIT
            return _split(left, max(int(np.ceil(step)), 1))
        if len(left) > _PROBED:
            some = np.linspace(0, len(left) - 1, _PROBED).astype(np.int64)
            theirs = self._fingerprints(_split(left[some], 1))
            if (theirs != self._ours).any(axis=1).mean() > _MOST_LEAVES:
                return left[:0]
        return _split(left, 1)

    def _fingerprints(self, asked: Ranges) -> np.ndarray:
        """Live's fingerprints of some ranges, a line each; ours are `_ours` then."""
        parts = 1
        if len(asked) > _FEW:
            parts = max(self._sessions, -(-len(asked) // _MANY))
        # Neighbours share the edge between them, so edges of all ascend where those of each do.
        with ThreadPoolExecutor(self._sessions, thread_name_prefix="fingerprints") as pool:
            asking = []
            for part in np.array_split(asked, parts):
                asking.append(pool.submit(self._asked, part))
            self._ours = _table(self._spool.digests(asked))
            answers = [answered(future.result()) for future in asking]
        if not all(ascends for ascends, _ in answers):
            raise UnlikeError("the server orders its keys otherwise than by their bytes")
        theirs = _table(b"".join([digests for _, digests in answers]))
        if len(theirs) != len(self._ours):
            raise UnlikeError("the server answered for another number of ranges")
        return theirs

    def _asked(self, ranges: Ranges) -> str:
        return self._ask(edges_of(ranges, self._spool))


def _table(digests: bytes) -> np.ndarray:
    return np.frombuffer(digests, np.uint8).reshape(-1, DIGEST)


def edges_of(ranges: Ranges, spool: Spool) -> Edges:
    """The keys at which ranges begin and end.

    Args:
        ranges: in order; none of them has rows of another.

    Raises:
        UnlikeError: a key stands on both sides of an edge: the backup repeats it.
    """
    found = Edges()
    if not len(ranges):
        return found
    upto = -1
    for begin, end in ranges.tolist():
        is_first, is_last = begin == 0, end == spool.leaves
        if is_first and is_last:
            found.whole = True
        elif is_first:
            found.below = _edge(spool, end)
        elif is_last:
            found.above = _edge(spool, begin)
        else:
            if begin != upto:
                if found.runs:
                    found.runs.append(None)
                found.runs.append(_edge(spool, begin))
            found.runs.append(_edge(spool, end))
            upto = end
    return found


def _edge(spool: Spool, leaf: int) -> Key:
    key = spool.edge(leaf)
    if key is None:
        raise UnlikeError("the backup holds keys more than once")
    return key


def joined(ranges: Ranges) -> Ranges:
    """Ranges in order, with those that follow each other as one."""
    ranges = ranges[np.argsort(ranges[:, 0])]
    if not len(ranges):
        return ranges
    begins = np.append(True, ranges[1:, 0] != ranges[:-1, 1])
    ends = np.append(begins[1:], True)
    return np.stack([ranges[begins, 0], ranges[ends, 1]], axis=1)


def others(ranges: Ranges, leaves: int) -> Ranges:
    """The ranges between some, of all leaves."""
    edges = np.concatenate([[0], ranges.ravel(), [leaves]]).reshape(-1, 2)
    return edges[edges[:, 0] < edges[:, 1]]


def _split(ranges: Ranges, step: int) -> Ranges:
    """Ranges of so many leaves, or fewer."""
    found = []
    for begin, end in ranges.tolist():
        begins = np.arange(begin, end, step, dtype=np.int64)
        found.append(np.stack([begins, np.append(begins[1:], end)], axis=1))
    return np.concatenate(found)
