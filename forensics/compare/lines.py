"""The rows of a side as batches of lines that can be compared, read without a Python call for each.

A batch is of schema `LINES`: the row's position, by which it is found again; its
comparable line; and the line as it is kept, NULL where that is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from forensics.compare.align import Stream, align
from forensics.compare.longvalues import without_long
from forensics.compare.prefetch import BLOCKS_AHEAD, Prefetch
from forensics.compare.shaping import Shaper
from forensics.compare.sides import Side, Sides
from forensics.compare.sieve import Sieve, are_among
from forensics.errors import EvidenceError
from forensics.evidence import copytext
from forensics.evidence.arrays import numbers, texts
from forensics.evidence.encodings import strictly
from forensics.evidence.samples import Sample
from forensics.evidence.source import Block, Segment

Progress = Callable[[int], None]
Batches = Iterator[pa.RecordBatch]

TEXT = pa.large_string()
LINES = pa.schema([("position", pa.int64()), ("line", TEXT), ("raw", TEXT)])
_FETCH_ROWS, _FETCH_BYTES = 20_000, 16 << 20
_LITTLE_BYTES = 1 << 20
_UNPACKED_AHEAD = 8  # blocks


class UnsoundError(Exception):
    """Rows that were read without a look at them are not all sound: they have to be read again."""


def unheard(rows: int) -> None:
    """Progress that nobody is told of."""


@dataclass
class LeftOver:
    """What is left of both sides once equal runs are paired off. To be closed when it was read."""

    backup: Batches
    live: Batches
    ahead: Sequence[Prefetch] = ()

    def close(self) -> None:
        """End the threads that read ahead."""
        for one in self.ahead:
            one.close()


def left_over(
    sides: Sides, progress: Progress, key: Sequence[str], *, as_stored: bool
) -> LeftOver | None:
    """Pair off what is in the same order on both sides, and all of it where it is little.

    Args:
        sides: their `rows` are counted on the way, for what is left as it is read.
        progress: is told of rows that were read on the live side.
        key: columns that tell rows apart; where there are none, rows may repeat.
        as_stored: whether only those rows of the backup need a look that have no partner.

    Returns:
        What is left of each, or None where nothing is.

    Raises:
        UnsoundError: some of these are not sound, here or as they are read.
    """
    left = _unpaired(sides, progress, key, as_stored)
    if left is None:
        return None
    try:
        if _settled(left, as_multiset=not key):
            left.close()
            return None
        return left
    except BaseException:
        left.close()
        raise


def _unpaired(
    sides: Sides, progress: Progress, key: Sequence[str], as_stored: bool
) -> LeftOver | None:
    backup, live, columns = sides.backup, sides.live, sides.columns
    backup.as_stored, backup.odd, backup.odd_at, backup.walked = False, [], [], 0
    backup.numbers = backup.sample = None
    if not _stand_alike(sides):
        return _everything(sides, progress)
    if live.is_held and _same_bytes(backup, live):
        progress(live.rows)
        return None
    backup.as_stored = as_stored and _can_be_as_stored(backup)
    if len(backup.segments) == 1:
        backup.sample = Sample(backup.segments[0].columns)
    ahead: list[Prefetch] = []
    try:
        seen = backup.number_keys(key)
        ours = Stream(_ahead(backup, ahead, live), counting=True, seen=seen)
        theirs = Stream(_ahead(live, ahead, live))
        paired = align(ours, theirs, progress)
        backup.rows, live.rows = ours.passed, paired + len(theirs.odd)
        backup.odd, backup.odd_at, backup.walked = ours.odd, ours.odd_at, ours.position
        left = LeftOver(
            _rest(backup, ours, columns, unheard),
            _rest(live, theirs, columns, progress),
            ahead,
        )
        if not (ours.odd or theirs.odd or ours.fill() or theirs.fill()):
            left.close()
            return None
        return left
    except BaseException:
        for one in ahead:
            one.close()
        raise


def _ahead(side: Side, ahead: list[Prefetch], live: Side) -> Iterator[Block]:
    """All blocks of a side, read in a thread of its own where that pays."""
    blocks = _chain(side)
    if live.is_held or not (side is live or all(segment.waits for segment in side.segments)):
        return blocks
    ahead.append(Prefetch(blocks, side.segments, BLOCKS_AHEAD if side is live else _UNPACKED_AHEAD))
    return iter(ahead[-1])


def _can_be_as_stored(side: Side) -> bool:
    return all(segment.as_stored() is not None for segment in side.segments)


def _stand_alike(sides: Sides) -> bool:
    """Whether lines of both sides can be held against each other as they stand."""
    backup, live, columns = sides.backup, sides.live, sides.columns
    if backup.counted or backup.casts:
        return False
    return backup.in_order(columns) and live.in_order(columns)


def _same_bytes(backup: Side, live: Side) -> bool:
    """Whether both sides are the same bytes, of a table whose rows of live are in memory.

    What live holds as well is sound: only where it is another thing are values looked at.
    """
    theirs = b"".join(map(bytes, _unseen(live)))
    thorough = [segment.thorough for segment in backup.segments]
    ours: list[bytes] = []
    size = 0
    try:
        for segment in backup.segments:
            segment.thorough = False
        for block in _unseen(backup):
            ours.append(bytes(block))
            size += len(block)
            if size > len(theirs):
                return False
    except EvidenceError:
        return False  # whoever reads it again hears of it
    finally:
        for segment, before in zip(backup.segments, thorough, strict=True):
            segment.thorough = before
    if b"".join(ours) != theirs:
        return False
    backup.rows = live.rows = theirs.count(b"\n")
    return True


def _unseen(side: Side) -> Iterator[Block]:
    """All blocks of a side, without a look at their rows where they can be had so."""
    for segment in side.segments:
        stored = segment.as_stored()
        yield from segment.blocks() if stored is None else stored


def _everything(sides: Sides, progress: Progress) -> LeftOver:
    """Both sides whole, where their lines cannot be held against each other as they stand."""
    backup, live, columns = sides.backup, sides.live, sides.columns
    ours = stored_lines(backup, columns, unheard)
    if len(live.segments) != 1 or live.is_held:
        return LeftOver(ours, stored_lines(live, columns, progress))
    ahead = Prefetch(live.segments[0].blocks(), live.segments)
    theirs = stored_lines(live, columns, progress, iter(ahead))
    return LeftOver(ours, theirs, [ahead])


def _settled(left: LeftOver, *, as_multiset: bool) -> bool:
    """Whether what is left is little, and equal but for its order.

    Rows that repeat are the engine's business where a key has to tell them apart.
    """
    ours, left.backup = _little(left.backup)
    theirs, left.live = _little(left.live)
    if ours is None or theirs is None or len(ours) != len(theirs):
        return False
    if not as_multiset and len(set(ours)) < len(ours):
        return False
    return sorted(ours) == sorted(theirs)


def _little(batches: Batches) -> tuple[list[str] | None, Batches]:
    """The lines of some batches, or None where they are many; and the batches once more."""
    seen: list[pa.RecordBatch] = []
    lines: list[str] = []
    size = 0
    for batch in batches:
        seen.append(batch)
        size += batch.nbytes
        if size > _LITTLE_BYTES:
            return None, itertools.chain(seen, batches)
        lines += batch["line"].to_pylist()
    return lines, iter(seen)


def _chain(side: Side) -> Iterator[Block]:
    """All blocks of a side; notes at which position each segment starts."""
    side.starts = []
    at = 0
    for segment in side.segments:
        side.starts.append(at)
        for block in _blocks(side, segment):
            at += len(block)
            if side.sample:
                side.sample.add(block)
            yield block
    if side.sample:
        side.sample.whole = True


def _blocks(side: Side, segment: Segment) -> Iterator[Block]:
    as_stored = segment.as_stored() if side.as_stored else None
    return segment.blocks() if as_stored is None else as_stored


def _looked_at(side: Side, blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks of a side, of which nobody has seen whether their rows are sound."""
    for block in blocks:
        rows = bytes(block)  # which stay as they are when the next one is read
        if side.as_stored and not side.segments[0].is_sound(rows):
            raise UnsoundError
        yield rows


