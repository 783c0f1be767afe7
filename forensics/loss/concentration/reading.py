"""A table's rows once more: of the backup some columns, whole or thinned; of the case what differs.

Live is not read. What it holds is what the backup holds, without the kept rows of the backup and
with those of live.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from forensics.errors import BackupError, EvidenceError
from forensics.evidence.source import Block, LackingSegment, Segment
from forensics.loss.concentration.axes import Axis
from forensics.loss.workspace import SideName, Workspace
from forensics.model import TableName
from forensics.query.stream import Held, MisfitError, Stream, unheard

_BASE = "concentration_rows"


class UnfitError(Exception):
    """A column holds a value that is none of its type."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


class _Thinned(Segment):
    """Of each block of a segment the first lines, unjudged: the comparison has read them all."""

    def __init__(self, inner: Segment, part: float) -> None:
        super().__init__(inner.table, inner.columns)
        self._inner, self._part = inner, part

    def blocks(self) -> Iterator[Block]:
        blocks = self._inner.as_stored()
        if blocks is None:
            blocks = self._inner.blocks()
        for block in blocks:
            if self._part >= 1:
                yield block
                continue
            data = memoryview(block)
            first = bytes(data[: max(int(len(data) * self._part), 1)])
            end = first.rfind(b"\n") + 1
            yield first[:end] if end else _first_line(data)


def _first_line(data: memoryview) -> bytes:
    whole = bytes(data)
    return whole[: whole.index(b"\n") + 1]


def scan(
    work: Workspace, name: TableName, axes: Sequence[Axis], select: str, part: float = 1.0
) -> str:
    """Go through a backup's table, and return a working table of what a query makes of it.

    Args:
        work: the run's workspace.
        name: the table.
        axes: the columns that are read.
        select: the query; `{rows}` stands for the rows, with columns v0, v1, … as `Axis` has them.
        part: of each block so much.

    Raises:
        EvidenceError: the backup cannot be read to the table's end.
        UnfitError: a value is none of its column's type.
    """
    held = [Held(axis.column, axis.kind) for axis in axes]

    def segments(wanted: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for segment in work.backup.segments(name, list(wanted)):
            if isinstance(segment, LackingSegment):
                found.append(segment)
            else:
                found.append(_Thinned(segment, part))
        return found

    stream = Stream("base", name, held, segments, unheard)
    stream.wanted = set(range(len(held)))
    values = []
    for number, axis in enumerate(axes):
        values.append(f"{axis.of_value(stream.code(number))} AS v{number}")
    rows = f"(SELECT {', '.join(values)} FROM {_BASE})"
    work.db.register(_BASE, stream.capsule())
    try:
        found = work.temp(select.replace("{rows}", rows))
    except duckdb.Error:
        raise _cause(stream) or BackupError("The backup cannot be read again.") from None
    finally:
        work.db.unregister(_BASE)
    if stream.damage:
        raise BackupError(stream.damage)
    return found


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
