"""The catalogue of a database: one question after another, and a Catalog made of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from forensics.evidence.ddl import normal_type
from forensics.model import (
    Catalog,
    Column,
    ForeignKey,
    Key,
    Sequence,
    Table,
    TableKind,
    TableName,
    quote_identifier,
)

T = TypeVar("T")
Row = Mapping[str, Any]
Ask = Callable[[str], Iterable[Row]]

_KINDS: dict[str, TableKind] = {
    "r": "table",
    "p": "partitioned",
    "f": "foreign",
    "m": "materialized view",
}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_IDENTITIES = {"a": "always", "d": "by default", "": ""}


def read_catalog(ask: Ask) -> Catalog:
    """Read a database's definitions.

    Args:
        ask: returns the answer to `queries/NAME.sql`.
    """
    columns = _by_table(ask("columns"), _column)
    keys = _by_table(ask("keys"), _key)
    foreign_keys = _by_table(ask("foreign_keys"), _foreign_key)
    tables = {}
    for row in ask("tables"):
        name = _name(row)
        tables[name] = _table(
            row, columns.get(name, ()), keys.get(name, ()), foreign_keys.get(name, ())
        )
    types = _Types(ask("types"))
    return Catalog(
        tables=tables,
        enums=types.enums,
        domains=types.domains,
        composites=types.composites,
        ranges=types.ranges,
        multiranges=types.multiranges,
        extensions=tuple(row["name"] for row in ask("extensions")),
        sequences=tuple(map(_sequence, ask("sequences"))),
    )


def read_unreadable(ask: Ask, role: str) -> dict[TableName, str]:
    """Return the tables whose rows `role` cannot read, or not all of them, and what to ask for."""
    reader = quote_identifier(role)
    found = {}
    for row in ask("privileges"):
        name = _name(row)
        if not row["usage"]:
            found[name] = f"GRANT USAGE ON SCHEMA {quote_identifier(name.schema)} TO {reader};"
        elif not row["readable"]:
            found[name] = f"GRANT SELECT ON TABLE {name.sql} TO {reader};"
        elif row["filtered"]:
            found[name] = f"ALTER ROLE {reader} BYPASSRLS; -- or read as the owner of {name.sql}"
    return found


def _name(row: Row) -> TableName:
    return TableName(row["schema"], row["table"])


def _by_table(rows: Iterable[Row], make: Callable[[Row], T]) -> dict[TableName, list[T]]:
    found: dict[TableName, list[T]] = {}
    for row in rows:
        found.setdefault(_name(row), []).append(make(row))
    return found


def _column(row: Row) -> Column:
    default, generated = row["expression"], None
    if row["generated"]:
        default, generated = None, row["expression"]
    return Column(
        row["name"],
        normal_type(row["type"]),
        row["nullable"],
        default=default,
        generated=generated,
        identity=_IDENTITIES.get(row["identity"], ""),
    )


def _key(row: Row) -> Key:
    return Key(row["name"], tuple(row["columns"]), row["primary"], not row["nulls_not_distinct"])


def _foreign_key(row: Row) -> ForeignKey:
    return ForeignKey(
        row["name"],
        tuple(row["columns"]),
        TableName(row["parent_schema"], row["parent_table"]),
        tuple(row["parent_columns"]),
        _ACTIONS.get(row["on_delete"], "no action"),
        tuple(row["empties"] or ()),
        row["enforced"],
        _ACTIONS.get(row["on_update"], "no action"),
    )


def _table(
    row: Row,
    columns: Iterable[Column],
    keys: Iterable[Key],
    foreign_keys: Iterable[ForeignKey],
) -> Table:
    parents = tuple(TableName(*parent) for parent in row["parents"] or ())
    kind = _KINDS[row["kind"]]
    parent = None
    if row["is_partition"]:
        parent = parents[0] if parents else None
        parents = ()
        if kind == "table":
            kind = "partition"
    return Table(
        _name(row),
        kind,
        tuple(columns),
        tuple(keys),
        tuple(foreign_keys),
        parent=parent,
        inherits=parents,
        persistence="unlogged" if row["persistence"] == "u" else "permanent",
        extension=row["extension"],
        row_security=row["row_security"],
        rows_estimate=int(row["rows_estimate"]),
        comment=row["comment"],
    )


def _sequence(row: Row) -> Sequence:
    owner = None
    if row["owner_column"]:
        owner = TableName(row["owner_schema"], row["owner_table"]), row["owner_column"]
    return Sequence(TableName(row["schema"], row["name"]), owner=owner)


class _Types:
    """Types by kind: each by its name, with what it is made of."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.enums: dict[str, tuple[str, ...]] = {}
        self.domains: dict[str, str] = {}
        self.composites: dict[str, tuple[str, ...]] = {}
        self.ranges: dict[str, str] = {}
        self.multiranges: dict[str, str] = {}
        for row in rows:
            self._add(normal_type(row["name"]), row["kind"], tuple(row["parts"] or ()))

    def _add(self, name: str, kind: str, parts: tuple[str, ...]) -> None:
        match kind:
            case "e":
                self.enums[name] = parts
            case "d":
                self.domains[name] = normal_type(parts[0])
            case "c":
                self.composites[name] = tuple(map(normal_type, parts))
            case "r":
                self.ranges[name] = normal_type(parts[0])
            case "m":
                self.ranges[name] = normal_type(parts[0])
                self.multiranges[name] = normal_type(parts[1])
