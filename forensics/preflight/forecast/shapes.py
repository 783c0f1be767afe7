"""A table's definition after a change: new definitions of old ones, nothing else."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any, TypeVar

from forensics.model import Column, ForeignKey, Key, Table, TableName

_Name = TypeVar("_Name", str, TableName)


def with_column(table: Table, column: Column) -> Table:
    """The table with one more column, the last."""
    return replace(table, columns=(*table.columns, column))


def with_key(table: Table, key: Key) -> Table:
    """The table with one more key."""
    return replace(table, keys=(*table.keys, key))


def with_foreign_key(table: Table, key: ForeignKey) -> Table:
    """The table with one more foreign key."""
    return replace(table, foreign_keys=(*table.foreign_keys, key))


def with_type(table: Table, column: str, kind: str) -> Table:
    """The table after one of its columns took another type."""
    return replace(table, columns=_changed(table, column, type=kind))


def with_nullable(table: Table, column: str, nullable: bool) -> Table:
    """The table after one of its columns began, or ceased, to take NULL."""
    return replace(table, columns=_changed(table, column, nullable=nullable))


def _changed(table: Table, old: str, /, **values: Any) -> tuple[Column, ...]:
    """A table's columns, the one called `old` with other values."""
    columns = []
    for column in table.columns:
        if column.name == old:
            column = replace(column, **values)
        columns.append(column)
    return tuple(columns)


def without_column(table: Table, column: str) -> Table:
    """The table without a column, and without the keys that stood on it."""
    columns = tuple(c for c in table.columns if c.name != column)
    keys = tuple(k for k in table.keys if column not in k.columns)
    references = tuple(f for f in table.foreign_keys if column not in f.columns)
    return replace(table, columns=columns, keys=keys, foreign_keys=references)


def without_constraint(table: Table, name: str) -> Table:
    """The table without the key or foreign key of a name."""
    keys = tuple(k for k in table.keys if k.name != name)
    references = tuple(f for f in table.foreign_keys if f.name != name)
    return replace(table, keys=keys, foreign_keys=references)


def with_enforced(table: Table, name: str, enforced: bool) -> Table:
    """The table after its foreign key of a name began, or ceased, to be enforced."""
    references = []
    for key in table.foreign_keys:
        if key.name == name:
            key = replace(key, enforced=enforced)
        references.append(key)
    return replace(table, foreign_keys=tuple(references))


def without_parents(table: Table, parents: Container[TableName]) -> Table:
    """The table without its references to some tables."""
    references = tuple(f for f in table.foreign_keys if f.parent not in parents)
    return replace(table, foreign_keys=references)


def with_parent_moved(table: Table, old: TableName, new: TableName) -> Table:
    """A table after one that it refers to, or inherits from, took another name."""
    references = []
    for key in table.foreign_keys:
        if key.parent == old:
            key = replace(key, parent=new)
        references.append(key)
    inherits = _renamed(table.inherits, old, new)
    return replace(table, foreign_keys=tuple(references), inherits=inherits)


def with_column_renamed(table: Table, old: str, new: str) -> Table:
    """A table after one of its columns was renamed: its keys go by the new name too."""
    keys = []
    for key in table.keys:
        keys.append(replace(key, columns=_renamed(key.columns, old, new)))
    references = []
    for reference in table.foreign_keys:
        own = _renamed(reference.columns, old, new)
        emptied = _renamed(reference.empties, old, new)
        references.append(replace(reference, columns=own, empties=emptied))
    return replace(
        table,
        columns=_changed(table, old, name=new),
        keys=tuple(keys),
        foreign_keys=tuple(references),
    )


def with_parent_column_renamed(table: Table, parent: TableName, old: str, new: str) -> Table:
    """A table after a column of a parent was renamed."""
    references = []
    for key in table.foreign_keys:
        if key.parent == parent:
            theirs = _renamed(key.parent_columns, old, new)
            key = replace(key, parent_columns=theirs)
        references.append(key)
    return replace(table, foreign_keys=tuple(references))


def _renamed(names: tuple[_Name, ...], old: _Name, new: _Name) -> tuple[_Name, ...]:
    return tuple(new if name == old else name for name in names)
