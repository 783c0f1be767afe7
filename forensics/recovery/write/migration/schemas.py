"""DROP SCHEMA … CASCADE: the schema is parked as a whole, and cut loose from all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.evidence.migrations import Statement
from forensics.model import Table, TableName, quote_identifier
from forensics.recovery.write.definitions import (
    above,
    drawn_from,
    name_of_type,
    own_types,
    types_used,
)
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.schema import Schema
from forensics.recovery.write.migration.sql import (
    drop_constraint,
    drop_default,
    drop_views,
)
from forensics.recovery.write.migration.values import Values
from forensics.recovery.write.sqltext import quoted


class Schemas:
    """Parks schemas."""

    def __init__(self, schema: Schema, archive: Archive, values: Values) -> None:
        self._schema = schema
        self._archive = archive
        self._values = values

    def drop(self, statement: Statement) -> Iterator[str]:
        """Rewrite DROP SCHEMA … CASCADE."""
        for thing in statement.node.objects:
            name = thing.string.sval
            place = self._archive.schema_for_all_of(name)
            yield from self._cut_loose(name)
            new = quote_identifier(place)
            yield f"ALTER SCHEMA {quote_identifier(name)} RENAME TO {new};"
            for table in self._tables_in(name):
                original = self._schema.tables.pop(table)
                there = TableName(place, table.table)
                self._archive.park(original, there, 0, "rows of a dropped schema")

    def _tables_in(self, schema: str) -> list[TableName]:
        return [name for name in self._schema.tables if name.schema == schema]

    def _cut_loose(self, schema: str) -> Iterator[str]:
        """Take from the tables of other schemas what goes with one.

        What refers to it would go on doing so under its new name.
        """
        inside = self._tables_in(schema)
        if inside:
            yield drop_views(inside)
        yield from self._detach(inside)
        going = _Going(self._schema, schema, inside)
        for name, table in sorted(self._schema.tables.items()):
            if name not in inside and table.kind in ("table", "partitioned"):
                yield from self._without(name, table, going)

    def _detach(self, inside: Sequence[TableName]) -> Iterator[str]:
        """Take out the partitions of tables that stay."""
        going = {self._schema.tables[name].name for name in inside}
        for name in sorted(inside):
            table = self._schema.tables[name]
            if table.parent not in going:
                yield from self._schema.detach(name, table)

    def _without(self, name: TableName, table: Table, going: _Going) -> Iterator[str]:
        """Take from a table what goes with the schema: keys, columns, defaults."""
        for key in table.foreign_keys:
            if key.parent in going.parents:
                yield drop_constraint(name, key.name)
        lost = going.columns(table)
        if lost:
            yield from self._values.keep(0, name, table, lost)
            self._schema.without(name, lost)
            drops = ", ".join(f"DROP COLUMN {c} CASCADE" for c in quoted(lost))
            yield f"ALTER TABLE {name.sql} {drops};"
        for column in self._schema.tables[name].columns:
            if any(text in (column.default or "") for text in going.drawn):
                yield drop_default(name, column.name)


class _Going:
    """What goes with a schema.

    Attributes:
        parents: tables that nothing can refer to any more, by their names before.
        drawn: what stands in defaults that draw from its sequences.
    """

    def __init__(self, schema: Schema, name: str, tables: Sequence[TableName]) -> None:
        self._catalog = catalog = schema.catalog
        self._types: set[str] = set()
        for kind in own_types(catalog):
            if name_of_type(kind).schema == name:
                self._types.add(kind)
        self.parents: set[TableName] = set()
        for table in tables:
            self.parents.update(above(catalog, schema.tables[table].name))
        self.drawn: list[str] = []
        for sequence in catalog.sequences:
            if sequence.name.schema == name:
                self.drawn.append(drawn_from(sequence.name))

    def columns(self, table: Table) -> list[str]:
        """The columns of a table whose types go."""
        found: list[str] = []
        for column in table.columns:
            if types_used(self._catalog, [column]) & self._types:
                found.append(column.name)
        return found
