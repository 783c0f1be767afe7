"""The nouns that every room shares: frozen, without behaviour beyond what their own fields say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

_PLAIN_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def quote_identifier(name: str) -> str:
    """Return `name` as an SQL identifier, always within double quotes."""
    return '"' + name.replace('"', '""') + '"'


class TableName(NamedTuple):
    """A table's schema and name, as the catalogue spells them (never folded, never quoted)."""

    schema: str
    table: str

    def __str__(self) -> str:
        """The name as people write it: quoted only where PostgreSQL would need it, `public` left out."""
        parts = [self.table] if self.schema == "public" else [self.schema, self.table]
        return ".".join(p if _PLAIN_IDENTIFIER.match(p) else quote_identifier(p) for p in parts)

    @property
    def sql(self) -> str:
        """The name for use in a statement: both parts, quoted."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.table)}"


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it.

    `type` is what `format_type` prints with an empty search path: `character varying(40)`, `public.mood`, `text[]`.
    `default` and `generated` are expressions as text; `identity` is "always", "by default" or "".
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    identity: str = ""


@dataclass(frozen=True)
class Key:
    """A primary key or a unique constraint or index that can tell rows apart: immediate and whole.

    Partial, deferrable and expression indexes are no keys and are not recorded here.
    `nulls_distinct` is PostgreSQL's default: two rows with a NULL in a unique key may be equal otherwise.
    """

    name: str
    columns: tuple[str, ...]
    primary: bool = False
    nulls_distinct: bool = True


@dataclass(frozen=True)
class ForeignKey:
    """A declared reference of `columns` to `parent_columns` of `parent`."""

    name: str
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: str = "no action"


TableKind = Literal["table", "partitioned", "partition", "foreign", "materialized view"]


@dataclass(frozen=True)
class Table:
    """A table with its columns in the catalogue's order.

    `parent` is the partitioned table that a partition belongs to directly; `inherits` names plain inheritance.
    `rows_estimate` comes from live's statistics (`reltuples`), -1 where nothing is known.
    """

    name: TableName
    kind: TableKind = "table"
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    parent: TableName | None = None
    inherits: tuple[TableName, ...] = ()
    persistence: Literal["permanent", "unlogged"] = "permanent"
    extension: str | None = None
    row_security: bool = False
    rows_estimate: int = -1
    comment: str | None = None

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def primary_key(self) -> Key | None:
        """The primary key, or None."""
        return next((k for k in self.keys if k.primary), None)


@dataclass(frozen=True)
class Sequence:
    """A sequence and the value it stands at; `owner` is the table and column that own it."""

    name: TableName
    last_value: int | None = None
    is_called: bool = False
    owner: tuple[TableName, str] | None = None


@dataclass(frozen=True)
class Catalog:
    """What a side's schema says.

    `enums` maps a type name, as `format_type` prints it, to its labels; `domains` a domain to its base type;
    `composites` a composite type to its attributes' types, `ranges` a range or multirange type to its bounds' type,
    `multiranges` a multirange type to the range type that it goes with.
    `unparsed` holds statements that the parser refused.
    """

    tables: Mapping[TableName, Table] = field(default_factory=dict)
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)
    composites: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: Mapping[str, str] = field(default_factory=dict)
    multiranges: Mapping[str, str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    unparsed: tuple[str, ...] = ()

    def root(self, name: TableName) -> TableName:
        """The partitioned table at the top of `name`'s tree, or `name` itself."""
        seen = {name}
        while (table := self.tables.get(name)) and table.parent and table.parent not in seen:
            name = table.parent
            seen.add(name)
        return name

    def leaves(self, name: TableName) -> tuple[TableName, ...]:
        """The tables that hold `name`'s rows: its partitions at the bottom, or `name` itself."""
        children = sorted(t.name for t in self.tables.values() if t.parent == name)
        if not children:
            return (name,)
        return tuple(leaf for child in children for leaf in self.leaves(child))

    @cached_property
    def roots(self) -> tuple[Table, ...]:
        """Every table that holds rows of its own and is not a partition of another, by name."""
        kinds = ("table", "partitioned")
        return tuple(t for _, t in sorted(self.tables.items()) if t.kind in kinds and not t.parent)