def _rest(side: Side, stream: Stream, columns: Sequence[str], progress: Progress) -> Batches:
    """What a walk left of a side: the rows without a partner, then what it did not reach."""
    shaper = Shaper(columns, columns, side.canonical)
    for some in _some(zip(stream.odd_at, stream.odd, strict=True)):
        [rows] = _looked_at(side, [b"".join([line for _, line in some])])
        lines = _texts(rows, [len(line) for _, line in some])
        positions = numbers([at for at, _ in some])
        yield batch_of(side, positions, shaper(lines))
    rest = _looked_at(side, stream.rest())
    for batch in copytext.line_batches(rest, stream.position):
        side.rows += len(batch)
        progress(len(batch))
        yield batch_of(side, batch["position"], shaper(batch["line"]))


def stored_lines(
    side: Side,
    columns: Sequence[str],
    progress: Progress,
    blocks: Iterator[Block] | None = None,
) -> Batches:
    """Yield every row of a side.

    Args:
        side: its `rows`, `starts` and `values` are counted on the way.
        columns: of the comparable lines, in order.
        progress: is told of rows that were read.
        blocks: of its only segment, where they are read ahead.
    """
    side.starts, at = [], 0
    side.values = dict.fromkeys(side.counted, 0)
    for segment in side.segments:
        side.starts.append(at)
        shaper = Shaper(segment.columns, columns, side.comparable, side.counted)
        keeper = _keeper(side, segment, columns)
        read = segment.blocks() if blocks is None else blocks
        for batch in copytext.line_batches(read, at):
            side.rows += len(batch)
            progress(len(batch))
            lines = batch["line"]
            if len(lines):
                at = batch["position"][-1].as_py() + len(lines[-1].as_buffer())
            yield _shaped(side, batch["position"], lines, shaper, keeper)
        for column, count in shaper.values.items():
            side.values[column] += count


