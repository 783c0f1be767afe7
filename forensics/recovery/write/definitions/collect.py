"""Collects, statement by statement, what makes some tables again."""

from __future__ import annotations

from collections.abc import Sequence

import postgast
from postgast import pg_query_pb2 as pb

from forensics.model import Catalog, Column, TableName
from forensics.recovery.write.definitions.belongings import Belongings
from forensics.recovery.write.definitions.besides import Besides
from forensics.recovery.write.definitions.defaults import drawing_again
from forensics.recovery.write.definitions.dump import Statement, statements
from forensics.recovery.write.definitions.foreign_keys import Lacks
from forensics.recovery.write.definitions.from_catalog import from_catalog
from forensics.recovery.write.definitions.model import Definition, Definitions
from forensics.recovery.write.definitions.needs import Needs, Sides
from forensics.recovery.write.definitions.partitions import above, partitions
from forensics.recovery.write.definitions.survey import Wanted, survey
from forensics.recovery.write.definitions.tables import Tables
from forensics.recovery.write.definitions.types import own_types, types_used
from forensics.recovery.write.sqltext import sql_names


def definitions(
    ddl: Sequence[str],
    backup: Catalog,
    live: Catalog,
    tables: Sequence[TableName],
    columns: Sequence[Column] = (),
    besides: Definitions | None = None,
) -> Definitions:
    """Collect what makes `tables` again, with their partitions, sequences and types.

    Args:
        ddl: the backup's statements, as `store.get("ddl")` has them; empty where the backup is a
            database.
        backup, live: both catalogues.
        tables: root tables that live does not have, and partitions that it does not have of
            tables that it has.
        columns: columns of other tables, whose types are needed too.
        besides: what is made already when these are.
    """
    sides = Sides(backup, live)
    names = _with_partitions(backup, tables)
    if not names and not columns:
        return Definitions(())
    there = own_types(live)
    if besides:
        there |= besides.types
    types = types_used(backup, [*_columns(backup, names), *columns])
    dump = list(statements(ddl))
    needs = survey(dump, sides, Wanted(names, columns, types, there))
    found = _Collector(sides, needs)
    for statement in dump:
        found.add(statement)
    if found.has_no_table and (names or found.is_empty):
        return from_catalog(sides, sorted(tables), types - there)
    return found.result()


def _with_partitions(backup: Catalog, tables: Sequence[TableName]) -> set[TableName]:
    wanted, found = {*tables}, set[TableName]()
    for name in backup.tables:
        if not wanted.isdisjoint(above(backup, name)):
            found.add(name)
    return found


def _columns(backup: Catalog, names: set[TableName]) -> list[Column]:
    found: list[Column] = []
    for name in sorted(names):
        found += backup.tables[name].columns
    return found


class _Collector:
    """Hands each statement to those that may take it, and keeps what they take, in order."""

    def __init__(self, sides: Sides, needs: Needs) -> None:
        self._sides = sides
        self._needs = needs
        self._lacks: Lacks = {}
        parts = partitions(sides.backup, needs.tables)
        self._besides = Besides(sides.backup, needs)
        self._tables = Tables(sides, needs, parts, self._lacks)
        self._belongings = Belongings(needs, self._tables.indexes)
        self._taken: list[Definition] = []
        self._views: list[str] = []

    @property
    def has_no_table(self) -> bool:
        """Whether no statement made one of the tables."""
        return not self._tables.made

    @property
    def is_empty(self) -> bool:
        """Whether no statement was taken at all."""
        return not self._taken

    def add(self, statement: Statement) -> None:
        """Take a statement if it is needed."""
        if statement.kind == "view_stmt":
            self._note_view(statement)
        for taker in (self._besides, self._tables, self._belongings):
            definition = taker.take(statement)
            if definition is not None:
                self._taken.append(definition)

    def _note_view(self, statement: Statement) -> None:
        for relation in postgast.find_nodes(statement.node.query, pb.RangeVar):
            if statement.name(relation) in self._needs.tables:
                self._views.append(str(statement.name(statement.node.view)))
                return

    def result(self) -> Definitions:
        """All that was taken."""
        drawing: list[tuple[TableName, str]] = []
        defaults: list[Definition] = []
        for name, column, sql in drawing_again(self._sides, self._needs):
            drawing.append((name, column))
            defaults.append(Definition(sql, "after"))
        return Definitions(
            statements=(*self._taken, *self._tables.attaching, *defaults),
            made=tuple(self._besides.made),
            sequences=tuple(sorted(sql_names(self._needs.sequences))),
            schemas=self._needs.schemas,
            incoming=tuple(self._tables.foreign_keys.incoming),
            views=tuple(self._views),
            defaults=tuple(drawing),
            unvalidated=frozenset(self._tables.unvalidated),
            lacks=tuple(self._lacks.values()),
            without=frozenset(self._lacks),
        )
