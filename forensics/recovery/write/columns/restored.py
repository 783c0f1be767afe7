"""Which values of dropped columns return, and the backup that they are read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare.options import matching
from forensics.errors import RecoveryError
from forensics.evidence import Source, copytext, open_source
from forensics.loss.reused import used_again
from forensics.model import (
    Catalog,
    Column,
    ColumnChange,
    Table,
    TableName,
    quote_identifier,
)
from forensics.recovery.choose.selection import Scope
from forensics.recovery.relations import rows_of
from forensics.store import Store


@dataclass(frozen=True)
class Restored:
    """Columns of one table whose values return.

    Attributes:
        key: what tells its rows apart on both sides.
        columns: the dropped columns, as the backup defines them.
        values: how many values of them are missing.
        source: the backup, open.
        stored: the columns that the backup stores of the table.
        rows: the table as a FROM item, without the tables that inherit from it.
    """

    name: TableName
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    values: int
    source: Source
    stored: tuple[str, ...]
    rows: str

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def lines(self) -> Iterator[str]:
        """Yield key and values as COPY text, of every row that has one of the values.

        A run of lines at a time.
        """
        wanted = [*self.key, *self.names]
        for segment in self.source.segments(self.name, self.stored):
            places = list(map(segment.columns.index, wanted))
            for batch in copytext.line_batches(segment.blocks()):
                fields = copytext.field_columns(batch["line"], len(segment.columns))
                picked = [fields[place] for place in places]
                table = pa.table({str(n): column for n, column in enumerate(picked)})
                yield _joined(table.filter(_any_value(picked[len(self.key) :])))


def _any_value(fields: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Which rows have a value in one of some columns."""
    kept = pc.not_equal(fields[0], copytext.NULL)
    for more in fields[1:]:
        kept = pc.or_(kept, pc.not_equal(more, copytext.NULL))
    return kept


def _joined(table: pa.Table) -> str:
    """Rows as lines of COPY text."""
    tab = pa.scalar("\t", table.column(0).type)
    lines = pc.binary_join_element_wise(*table.columns, tab)
    return "".join(f"{line}\n" for line in lines.to_pylist())


def restored_columns(
    store: Store, scope: Scope, source: Source
) -> tuple[tuple[Restored, ...], tuple[str, ...]]:
    """Find the columns whose values can return; say of the others why they cannot.

    Args:
        source: the backup, open.
    """
    backup, live = store.catalogs()
    results = {result.name: result for result in store.results()}
    columns: dict[TableName, list[Column]] = {}
    values: dict[TableName, int] = {}
    notes: list[str] = []
    for change, column in dropped_columns(store, scope):
        if change.values_missing:
            why = why_not(store, change, column)
            if why:
                place = f"{change.name}.{column.name}"
                notes.append(f"The values of {place} cannot return: {why}.")
                continue
            columns.setdefault(change.name, []).append(column)
            values[change.name] = values.get(change.name, 0) + change.values_missing
    found: list[Restored] = []
    for name in sorted(columns, key=lambda n: (_depth(live, n), n)):
        found.append(
            Restored(
                name=name,
                key=results[name].key,
                columns=tuple(columns[name]),
                values=values[name],
                source=source,
                stored=tuple(c.name for c in backup.tables[name].columns if not c.generated),
                rows=rows_of(live.tables[name]),
            )
        )
        notes += _without(backup.tables[name], columns[name])
    return tuple(found), tuple(notes)


def why_not(store: Store, change: ColumnChange, column: Column) -> str:
    """Say why the values of a dropped column cannot return; "" where they can."""
    used = used_again(store)
    name = change.name
    if name in used:
        return f"the keys of {name} were used again, and other rows stand under them"
    for foreign in store.catalogs()[0].tables[name].foreign_keys:
        if column.name in foreign.columns and foreign.parent in used:
            return f"the keys of {foreign.parent}, which they name, were used again"
    for result in store.results():
        if result.name == name and not result.key:
            return "the table has no key by which to find their rows"
    return ""


def generated_columns(store: Store, scope: Scope) -> Iterator[str]:
    """Say of dropped generated columns how to have them again.

    No value of theirs is lost, and none of ours brings them back.
    """
    for change, column in dropped_columns(store, scope):
        if column.generated:
            added = f"{quote_identifier(column.name)} {column.type}"
            yield (
                f"Column {change.name}.{column.name} was worked out from others, "
                "and is not made again. By hand, once these are there: "
                f"ALTER TABLE {change.name.sql} ADD COLUMN {added} "
                f"GENERATED ALWAYS AS ({column.generated}) STORED;"
            )


def dropped_columns(store: Store, scope: Scope) -> Iterator[tuple[ColumnChange, Column]]:
    """Yield the dropped columns of the tables that are asked for, as the backup has them."""
    backup, _ = store.catalogs()
    for change in store.changes():
        table = backup.tables.get(change.name)
        column = table.column(change.column) if table else None
        if column is None or change.change != "dropped":
            continue
        if not scope.tables or matching(change.name, (), scope.tables):
            yield change, column


def _depth(catalog: Catalog, name: TableName) -> int:
    """How many tables a table inherits from, one above the other.

    A column that returns to the topmost returns to those below.
    """
    table = catalog.tables.get(name)
    if table is None:
        return 0
    return 1 + max((_depth(catalog, parent) for parent in table.inherits), default=-1)


def _without(table: Table, columns: Sequence[Column]) -> Iterator[str]:
    """What stood on columns and does not return with their values."""
    for column in columns:
        lacks: list[str] = []
        if not column.nullable:
            lacks.append("NOT NULL")
        for key in table.keys:
            if column.name in key.columns:
                lacks.append(f"key {key.name}")
        for foreign in table.foreign_keys:
            if column.name in foreign.columns:
                lacks.append(f"foreign key {foreign.name}")
        if lacks:
            yield (
                f"The values of {table.name}.{column.name} return without {', '.join(lacks)}: "
                "rows written since have none."
            )


def open_backup(store: Store, given: str | Path | None) -> Source:
    """Open the backup of a case again, and make sure that it is the same.

    Raises:
        RecoveryError: it is not there, or it is another.
        BackupError: it cannot be read.
    """
    then = store.evidence()[0]
    path = given if given is not None else then.path
    if path is None or (given is None and not Path(path).exists()):
        raise RecoveryError(
            f"The backup, {path or 'a database'}, is not at hand.",
            "Name it with --backup.",
        )
    # What the comparison let through is not asked about again.
    source = open_source(path, role="backup", max_row=None)
    if then.sha256 and source.provenance.sha256 != then.sha256:
        source.close()
        raise RecoveryError(
            f"{path} is not the backup that was compared: its sha256 differs.",
            "Name the same file with --backup.",
        )
    # Of what it does not tell itself, live told the comparison: the order of an heir's values.
    source.adopt(store.catalogs()[1])
    return source
