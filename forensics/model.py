"""The nouns that every room shares: frozen, without behaviour beyond what their own fields say."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cache, cached_property
from types import NoneType
from typing import Any, Literal, NamedTuple, TypeVar, cast

# What a session on a database is told, where nobody says otherwise.
LOCK_TIMEOUT = "5s"  # never queue behind a migration for long, and block the application meanwhile
STATEMENT_TIMEOUT = "0"  # reading a large table takes as long as it takes
# How long a row of a dump may be: a quarter of what PostgreSQL itself allows a field, for a row is
# held several times over, and some kilobytes can unpack to one without an end.
MAX_ROW = "256MB"

_PLAIN_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def quote_identifier(name: str) -> str:
    """Return `name` as an SQL identifier, always within double quotes."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Return `text` as an SQL literal, where backslashes are nothing special."""
    return "'" + text.replace("'", "''") + "'"


def _spelled(identifier: str) -> str:
    if _PLAIN_IDENTIFIER.match(identifier):
        return identifier
    return quote_identifier(identifier)


class TableName(NamedTuple):
    """A table's schema and name, as the catalogue spells them (never folded, never quoted)."""

    schema: str
    table: str

    def __str__(self) -> str:
        """The name as people write it.

        It is quoted only where PostgreSQL would need it, and `public` is left out.
        """
        if self.schema == "public":
            return _spelled(self.table)
        return f"{_spelled(self.schema)}.{_spelled(self.table)}"

    @property
    def sql(self) -> str:
        """The name for use in a statement: both parts, quoted."""
        return f"{quote_identifier(self.schema)}.{quote_identifier(self.table)}"


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it.

    `type` is what `format_type` prints with an empty search path: `character
    varying(40)`, `public.mood`, `text[]`. `default` and `generated` are expressions as
    text; `identity` is "always", "by default" or "".
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    generated: str | None = None
    identity: str = ""


@dataclass(frozen=True)
class Key:
    """A primary key or a unique constraint or index that can tell rows apart.

    It is immediate and whole: partial, deferrable and expression indexes are no keys
    and are not recorded here. `nulls_distinct` is PostgreSQL's default: two rows with a
    NULL in a unique key may be equal otherwise.
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

    `parent` is the partitioned table that a partition belongs to directly; `inherits`
    names plain inheritance. `rows_estimate` comes from live's statistics (`reltuples`),
    -1 where nothing is known.
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
        for column in self.columns:
            if column.name == name:
                return column
        return None

    @property
    def primary_key(self) -> Key | None:
        """The primary key, or None."""
        for key in self.keys:
            if key.primary:
                return key
        return None


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

    `enums` maps a type name, as `format_type` prints it, to its labels; `domains` a
    domain to its base type; `composites` a composite type to its attributes' types,
    `ranges` a range or multirange type to its bounds' type, `multiranges` a multirange
    type to the range type that it goes with. `unparsed` holds statements that the
    parser refused.
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
        table = self.tables.get(name)
        while table and table.parent and table.parent not in seen:
            name = table.parent
            seen.add(name)
            table = self.tables.get(name)
        return name

    def leaves(self, name: TableName) -> tuple[TableName, ...]:
        """The tables that hold `name`'s rows: its partitions at the bottom, or `name` itself."""
        children = sorted(t.name for t in self.tables.values() if t.parent == name)
        if not children:
            return (name,)
        found: list[TableName] = []
        for child in children:
            found += self.leaves(child)
        return tuple(found)

    @cached_property
    def roots(self) -> tuple[Table, ...]:
        """Every table that holds rows of its own and is not a partition of another, by name."""
        found = []
        for _, table in sorted(self.tables.items()):
            if table.kind in ("table", "partitioned") and not table.parent:
                found.append(table)
        return tuple(found)