def key_lines(
    side: Side, key: Sequence[str], but: np.ndarray, wanted: Iterable[pa.Array]
) -> Batches:
    """Read a side once more, and yield the keys of those rows as lines whose key may be wanted.

    Args:
        side: a side that was read before.
        key: the key's columns.
        but: the positions of rows that nobody asks for, ascending.
        wanted: keys as lines, read once.
    """
    held = [keys for keys in wanted if len(keys)]
    until = None
    if side.numbers and side.numbers.are_alone(held, but):
        until = side.numbers.begins  # what comes before is all that is to be looked at
    for segment, start in zip(side.segments, side.starts, strict=False):
        shaper = Shaper(segment.columns, key, side.comparable)
        if not side.comparable.keys().isdisjoint(key):
            # What stands in a line is not what stands in a key.
            for batch in copytext.line_batches(segment.blocks(), start):
                yield batch_of(side, batch["position"], shaper(batch["line"]))
            continue
        places = [segment.columns.index(column) for column in key]
        sieve = Sieve(held, places, len(segment.columns))
        at = start
        for block in _blocks(side, segment):
            if until is not None and at >= until:
                break
            begins, ends = sieve.among(block)
            asked = ~are_among(begins + at, but)
            begins, ends = begins[asked], ends[asked]
            if len(begins):
                lines = _taken(block, begins, ends)
                yield batch_of(side, numbers(begins + at), shaper(lines))
            at += len(block)


def _texts(rows: Block, lengths: Sequence[int]) -> pa.Array:
    """Lines of such lengths that stand one behind the other."""
    ends = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=ends[1:])
    return pa.LargeStringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(rows))


def _taken(block: Block, begins: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Some lines of a block."""
    text = memoryview(block)
    found = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        found.append(strictly(bytes(text[begin:end])))
    return texts(found)


def lines_again(side: Side, columns: Sequence[str], positions: np.ndarray) -> Batches:
    """Read the rows at some positions once more, and yield them as `stored_lines` does.

    Args:
        side: a side that was read before.
        columns: of the comparable lines, in order.
        positions: int64, ascending.
    """
    passed = int(np.searchsorted(positions, side.walked))
    if passed:
        yield from _odd_again(side, columns, positions[:passed])
        positions = positions[passed:]
    if not len(positions):
        return
    ends = [*side.starts, np.iinfo(np.int64).max]
    edges = np.searchsorted(positions, np.array(ends))
    for number, segment in enumerate(side.segments[: len(side.starts)]):
        start = side.starts[number]
        shaper = Shaper(segment.columns, columns, side.comparable)
        keeper = _keeper(side, segment, columns)
        wanted = positions[edges[number] : edges[number + 1]]
        if start:
            wanted = wanted - start
        for some in _some(segment.lines_at(wanted)):
            segment.judge([line for _, line in some])
            lines = texts([line.decode("utf-8") + "\n" for _, line in some])
            places = numbers([at + start for at, _ in some])
            yield _shaped(side, places, lines, shaper, keeper)


def _odd_again(side: Side, columns: Sequence[str], positions: np.ndarray) -> Batches:
    """The rows at some positions, which a walk has passed: they are in memory."""
    places = np.searchsorted(np.array(side.odd_at, dtype=np.int64), positions).tolist()
    segment = side.segments[0]
    shaper = Shaper(segment.columns, columns, side.comparable)
    keeper = _keeper(side, segment, columns)
    for some in _some((side.odd_at[place], side.odd[place]) for place in places):
        segment.judge([line[:-1] for _, line in some])
        rows = b"".join([line for _, line in some])
        lines = _texts(rows, [len(line) for _, line in some])
        yield _shaped(side, numbers([at for at, _ in some]), lines, shaper, keeper)


def _keeper(side: Side, segment: Segment, columns: Sequence[str]) -> Shaper | None:
    """What makes the lines that are kept, or None where they are the ones that are compared."""
    if side.stored == tuple(columns) and not side.casts:
        return None
    return Shaper(segment.columns, side.stored, side.canonical)


def _some(lines: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Yield lines in runs of so many rows, or of so many bytes where these are long."""
    some: list[tuple[int, bytes]] = []
    size = 0
    for at, line in lines:
        some.append((at, line))
        size += len(line)
        if len(some) == _FETCH_ROWS or size > _FETCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _shaped(
    side: Side, positions: pa.Array, lines: pa.Array, shaper: Shaper, keeper: Shaper | None
) -> pa.RecordBatch:
    comparable = shaper(lines)
    if keeper is None:
        return batch_of(side, positions, comparable)
    return batch_of(side, positions, comparable, keeper(lines))


def batch_of(
    side: Side, positions: pa.Array, lines: pa.Array, raw: pa.Array | None = None
) -> pa.RecordBatch:
    """A batch of a side's lines, with marks in place of long values.

    Args:
        raw: the lines that are kept, where they are others.
    """
    lines = without_long(lines, side.mark)
    if raw is None:
        raw = pa.nulls(len(lines), TEXT)
    else:
        raw = without_long(raw, side.mark)
    return pa.record_batch([positions, lines, raw], schema=LINES)
