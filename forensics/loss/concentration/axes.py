"""The columns by whose values a table's rows are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from forensics.compare.canonical import Writer, base_type
from forensics.evidence.source import LackingSegment
from forensics.loss.columns import is_audit
from forensics.loss.workspace import SideName, Workspace
from forensics.model import Column, Parent, Table, TableName
from forensics.query.kinds import TEXT, Kind, kind_of

ENDLESS = 2**63 - 1  # of times, in place of infinity
_LONGEST = 100  # characters of a text that people would read
_WHOLE = Kind("BIGINT", pa.int64())
_BROKEN = Kind("DOUBLE", pa.float64())
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
_NUMBERS = {
    "SMALLINT": _WHOLE,
    "INTEGER": _WHOLE,
    "BIGINT": _WHOLE,
    "FLOAT": _BROKEN,
    "DOUBLE": _BROKEN,
}


@dataclass(frozen=True)
class Axis:
    """A column, and how its values are held against each other.

    They are numbers where they have an order, times in microseconds since 1970; else text.

    Attributes:
        column: its name.
        kind: how it is read.
        parent: what it refers to, alone.
        nullable: whether it may be NULL.
        audit: whether it says when a row was made or touched.
    """

    column: str
    kind: Kind
    parent: Parent | None = None
    nullable: bool = True
    audit: bool = False

    @property
    def ordered(self) -> bool:
        """Whether its values have an order that people ask for."""
        return self.is_time or self.kind in (_WHOLE, _BROKEN)

    @property
    def is_time(self) -> bool:
        """Whether its values are days or moments."""
        return self.kind.type in _TIMES

    @property
    def is_day(self) -> bool:
        """Whether its values are days."""
        return self.kind.type == "DATE"

    @property
    def zoned(self) -> bool:
        """Whether its values are moments anywhere."""
        return self.kind.type == "TIMESTAMP WITH TIME ZONE"

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers, or times in whole microseconds."""
        return self.kind != _BROKEN

    def of_text(self, field: str) -> str:
        """SQL of a value, of the text that the case keeps."""
        kind = self.kind
        if kind.is_text:
            return self.of_value(field)
        spelled = kind.text.replace("{v}", field)
        return self.of_value(f"TRY_CAST({spelled} AS {kind.type})")

    def of_value(self, field: str) -> str:
        """SQL of a value, of what a stream of rows has."""
        kind = self.kind
        if self.is_day:
            return _finite(field, f"epoch_us({field}::TIMESTAMP)", f"{field} > DATE '2000-01-01'")
        if self.is_time:
            return _finite(field, f"epoch_us({field})", f"{field} > '2000-01-01'::{kind.type}")
        if kind == _BROKEN:
            return f"CASE WHEN isnan({field}) THEN 'infinity'::DOUBLE ELSE {field} END"
        if kind.type == "BOOLEAN":
            return f"{field}::VARCHAR"
        if kind.is_text:
            return f"CASE WHEN length({field}) > {_LONGEST} THEN '…' ELSE {field} END"
        return field


def _finite(field: str, number: str, late: str) -> str:
    """SQL of a time's number; of one without an end it is the largest, or the smallest."""
    return (
        f"CASE WHEN isfinite({field}) THEN {number}"
        f" WHEN {late} THEN {ENDLESS}::BIGINT WHEN {field} IS NOT NULL THEN -{ENDLESS}::BIGINT END"
    )


def axes(work: Workspace, name: TableName, writer: Writer) -> list[Axis]:
    """The columns of a table that both the case and the backup hold values of.

    Args:
        writer: of the backup's text; it is slow to make of thousands of tables.
    """
    table = work.backup.catalog.tables[name]
    parents = _parents(work, table)
    found = []
    for column in _everywhere(work, table):
        kind = _kind(column, writer)
        if kind is None:
            continue
        found.append(
            Axis(
                column.name,
                kind,
                parents.get(column.name),
                column.nullable,
                is_audit(column),
            )
        )
    return found


def shared(work: Workspace, name: TableName, side: SideName, found: Sequence[Axis]) -> list[Axis]:
    """Those of some columns whose values the case keeps of a side, under the type they have."""
    if side == "backup":
        return [axis for axis in found if work.field(side, name, axis.column)]
    ours, theirs = work.table("backup", name), work.table("live", name)
    if ours is None or theirs is None:
        return []
    same = []
    for axis in found:
        was, now = ours.column(axis.column), theirs.column(axis.column)
        if was and now and was.type == now.type and work.field(side, name, axis.column):
            same.append(axis)
    return same


def _everywhere(work: Workspace, table: Table) -> list[Column]:
    """The columns that every run of a table's rows has."""
    kept = work.store.columns(table.name, "backup")
    segments = work.backup.segments(table.name, [c.name for c in table.columns if not c.generated])
    found = []
    for column in table.columns:
        if column.generated or column.name not in kept:
            continue
        runs = [s for s in segments if not isinstance(s, LackingSegment)]
        if all(column.name in run.columns for run in runs):
            found.append(column)
    return found


def _kind(column: Column, writer: Writer) -> Kind | None:
    """How a column is read, or None where its values are none that slices are made of."""
    kind = kind_of(column.type, writer)
    if kind.element is not None:
        return None
    if base_type(writer.without_domains(column.type)) == "numeric":
        return _BROKEN
    if kind.type in _NUMBERS:
        return _NUMBERS[kind.type]
    if kind.type in _TIMES or kind.type == "BOOLEAN":
        return kind
    if kind.type == "UUID":
        return replace(TEXT, native=True)
    if kind.is_text and writer.canonical(column.type) is None:
        return TEXT
    return None


def _parents(work: Workspace, table: Table) -> dict[str, Parent]:
    """By column, what it refers to alone."""
    found: dict[str, Parent] = {}
    for parent in work.undeclared.get(table.name, ()):
        if len(parent.columns) == 1 and parent.when is None:
            found[parent.columns[0]] = parent
    for key in table.foreign_keys:
        if len(key.columns) == 1:
            found[key.columns[0]] = Parent(key.parent, key.columns, key.parent_columns)
    return found