@dataclass(frozen=True)
class Provenance:
    """Where a side came from. Fields that do not apply to its kind are None.

    `path` and `bytes` of a folder are its own name and the sum of its files. `dsn` has
    no password. `complete` is whether the backup ends as its writer ends one.
    `encoding` is the encoding of a dump's text.
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
    """What comparing one table found.

    Counts are rows; None where a side has no such table or was not counted. `repeated` counts
    rows of the backup beyond the first of each key.
    """

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
    repeated: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def differs(self) -> bool:
        """Whether a row of either side stands for a difference, and is kept."""
        return bool(self.missing or self.added or self.changed)

    @property
    def intact(self) -> bool:
        """Whether the table was compared and lost or changed no row of the backup."""
        if self.state != "compared" or self.repeated:
            return False
        return self.missing == 0 and self.changed == 0


ChangeKind = Literal["dropped", "added", "type", "nullability", "default", "generated"]


@dataclass(frozen=True)
class ColumnChange:
    """One difference between the two sides' definitions of one column.

    `values_missing` counts the non-null backup values that a dropped column took; None
    for other changes.
    """

    name: TableName
    column: str
    change: ChangeKind
    before: str | None = None
    after: str | None = None
    values_missing: int | None = None


Pattern = Literal["blanked", "constant", "copied", "computed", "merged", "mixed"]


@dataclass(frozen=True)
class Overwritten:
    """What the changed values of one column have in common.

    The case's table `rows.overwritten_N` (of table number N) holds the cells of the columns
    whose values were destroyed: `pair` of the changed row, `place` of the column among the
    backup's (`f{place}` of `rows.backup_N`), `lost`: whether a value stood there, not NULL, and
    `alone`: whether nothing else of the row changed.

    Attributes:
        name, column: where.
        rows: changed rows that hold the pattern; of "mixed", all that changed in the column.
        of: the table's changed rows, without those that are other rows under a key used again.
        pattern: what they have in common.
        before, after: an example, as PostgreSQL's text.
        how: the pattern in words, without a value of a row.
        lost: how many of `rows` held a value, not NULL, that is gone from its column.
        table_rows: the rows that both sides hold.
        destroyed: whether the pattern is taken for a destruction of what was there.
        undoable: whether live alone tells what stood there.
        why: what speaks against a destruction, in words; "" where nothing does.
        source: of "copied", the column that the values are from.
    """

    name: TableName
    column: str
    rows: int
    of: int
    pattern: Pattern
    before: str | None = None
    after: str | None = None
    how: str = ""
    lost: int = 0
    table_rows: int = 0
    destroyed: bool = False
    undoable: bool = False
    why: str = ""
    source: str | None = None


@dataclass(frozen=True)
class Parent:
    """One end of a junction table's links: `columns` of the junction name a row of table `name`.

    `declared` is False where no foreign key says so; `evidence` then says what does.
    `when` is the column and the value by which a row of a polymorphic table says that
    it means this parent.
    """

    name: TableName
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    declared: bool = True
    evidence: str | None = None
    when: tuple[str, str] | None = None


# --- as JSON ----------------------------------------------------------


_AS_THEY_ARE = frozenset({str, int, float, bool, NoneType})


def plain(value: Any) -> Any:
    """Return a dataclass of this module, or a container of them, as JSON-ready types."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind is TableName:
        return {"schema": value.schema, "table": value.table}
    if kind is dict:
        return {str(k): plain(v) for k, v in value.items()}
    if kind is list or kind is tuple:
        return [plain(v) for v in value]
    if hasattr(kind, "__dataclass_fields__"):
        return _plain_fields(value, _fields_of(cast("Hashable", kind)))
    return _plain_other(value)


def _plain_other(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(v) for v in value]
    return value


def _plain_fields(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for name in names:
        held = getattr(value, name)
        # A catalogue has a hundred thousand of them: most need no call.
        found[name] = held if type(held) in _AS_THEY_ARE else plain(held)
    return found


@cache
def _fields_of(kind: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))  # type: ignore[arg-type]


def plain_catalog(catalog: Catalog) -> dict[str, Any]:
    """Return a catalogue as JSON-ready types; `catalog_of` reads it back."""
    written: dict[str, Any] = plain(replace(catalog, tables={}))
    written["tables"] = plain(catalog.tables.values())
    return written


def catalog_of(value: Mapping[str, Any]) -> Catalog:
    """Return the catalogue that `plain_catalog` wrote."""
    tables = {}
    for written in value["tables"]:
        table = _table_of(written)
        tables[table.name] = table
    return Catalog(
        tables=tables,
        enums=_tuples(value["enums"]),
        domains=dict(value["domains"]),
        composites=_tuples(value["composites"]),
        ranges=dict(value.get("ranges", {})),
        multiranges=dict(value.get("multiranges", {})),
        extensions=tuple(value["extensions"]),
        sequences=_each(_sequence_of, value["sequences"]),
        unparsed=tuple(value["unparsed"]),
    )


def provenance_of(value: Mapping[str, Any]) -> Provenance:
    """Return the provenance that `plain` wrote."""
    read = dict(value)
    for name in ("dumped_at", "taken_at"):
        if read[name]:
            read[name] = datetime.fromisoformat(read[name])
    return Provenance(**read)


_Made = TypeVar("_Made")


def _each(read: Callable[[dict[str, Any]], _Made], values: Iterable[Any]) -> tuple[_Made, ...]:
    return tuple(read(v) for v in values)


def _tuples(value: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(listed) for name, listed in value.items()}


def _name_of(value: dict[str, Any]) -> TableName:
    return TableName(**value)


def _table_of(value: dict[str, Any]) -> Table:
    read = dict(value)
    read["name"] = _name_of(value["name"])
    read["columns"] = _each(_column_of, value["columns"])
    read["keys"] = _each(_key_of, value["keys"])
    read["foreign_keys"] = _each(_foreign_key_of, value["foreign_keys"])
    read["inherits"] = _each(_name_of, value["inherits"])
    if value["parent"]:
        read["parent"] = _name_of(value["parent"])
    return Table(**read)


def _column_of(value: dict[str, Any]) -> Column:
    return Column(**value)


def _key_of(value: dict[str, Any]) -> Key:
    return Key(**{**value, "columns": tuple(value["columns"])})


def _foreign_key_of(value: dict[str, Any]) -> ForeignKey:
    return ForeignKey(
        value["name"],
        tuple(value["columns"]),
        _name_of(value["parent"]),
        tuple(value["parent_columns"]),
        value["on_delete"],
    )


def _sequence_of(value: dict[str, Any]) -> Sequence:
    owner = None
    if value["owner"]:
        table, column = value["owner"]
        owner = _name_of(table), column
    return Sequence(_name_of(value["name"]), value["last_value"], value["is_called"], owner)