@dataclass(frozen=True)
class Provenance:
    """Where a side came from. Fields that do not apply to its kind are None.

    `path` and `bytes` of a folder are its own name and the sum of its files. `dsn` has no password.
    `complete` is whether the backup ends as its writer ends one. `encoding` is the encoding of a dump's text.
    """

    kind: Literal["plain", "custom", "directory", "tar", "database"]
    path: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    compression: str | None = None
    server_version: str | None = None
    dump_version: str | None = None
    dumped_at: datetime | None = None
    complete: bool = True
    encoding: str | None = None
    dsn: str | None = None
    database: str | None = None
    snapshot: str | None = None
    taken_at: datetime | None = None


COUNTS = ("backup_rows", "live_rows", "missing", "added", "changed", "unchanged")

TableState = Literal["dropped", "compared", "new", "failed"]
KeySource = Literal["primary key", "unique", "given", "all columns"]


@dataclass(frozen=True)
class TableResult:
    """What comparing one table found. Counts are rows; None where a side has no such table or was not counted."""

    name: TableName
    state: TableState
    reason: str | None = None
    junction: bool = False
    key: tuple[str, ...] = ()
    key_source: KeySource | None = None
    columns: tuple[str, ...] = ()
    backup_rows: int | None = None
    live_rows: int | None = None
    missing: int | None = None
    added: int | None = None
    changed: int | None = None
    unchanged: int | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def intact(self) -> bool:
        """Whether the table was compared and lost or changed no row of the backup."""
        return self.state == "compared" and self.missing == 0 and self.changed == 0


ChangeKind = Literal["dropped", "added", "type", "nullability", "default", "generated"]


@dataclass(frozen=True)
class ColumnChange:
    """One difference between the two sides' definitions of one column.

    `values_missing` counts the non-null backup values that a dropped column took; None for other changes.
    """

    name: TableName
    column: str
    change: ChangeKind
    before: str | None = None
    after: str | None = None
    values_missing: int | None = None


@dataclass(frozen=True)
class Parent:
    """One end of a junction table's links: `columns` of the junction name a row of table `name`.

    `declared` is False where no foreign key says so; `evidence` then says what does. `when` is the column and the value
    by which a row of a polymorphic table says that it means this parent.
    """

    name: TableName
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    declared: bool = True
    evidence: str | None = None
    when: tuple[str, str] | None = None


def plain(value: Any) -> Any:
    """Return `value` (a dataclass of this module, or a container of them) as JSON-ready types."""
    if isinstance(value, TableName):
        return {"schema": value.schema, "table": value.table}
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(v) for v in value]
    return value


def plain_catalog(catalog: Catalog) -> dict[str, Any]:
    """Return a catalogue as JSON-ready types; `catalog_of` reads it back."""
    return {
        **plain(replace(catalog, tables={})),
        "tables": [plain(t) for t in catalog.tables.values()],
    }


def catalog_of(value: Mapping[str, Any]) -> Catalog:
    """Return the catalogue that `plain_catalog` wrote."""
    tables = {}
    for t in value["tables"]:
        name = TableName(**t["name"])
        tables[name] = Table(
            **{
                **t,
                "name": name,
                "columns": tuple(Column(**c) for c in t["columns"]),
                "keys": tuple(Key(**{**k, "columns": tuple(k["columns"])}) for k in t["keys"]),
                "foreign_keys": tuple(
                    ForeignKey(
                        f["name"],
                        tuple(f["columns"]),
                        TableName(**f["parent"]),
                        tuple(f["parent_columns"]),
                        f["on_delete"],
                    )
                    for f in t["foreign_keys"]
                ),
                "parent": TableName(**t["parent"]) if t["parent"] else None,
                "inherits": tuple(TableName(**p) for p in t["inherits"]),
            }
        )
    sequences = tuple(
        Sequence(
            TableName(**s["name"]),
            s["last_value"],
            s["is_called"],
            (TableName(**s["owner"][0]), s["owner"][1]) if s["owner"] else None,
        )
        for s in value["sequences"]
    )
    return Catalog(
        tables=tables,
        enums={k: tuple(v) for k, v in value["enums"].items()},
        domains=dict(value["domains"]),
        composites={k: tuple(v) for k, v in value["composites"].items()},
        ranges=dict(value.get("ranges", {})),
        multiranges=dict(value.get("multiranges", {})),
        extensions=tuple(value["extensions"]),
        sequences=sequences,
        unparsed=tuple(value["unparsed"]),
    )


def provenance_of(value: Mapping[str, Any]) -> Provenance:
    """Return the provenance that `plain` wrote."""
    times = {k: datetime.fromisoformat(value[k]) for k in ("dumped_at", "taken_at") if value[k]}
    return Provenance(**{**value, **times})
