"""A table's rows once more: of the backup some columns, whole or thinned; of the case what differs.

Live is not read. What it holds is what the backup holds, without the kept rows of the backup and
with those of live.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa

from forensics.errors import BackupError, EvidenceError
from forensics.evidence.samples import PIECE, lines_at, sample_of
from forensics.evidence.source import Block, LackingSegment, Segment
from forensics.loss.concentration.axes import Axis
from forensics.loss.workspace import SideName, Workspace
from forensics.model import TableName
from forensics.query.stream import Held, MisfitError, Stream, unheard

_BASE = "concentration_rows"
# Of a sample: at most so much of a block is taken, and it is of at least one block in so many.
_SPREAD, _MOST_APART = 0.25, 4


class UnfitError(Exception):
    """A column holds a value that is none of its type."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


class _Again(Segment):
    """A segment's blocks, or pieces of some, unjudged: the comparison has read all of it.

    Args:
        inner: the segment.
        part: how much of its rows.
        every: of so many blocks one is looked at.
    """

    def __init__(self, inner: Segment, part: float, every: int) -> None:
        super().__init__(inner.table, inner.columns)
        self._inner, self._part, self._every = inner, part * every, every

    def as_stored(self) -> Iterator[Block] | None:
        blocks = self._inner.as_stored()
        if blocks is None:
            return None
        return self._of(blocks)

    def blocks(self) -> Iterator[Block]:
        return self.as_stored() or self._of(self._inner.blocks())

    def _of(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in islice(blocks, 0, None, self._every):
            if self._part < 1:
                yield _thinned(memoryview(block), self._part)
            else:
                yield block


def _thinned(block: memoryview, part: float) -> bytes:
    """Whole lines of a block, about so much of it, from places all over it; one line at least."""
    pieces = []
    start = 0
    while start < len(block):
        piece = lines_at(block, start, start + PIECE)
        pieces.append(piece)
        after = start + len(piece) + int(PIECE * (1 / part - 1))
        start = after + len(lines_at(block, after, after))
    return b"".join(pieces)


@contextmanager
def _read(
    work: Workspace, name: TableName, axes: Sequence[Axis], part: float = 1.0
) -> Iterator[str]:
    """Lend a backup's rows, with columns v0, v1, … as `Axis` has them, for one query.

    Raises:
        EvidenceError: the backup cannot be read to the table's end.
        UnfitError: a value is none of its column's type.
    """

    def segments(wanted: Sequence[str]) -> list[Segment]:
        kept = sample_of(work.backup, name, part) if part < 1 else None
        if kept and set(wanted) <= set(kept.columns):
            return [kept]
        found: list[Segment] = []
        for segment in work.backup.segments(name, list(wanted)):
            if isinstance(segment, LackingSegment):
                found.append(segment)
            else:
                found.append(_Again(segment, part, every))
        return found

    every = 1
    if part < 1:
        every = min(int(_SPREAD / part), _MOST_APART) or 1
    held = [Held(axis.column, axis.kind, tells=True) for axis in axes]
    stream = Stream("base", name, held, segments, unheard)
    stream.wanted = set(range(len(held)))
    values = []
    for number, axis in enumerate(axes):
        values.append(f"{axis.of_value(stream.code(number))} AS v{number}")
    work.db.register(_BASE, stream.capsule())
    try:
        with work.reading:
            yield f"(SELECT {', '.join(values)} FROM {_BASE})"
    except duckdb.Error:
        raise _cause(stream) or BackupError("The backup cannot be read again.") from None
    finally:
        work.db.unregister(_BASE)
    if stream.damage:
        raise BackupError(stream.damage)


def sample(work: Workspace, name: TableName, axes: Sequence[Axis], part: float) -> pa.Table:
    """Return columns v0, v1, … of a backup's table, of each block so much."""
    with _read(work, name, axes, part) as rows:
        return work.db.sql(f"SELECT * FROM {rows}").to_arrow_table()


def ask(
    work: Workspace, name: TableName, axes: Sequence[Axis], select: str
) -> list[tuple[Any, ...]]:
    """Ask all rows of a backup's table something; `{rows}` stands for them."""
    with _read(work, name, axes) as rows:
        return work.ask(select.replace("{rows}", rows))


def ask_table(work: Workspace, table: pa.Table, select: str) -> list[tuple[Any, ...]]:
    """Ask the rows of a sample something; `{rows}` stands for them."""
    work.db.register(_BASE, table.to_reader().__arrow_c_stream__())
    try:
        return work.ask(select.replace("{rows}", _BASE))
    finally:
        work.db.unregister(_BASE)


def _cause(stream: Stream) -> Exception | None:
    """What really went wrong where DuckDB gave up."""
    if isinstance(stream.error, MisfitError):
        number = int(stream.error.column.rpartition("c")[2])
        return UnfitError(stream.columns[number].name)
    if isinstance(stream.error, EvidenceError):
        return stream.error
    return None


def kept(work: Workspace, side: SideName, name: TableName, axes: Sequence[Axis]) -> str | None:
    """The rows of a side that differ: pair, state, v0, v1, …; None where none are kept."""
    relation = work.kept(side, name)
    if relation is None:
        return None
    values = ["pair", "state"]
    for number, axis in enumerate(axes):
        field = work.field(side, name, axis.column)
        values.append(f"{axis.of_text(f'{field}')} AS v{number}")
    return f"(SELECT {', '.join(values)} FROM {relation})"
