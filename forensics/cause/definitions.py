"""A catalogue as DDL, where a side has no text of its own: a live database, or a case of one."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.model import Catalog, Column, ForeignKey, Key, Table, TableName, quote_literal
from forensics.model import quote_identifier as q


def definitions(catalog: Catalog) -> list[str]:
    """Return a catalogue as DDL: types, tables with their keys, and foreign keys.

    What a catalogue does not record is not made: CHECK constraints, triggers, functions, views and
    plain indexes.
    """
    found = []
    for schema in _schemas(catalog):
        if schema != "public":
            found.append(f"CREATE SCHEMA {q(schema)}")
    for enum, labels in catalog.enums.items():
        listed = ", ".join(map(quote_literal, labels))
        found.append(f"CREATE TYPE {enum} AS ENUM ({listed})")
    for domain, base in catalog.domains.items():
        found.append(f"CREATE DOMAIN {domain} AS {base}")
    for sequence in catalog.sequences:
        found.append(f"CREATE SEQUENCE {sequence.name.sql}")
    foreign = []
    for name, table in sorted(catalog.tables.items()):
        if table.kind not in ("table", "partitioned"):
            continue
        found.append(_table(name, table))
        for key in table.foreign_keys:
            foreign.append(add_foreign_key(name, key))
    return found + foreign


def _schemas(catalog: Catalog) -> list[str]:
    found = {name.schema for name in catalog.tables}
    found.update(sequence.name.schema for sequence in catalog.sequences)
    return sorted(found)


def _table(name: TableName, table: Table) -> str:
    parts = [_column(column) for column in table.columns]
    parts += [_key(key) for key in table.keys]
    return f"CREATE TABLE {name.sql} ({', '.join(parts)})"


def _column(column: Column) -> str:
    text = f"{q(column.name)} {column.type}"
    if column.generated:
        text += f" GENERATED ALWAYS AS ({column.generated}) STORED"
    elif column.identity:
        text += f" GENERATED {column.identity.upper()} AS IDENTITY"
    elif column.default is not None:
        text += f" DEFAULT {column.default}"
    if not column.nullable:
        text += " NOT NULL"
    return text


def _key(key: Key) -> str:
    kind = "UNIQUE"
    if key.primary:
        kind = "PRIMARY KEY"
    elif not key.nulls_distinct:
        kind = "UNIQUE NULLS NOT DISTINCT"
    return f"CONSTRAINT {q(key.name)} {kind} ({_listed(key.columns)})"


def add_foreign_key(name: TableName, key: ForeignKey) -> str:
    """The statement that declares a foreign key, as far as the catalogue knows it."""
    emptied = ""
    if key.empties:
        emptied = f" ({_listed(key.empties)})"
    enforced = ""
    if not key.enforced:
        enforced = " NOT ENFORCED"
    updated = ""
    if key.on_update != "no action":
        updated = f" ON UPDATE {key.on_update.upper()}"
    return (
        f"ALTER TABLE {name.sql} ADD CONSTRAINT {q(key.name)} "
        f"FOREIGN KEY ({_listed(key.columns)}) "
        f"REFERENCES {key.parent.sql} ({_listed(key.parent_columns)}) "
        f"ON DELETE {key.on_delete.upper()}{emptied}{updated}{enforced}"
    )


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(q, columns))
