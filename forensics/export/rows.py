"""The rows of a table as they stand in a backup: COPY text that nothing has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import arrays, copytext
from forensics.evidence.bytewise import count_lines
from forensics.evidence.source import Block, Segment
from forensics.model import TableName, quote_identifier
from forensics.query.kinds import TEXT
from forensics.query.session import session
from forensics.query.side import Side
from forensics.query.stream import Heard, Held, Stream
from forensics.query.writing import joined

_LINE = "forensics line"

Sink = Callable[[bytes], None]


@dataclass
class Read:
    """What was read of a table.

    Attributes:
        rows: how many of its rows were given.
        damage: why they are not all that there were, in words.
        notes: what else is to be known, in sentences.
    """

    rows: int = 0
    damage: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reading:
    """How rows are read.

    Attributes:
        where: DuckDB's SQL over the columns, which a row has to fulfil; None for all rows.
        memory: what DuckDB may hold.
        heard: is told of rows that were read.
        heirs: whether rows of tables that inherit from it count.
    """

    where: str | None
    memory: str
    heard: Heard
    heirs: bool = False


def columns_of(side: Side, name: TableName, *, heirs: bool = False) -> tuple[str, ...]:
    """Return the columns whose values all rows of a table have, in the table's order."""
    return tuple(column.name for column in side.columns(name, heirs=heirs))


def read_lines(side: Side, name: TableName, how: Reading, again: Callable[[], Sink]) -> Read:
    """Give the rows of a table, a line of COPY text each, with the columns of `columns_of`.

    Args:
        side: the backup.
        name: the table.
        how: how they are read.
        again: gives what takes the lines; a second time where they have to be read from their
            beginning, and what came before does not count.

    Raises:
        QueryError: DuckDB refuses the condition.
        BackupError: the backup holds no rows of it.
    """
    if how.where is None:
        return _all(side, name, how, again())
    return _some(side, name, how, again)


def _all(side: Side, name: TableName, how: Reading, sink: Sink) -> Read:
    stream = side.stream(name, "t0", how.heard, heirs=how.heirs)
    columns = columns_of(side, name, heirs=how.heirs)
    read = Read()
    for segment, block in stream.blocks(range(len(columns))):
        rows = count_lines(block)
        how.heard(name, rows)
        read.rows += rows
        sink(arranged(block, segment.columns, columns))
    if stream.damage:
        read.damage.append(stream.damage)
    return read


def arranged(block: bytes, columns: Sequence[str], wanted: Sequence[str]) -> bytes:
    """Return lines with some of their fields, in another order perhaps; no field is changed."""
    if tuple(columns) == tuple(wanted):
        return block
    if not wanted:
        return b"\n" * count_lines(block)
    places = [columns.index(column) for column in wanted]
    parts = []
    for batch in copytext.line_batches([block]):
        split = copytext.field_columns(batch["line"], len(columns))
        chosen = [split[place] for place in places]
        lines = pc.binary_join_element_wise(*chosen, arrays.text("\t"))
        ended = pc.binary_join_element_wise(lines, arrays.text(""), arrays.text("\n"))
        parts.append(joined(ended))
    return b"".join(parts)


# --- some of them ---------------------------------------------------------------------------------


def _some(side: Side, name: TableName, how: Reading, again: Callable[[], Sink]) -> Read:
    """Give the rows that fulfil a condition: DuckDB chooses, and has their text beside them."""
    lined = _Lined(side, name, how.heirs)
    sides: Mapping[str, Side] = {side.role: lined}
    asked = condition(name, how.where, f"SELECT {quote_identifier(_LINE)}")

    def take(reader: Any) -> int:
        sink = again()
        rows = 0
        for batch in reader:
            rows += len(batch)
            sink(joined(batch.column(0)))
        return rows

    with session(sides, memory=how.memory, heard=how.heard) as asking:
        rows, told = asking.ask(asked, "arrow", take)
    return Read(rows, list(told.damage), list(told.notes))


def condition(name: TableName, where: str | None, selects: str = "SELECT *") -> str:
    """Return the SELECT that a condition is a part of; a table is called by its bare name in it."""
    called = quote_identifier(name.table)
    asked = f"{selects} FROM backup.{name.sql} AS {called}"
    if where is None:
        return asked
    return f"{asked} WHERE (\n{where}\n)"


class _Lined(Side):
    """A side whose rows of one table have their own text as one more column."""

    def __init__(self, side: Side, name: TableName, heirs: bool) -> None:
        super().__init__(side.role, side.source)
        self._lined, self._with_heirs = name, heirs

    def stream(self, name: TableName, label: str, heard: Heard, *, heirs: bool = True) -> Stream:
        if name != self._lined:
            return super().stream(name, label, heard, heirs=heirs)
        made = super().stream(name, label, heard, heirs=self._with_heirs)
        return _LinedStream(made, heard)


class _LinedStream(Stream):
    """Rows with their own text."""

    def __init__(self, of: Stream, heard: Heard) -> None:
        columns = [*of.columns, Held(_LINE, TEXT)]
        super().__init__(of.label, of.name, columns, of.segments, heard)
        self.absent, self.damage = of.absent, of.damage
        self._names = [column.name for column in of.columns]

    @property
    def _line(self) -> int:
        return len(self._names)

    def _blocks(self, numbers: Sequence[int], *, quick: bool = True) -> Iterator[Any]:
        if self._line in numbers:
            numbers, quick = range(self._line), False  # damage anywhere in a line is its damage
        return super()._blocks(numbers, quick=quick)

    def _read(
        self,
        segment: Segment,
        block: bytes,
        numbers: Sequence[int],
        converter: Any,
        read: list[pa.Array] | None,
    ) -> dict[int, pa.Array]:
        others = [number for number in numbers if number != self._line]
        found = super()._read(segment, block, others, converter, read)
        if self._line in numbers:
            found[self._line] = _lines(arranged(block, segment.columns, self._names))
        return found


def _lines(block: Block) -> pa.Array:
    """The lines of a block, each with its line feed."""
    batches = [batch["line"] for batch in copytext.line_batches([block])]
    return pa.chunked_array(batches, pa.large_string()).cast(pa.string()).combine_chunks()
