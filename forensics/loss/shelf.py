"""Small tables, read once: what is wanted of one is cut out of its COPY text.

The loss asks small tables for these columns and for those, and each time costs a question to live
and a plan of DuckDB's, which is more than their rows are. So all of a small table is read at its
first turn, and its columns go to DuckDB as Arrow has them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

from forensics.errors import BackupError, EvidenceError, is_lost
from forensics.evidence.source import Source
from forensics.loss.once import Once
from forensics.loss.sql import numbered
from forensics.model import TableName, TableResult
from forensics.query.fields import read_as_text, values

SideName = Literal["backup", "live"]

_FEW_ROWS = 50_000
_FEW_BYTES = 8 << 20  # of one table
_FEW_FAR = 256 << 10  # of one that comes over a wire, where a question costs more than that
_MOST_BYTES = 64 << 20  # of all


@dataclass(frozen=True)
class _Piece:
    """Rows of a table as COPY wrote them, in these columns; some of them are cut already."""

    columns: Sequence[str]
    text: bytes
    ready: dict[str, pa.Array] = field(default_factory=dict)


@dataclass
class Shelf:
    """The small tables of both sides, as they come to be wanted.

    Attributes:
        sides: both, open.
        results: what was found of each table, by the backup's name or live's.
        progress: is told of rows that were read.
        reading: is held while a side is read.
    """

    sides: Mapping[SideName, Source]
    results: Mapping[TableName, TableResult]
    progress: Callable[[TableName, int], None]
    reading: AbstractContextManager[object] = field(default_factory=threading.Lock)
    _held: Once[tuple[SideName, TableName], list[_Piece] | None] = field(default_factory=Once)
    _bytes: int = 0

    def rows(self, side: SideName, name: TableName, columns: Sequence[str]) -> pa.Table | None:
        """Return columns of a table (c0, c1, …) as text, or None where it is none for here."""
        if not columns or len(set(columns)) < len(columns):
            return None
        pieces = self._pieces(side, name)
        if pieces is None:
            return None
        schema = pa.schema([(field, pa.string()) for field in numbered("c", len(columns))])
        batches = []
        for piece in pieces:
            cut = _cut(piece, columns)
            if cut is None:
                return None
            batches.append(pa.record_batch(cut, schema=schema))
        return pa.Table.from_batches(batches, schema)

    def has(self, side: SideName, name: TableName) -> bool:
        """Whether a table is small, and has been read whole."""
        return self._pieces(side, name) is not None

    def _pieces(self, side: SideName, name: TableName) -> list[_Piece] | None:
        return self._held.answer((side, name), lambda: self._read(side, name))

    def _read(self, side: SideName, name: TableName) -> list[_Piece] | None:
        """All of a table, or None where it is not small or cannot be read whole."""
        result, table = self.results.get(name), self.sides[side].catalog.tables.get(name)
        if result is None or table is None:
            return None
        rows = result.live_rows if side == "live" else result.backup_rows
        if rows is None or rows > _FEW_ROWS or self._bytes > _MOST_BYTES or result.wire == "low":
            return None
        stored = [column.name for column in table.columns if not column.generated]
        try:
            with self.reading:
                pieces = self._taken(side, name, stored)
                if pieces is not None:
                    self.progress(name, rows)
                return pieces
        except EvidenceError as error:
            if is_lost(error):
                raise
            return None  # some of its columns may be read all the same

    def _taken(self, side: SideName, name: TableName, stored: Sequence[str]) -> list[_Piece] | None:
        pieces = []
        size = 0
        most = _FEW_BYTES if getattr(self.sides[side], "is_beside", True) else _FEW_FAR
        for segment in self.sides[side].segments(name, stored):
            text = bytearray()
            for block in segment.blocks():
                text += block
                if size + len(text) > most:
                    return None
            size += len(text)
            if text:
                pieces.append(_Piece(segment.columns, bytes(text)))
        self._bytes += size
        return pieces


def _cut(piece: _Piece, columns: Sequence[str]) -> list[pa.Array] | None:
    """Some columns of a piece, or None where it has not all of them in each of its rows."""
    if not set(columns) <= set(piece.columns):
        return None
    wanted = [column for column in columns if column not in piece.ready]
    places = [piece.columns.index(column) for column in wanted]
    try:
        fields = read_as_text(piece.text, len(piece.columns), places) if wanted else []
    except BackupError:
        return None
    for column, found in zip(wanted, fields, strict=True):
        piece.ready[column] = values(found)
    return [piece.ready[column] for column in columns]
