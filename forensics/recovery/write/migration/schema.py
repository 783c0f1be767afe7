"""The schema before a migration, and what its tables and types are called by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from forensics.model import Catalog, Column, Key, Table, TableName
from forensics.recovery.relations import rows_of
from forensics.recovery.write.definitions import own_types, type_text


class Schema:
    """The tables and types of a schema while a migration goes on.

    Attributes:
        catalog: the schema before.
        home: the schema that names without one lead to.
        tables: the tables, by the names that they have by now; each tells the name it had.
        types: by the name that each has by now, the one it had.
        called: by table of the schema before, the new names of its renamed columns.
        apart: partitions that stand by themselves by now, each with the table at the top; by the
            names of the schema before.
    """

    def __init__(self, catalog: Catalog, home: str) -> None:
        self.catalog = catalog
        self.home = home
        self.tables: dict[TableName, Table] = {}
        for table in catalog.tables.values():
            self.tables[table.name] = table
        self.types = {name: name for name in own_types(catalog)}
        self.called: dict[TableName, dict[str, str]] = {}
        self.apart: dict[TableName, TableName] = {}

    def name(self, relation: Any) -> TableName:
        """The name of a relation in a statement."""
        return TableName(relation.schemaname or self.home, relation.relname)

    def named(self, words: Sequence[Any]) -> TableName:
        """A name that a statement gives word by word."""
        name = words[-1].string.sval
        if len(words) > 1:
            return TableName(words[-2].string.sval, name)
        return TableName(self.home, name)

    def from_item(self, name: TableName) -> str:
        """A table as a FROM item, by the name that it has by now."""
        return from_item(self.tables[name], name)

    def heirs(self, name: TableName) -> list[TableName]:
        """The tables that inherit from one of the schema before.

        What it loses they lose too.
        """
        children = [n for n, t in sorted(self.tables.items()) if name in t.inherits]
        found = [*children]
        for child in children:
            found += self.heirs(self.tables[child].name)
        return found

    def below(self, table: Table) -> Iterator[TableName]:
        """The partitions of a table, and theirs."""
        for name, part in self.tables.items():
            if part.parent == table.name:
                yield name
                yield from self.below(part)

    def detach(self, name: TableName, table: Table) -> Iterator[str]:
        """Take a partition out of the table that it belongs to, where it still does.

        That table would keep its rows.
        """
        for parent, other in self.tables.items():
            if other.name == table.parent:
                self.stands_apart(table, table)
                yield f"ALTER TABLE {parent.sql} DETACH PARTITION {name.sql};"
                return

    def stands_apart(self, part: Table, whole: Table) -> None:
        """Note that a partition stands by itself by now.

        Args:
            whole: a table that it was of, or itself.
        """
        self.apart[part.name] = self.catalog.root(whole.name)

    def without(self, name: TableName, columns: Iterable[str]) -> None:
        """Note that a table has some columns no more."""
        gone = {*columns}
        table = self.tables[name]
        left = tuple(c for c in table.columns if c.name not in gone)
        self.tables[name] = replace(table, columns=left)

    def rename_type(self, name: TableName, new: str) -> None:
        """Note that a type has another name, if it is one of the schema's."""
        first = self.types.pop(type_text(name), None)
        if first is not None:
            self.types[type_text(TableName(name.schema, new))] = first

    def rename_table(self, name: TableName, new: str) -> None:
        """Note that a table has another name, if it is one of the schema's."""
        table = self.tables.pop(name, None)
        if table is not None:
            self.tables[TableName(name.schema, new)] = table

    def rename_column(self, name: TableName, old: str, new: str) -> None:
        """Note that a column has another name, if its table is one of the schema's."""
        table = self.tables.get(name)
        if table is None:
            return
        columns: list[Column] = []
        for column in table.columns:
            if column.name == old:
                column = replace(column, name=new)
            columns.append(column)
        keys: list[Key] = []
        for key in table.keys:
            names = tuple(new if c == old else c for c in key.columns)
            keys.append(replace(key, columns=names))
        self.tables[name] = replace(table, columns=tuple(columns), keys=tuple(keys))
        first = self.first_name(table, old)
        called = self.called.setdefault(table.name, {})
        called.pop(first, None)  # the latest stands last
        called[first] = new

    def first_names(self, table: Table, columns: Iterable[str]) -> list[str]:
        """What columns of a table were called in the schema before."""
        return [self.first_name(table, column) for column in columns]

    def first_name(self, table: Table, column: str) -> str:
        """What a column of a table was called in the schema before."""
        called = self.called.get(table.name, {})
        for first, now in reversed(called.items()):
            if now == column:
                return first
        return column


def columns_of(tables: Iterable[Table]) -> Iterator[Column]:
    """The columns of several tables."""
    for table in tables:
        yield from table.columns


def column_names(table: Table) -> tuple[str, ...]:
    """The names of a table's columns."""
    return tuple(column.name for column in table.columns)


def from_item(table: Table, name: TableName) -> str:
    """A table as a FROM item under another name; without those that inherit from it."""
    return rows_of(replace(table, name=name))
