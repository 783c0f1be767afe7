"""What a statement's names mean, and what is known of the schema before it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from forensics.evidence import ddl
from forensics.evidence.migrations import is_history
from forensics.model import Catalog, ForeignKey, Table, TableName
from forensics.statements.tree import words


def resolve(
    schema: str, table: str, path: Sequence[str], tables: Container[TableName]
) -> TableName:
    """The table that a name means.

    Of its own schema, else of the first on the path that has one, else the path's first.
    """
    if schema:
        return TableName(schema, table)
    for one in path:
        if TableName(one, table) in tables:
            return TableName(one, table)
    return TableName(path[0], table)


@runtime_checkable
class Family(Protocol):
    """Tables that know at once which of them inherit from one."""

    def children(self, name: TableName) -> list[TableName]:
        """Those that inherit from a table itself, in the order of their names."""
        ...


def heirs(name: TableName, tables: Mapping[TableName, Table]) -> list[TableName]:
    """Tables that inherit from one, and from those; partitions are not meant."""
    if isinstance(tables, Family):
        found = tables.children(name)
    else:
        found = sorted(own for own, table in tables.items() if name in table.inherits)
    for own in tuple(found):
        found += heirs(own, tables)
    return list(dict.fromkeys(found))


class Scope:
    """Where a statement's names lead, and the tables that they lead to.

    Args:
        catalog: the schema before the statement, as far as it is known.
        path: the schemas in which names without one are looked for; new objects go to the first.
    """

    def __init__(self, catalog: Catalog, path: Sequence[str]) -> None:
        self.catalog = catalog
        self.path = tuple(path)

    def table(self, relation: Any) -> TableName:
        """The table that a RangeVar means."""
        return self._resolved(relation.schemaname, relation.relname)

    def listed(self, item: Any) -> TableName:
        """The table that a list of words means, as DROP has it."""
        schema, name = _split(words(item.list.items))
        return self._resolved(schema, name)

    def _resolved(self, schema: str, name: str) -> TableName:
        return resolve(schema, name, self.path, self.catalog.tables)

    def heirs(self, name: TableName) -> list[TableName]:
        """Tables that inherit from one (partitions are not meant), and from those."""
        return heirs(name, self.catalog.tables)

    def tables_in(self, schema: str) -> list[TableName]:
        """The tables of a schema, without partitions."""
        return [t.name for t in self.catalog.roots if t.name.schema == schema]

    def referencing(self, names: Sequence[TableName]) -> list[TableName]:
        """Tables that refer to any of `names`, to those that do, and so on."""
        found: list[TableName] = []
        waiting = list(names)
        while waiting:
            parent = waiting.pop(0)
            for table in self.catalog.tables.values():
                if table.name in found or table.name in names:
                    continue
                if any(key.parent == parent for key in table.foreign_keys):
                    found.append(table.name)
                    waiting.append(table.name)
        return found

    def column_type(self, name: TableName | None, column: str) -> str | None:
        """The type of a column, where it is known."""
        table = self._known(name)
        if table is None:
            return None
        found = table.column(column)
        return found.type if found else None

    def foreign_keys(self, name: TableName | None) -> tuple[ForeignKey, ...]:
        """The foreign keys of a table, as far as they are known."""
        table = self._known(name)
        return table.foreign_keys if table else ()

    def foreign_key(self, name: TableName | None, constraint: str) -> ForeignKey | None:
        """The foreign key of that name, where it is known to be one."""
        for key in self.foreign_keys(name):
            if key.name == constraint:
                return key
        return None

    def is_history(self, name: TableName | None) -> bool:
        """Whether a table is known to be a migration tool's own."""
        table = self._known(name)
        return table is not None and is_history(table)

    def _known(self, name: TableName | None) -> Table | None:
        return self.catalog.tables.get(name) if name else None

    def columns_of_type(self, type_name: Any) -> Iterator[tuple[TableName, str]]:
        """Columns whose type is a TypeName, or an array of it."""
        spelled = {ddl.format_type(type_name), self._spelled(type_name.names)}
        for table in self.catalog.roots:
            for column in table.columns:
                if column.type.removesuffix("[]") in spelled:
                    yield table.name, column.name

    def columns_of_domain(self, names: Any) -> Iterator[tuple[TableName, str]]:
        """Columns whose type is the domain that a list of words names."""
        spelled = self._spelled(names)
        for table in self.catalog.roots:
            for column in table.columns:
                if column.type == spelled:
                    yield table.name, column.name

    def _spelled(self, names: Any) -> str:
        """A type's name, as the catalogue spells types: with its schema."""
        schema, name = _split(words(names))
        schema = schema or self.path[0]
        table = TableName(schema, name)
        return f"public.{table}" if schema == "public" else str(table)


def _split(path: Sequence[str]) -> tuple[str, str]:
    """A name's schema ("" where it says none) and its last word."""
    schema = path[-2] if len(path) > 1 else ""
    return schema, path[-1]
