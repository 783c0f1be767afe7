"""Tables from the backup's catalogue, where no statements of the backup are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.cause.definitions import add_foreign_key
from forensics.model import (
    Catalog,
    Column,
    Key,
    Table,
    TableName,
    quote_identifier,
)
from forensics.recovery.write.definitions.besides import type_kind
from forensics.recovery.write.definitions.foreign_keys import (
    undeclarable,
)
from forensics.recovery.write.definitions.model import Definition, Definitions
from forensics.recovery.write.definitions.needs import (
    Sides,
    schemas_needed,
    sequences_needed,
)
from forensics.recovery.write.definitions.types import (
    in_order_of_use,
    name_of_type,
)
from forensics.recovery.write.sqltext import listed, literal, sql_names

_LACKS = (
    "No statements of the backup define the dropped tables: plain indexes, checks, comments and "
    "grants are not known here. Where it holds rows only, columns of tables that live has not "
    "are text, without keys; make those tables yourself before you insert."
)


def from_catalog(sides: Sides, tables: Sequence[TableName], types: set[str]) -> Definitions:
    """Write what makes tables and types from what the catalogue knows of them."""
    backup = sides.backup
    sequences = sequences_needed(sides, tables)
    ordered = in_order_of_use(backup, _with_ranges(backup, types))
    statements: list[Definition] = []
    made: list[tuple[str, str]] = []
    for kind in ordered:
        made.append((type_kind(backup, kind), kind))
        statements.append(Definition(_create_type(backup, kind), "before"))
    for sequence in sorted(sequences):
        statements.append(Definition(f"CREATE SEQUENCE {sequence.sql}", "before"))
    for table in tables:
        sql = _create_table(backup.tables[table])
        statements.append(Definition(sql, "before"))
    for sql in _owned(backup, sequences):
        statements.append(Definition(sql, "before"))
    for sql in (*_keys(backup, tables), *_foreign_keys(sides, tables)):
        statements.append(Definition(sql, "after"))
    placed = {*tables, *sequences, *map(name_of_type, types)}
    return Definitions(
        statements=tuple(statements),
        made=tuple(made),
        sequences=tuple(sorted(sql_names(sequences))),
        schemas=schemas_needed(sides.live, placed),
        lacks=(_LACKS,),
    )


def _with_ranges(backup: Catalog, types: set[str]) -> set[str]:
    """Types, and the ranges of multiranges among them."""
    found = {*types}
    for name in types:
        if name in backup.multiranges:
            found.add(backup.multiranges[name])
    return found


def _create_type(backup: Catalog, name: str) -> str:
    if name in backup.enums:
        labels = ", ".join(map(literal, backup.enums[name]))
        return f"CREATE TYPE {name} AS ENUM ({labels})"
    if name in backup.domains:
        return f"CREATE DOMAIN {name} AS {backup.domains[name]}"
    if name in backup.ranges:
        options = f"subtype = {backup.ranges[name]}{_multirange(backup, name)}"
        return f"CREATE TYPE {name} AS RANGE ({options})"
    attributes = ", ".join(f"a{n} {t}" for n, t in enumerate(backup.composites[name], 1))
    return f"CREATE TYPE {name} AS ({attributes})"


def _multirange(backup: Catalog, name: str) -> str:
    """The option that names the multirange of a range, if it has one."""
    for multirange, of_range in sorted(backup.multiranges.items()):
        if of_range == name:
            return f", multirange_type_name = {multirange}"
    return ""


def _create_table(table: Table) -> str:
    columns = ", ".join(map(_column, table.columns))
    return f"CREATE TABLE {table.name.sql} ({columns})"


def _column(column: Column) -> str:
    words = [quote_identifier(column.name), column.type]
    if column.generated:
        words.append(f"GENERATED ALWAYS AS ({column.generated}) STORED")
    elif column.identity:
        words.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
    elif column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if not column.nullable:
        words.append("NOT NULL")
    return " ".join(words)


def _owned(backup: Catalog, sequences: frozenset[TableName]) -> Iterator[str]:
    """What gives sequences to the columns that own them."""
    for sequence in backup.sequences:
        if sequence.name in sequences and sequence.owner:
            table, column = sequence.owner
            owner = f"{table.sql}.{quote_identifier(column)}"
            yield f"ALTER SEQUENCE {sequence.name.sql} OWNED BY {owner}"


def _keys(backup: Catalog, tables: Sequence[TableName]) -> Iterator[str]:
    for name in tables:
        for key in backup.tables[name].keys:
            constraint = f"{quote_identifier(key.name)} {_kind(key)} ({listed(key.columns)})"
            yield f"ALTER TABLE {name.sql} ADD CONSTRAINT {constraint}"


def _kind(key: Key) -> str:
    if key.primary:
        return "PRIMARY KEY"
    if key.nulls_distinct:
        return "UNIQUE"
    return "UNIQUE NULLS NOT DISTINCT"


def _foreign_keys(sides: Sides, tables: Sequence[TableName]) -> Iterator[str]:
    """Foreign keys to tables that return, or to those of live that still suit them."""
    for name in tables:
        table = sides.backup.tables[name]
        for key in table.foreign_keys:
            parent = sides.live.tables.get(key.parent)
            returns = key.parent in tables
            if returns or not undeclarable(table, key.columns, parent, key.parent_columns):
                yield add_foreign_key(name, key)
