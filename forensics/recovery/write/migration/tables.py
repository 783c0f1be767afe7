"""DROP TABLE: the table is parked instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import Table, TableName, quote_identifier
from forensics.recovery.write.definitions import above
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.schema import Schema
from forensics.recovery.write.migration.sql import (
    as_written,
    drop_constraint,
    drop_views,
)
from forensics.recovery.write.sqltext import comment


class Tables:
    """Parks tables."""

    def __init__(self, schema: Schema, archive: Archive) -> None:
        self._schema = schema
        self._archive = archive

    def drop(self, statement: Statement) -> Iterator[str]:
        """Rewrite DROP TABLE.

        It may be about tables that are not there, or that the migration made.
        """
        names = [self._schema.named(o.list.items) for o in statement.node.objects]
        if any(name in self._schema.tables for name in names):
            cascading = statement.node.behavior == pb.DROP_CASCADE
            yield from self._park(statement, names, cascading)
        else:
            yield as_written(statement)

    def _park(
        self, statement: Statement, names: Sequence[TableName], cascading: bool
    ) -> Iterator[str]:
        yield f"-- Parked instead of: {comment(statement.text)}"
        if cascading:
            yield drop_views(self._with_partitions(names))
        for name in self._with_heirs(names):
            table = self._schema.tables.pop(name, None)
            if table is None:
                yield f"DROP TABLE IF EXISTS {name.sql};"
            else:
                yield from self._park_one(statement.line, name, table, cascading)

    def _with_partitions(self, names: Sequence[TableName]) -> set[TableName]:
        found = {name for name in names if name in self._schema.tables}
        roots = {*found}
        for name in self._schema.catalog.tables:
            if self._schema.catalog.root(name) in roots:
                found.add(name)
        return found

    def _with_heirs(self, names: Sequence[TableName]) -> list[TableName]:
        """Tables, and those that inherit from them: they go too, or the statement fails."""
        found = [*names]
        for name in found:  # which grows
            table = self._schema.tables.get(name)
            if table is None:
                continue
            for heir, other in sorted(self._schema.tables.items()):
                if table.name in other.inherits and heir not in found:
                    found.append(heir)
        return found

    def _park_one(self, line: int, name: TableName, table: Table, cascading: bool) -> Iterator[str]:
        catalog = self._schema.catalog
        whole = [*above(catalog, table.name)]
        yield from self._let_go_of(table, whole if cascading else [])
        yield from self._schema.detach(name, table)
        for each in whole:
            for key in catalog.tables[each].foreign_keys:
                yield drop_constraint(name, key.name)
        place = self._archive.place_for(name)
        schema = quote_identifier(place.schema)
        for part in [name, *sorted(self._schema.below(table))]:
            yield f"ALTER TABLE {part.sql} SET SCHEMA {schema};"
        self._archive.park(table, place, line, "rows of a dropped table")

    def _let_go_of(self, table: Table, whole: Sequence[TableName]) -> Iterator[str]:
        """Drop what refers to a table.

        Args:
            whole: the tables above it, to which CASCADE lets nothing refer either.
        """
        parents = {table.name, *whole}
        for other in self._schema.tables.values():
            for key in other.foreign_keys:
                if key.parent in parents:
                    yield drop_constraint(other.name, key.name)
