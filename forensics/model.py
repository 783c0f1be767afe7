"""The nouns that every room shares: frozen, without behaviour beyond what their own fields say."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal, NamedTuple

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
    """A declared reference of `columns` to `parent_columns` of `parent`.

    `empties`: the columns that ON DELETE SET NULL or SET DEFAULT writes, where it names them.
    One that is not `enforced` says what refers to what, and does nothing. `on_update` is what a
    new key of the parent's does to its rows.
    """

    name: str
    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    on_delete: str = "no action"
    empties: tuple[str, ...] = ()
    enforced: bool = True
    on_update: str = "no action"

    @property
    def deletes(self) -> bool:
        """Whether rows go with those that they refer to."""
        return self.enforced and self.on_delete == "cascade"


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

    kind: Literal["plain", "custom", "directory", "tar", "folder", "database"]
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

    @property
    def restored_bytes(self) -> int | None:
        """About how large a backup's tables are once restored, or None: that is not known."""
        if self.bytes is None:
            return None
        return self.bytes * self.growth

    @property
    def growth(self) -> int:
        """How many times as large rows are once restored, their indexes included.

        COPY text takes about half of what rows and their indexes do; packed, a quarter of that.
        """
        if self.kind != "plain" and self.compression not in (None, "none"):
            return 8
        return 2


COUNTS = ("backup_rows", "live_rows", "missing", "added", "changed", "unchanged")

TableState = Literal["dropped", "compared", "new", "failed"]
Unsound = Literal["damaged", "left out"]
KeySource = Literal["primary key", "unique", "given", "all columns"]


@dataclass(frozen=True)
class TableResult:
    """What comparing one table found.

    Counts are rows; None where a side has no such table or was not counted. `repeated` counts
    rows of the backup beyond the first of each key. `history`: a migration tool notes in it what
    ran; what became of its rows is no loss, and in no sum. `unsound`: it failed, and
    this is why: the backup's rows of it are cut off or corrupt, or it holds none on purpose.
    `wire` is "low" where fingerprints told equal rows, and only others were fetched.
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
    history: bool = False
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    unsound: Unsound | None = None
    wire: Literal["low"] | None = None

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


def that_count(results: Iterable[TableResult]) -> list[TableResult]:
    """Those of some tables that count in sums and verdicts: all but migration histories."""
    return [result for result in results if not result.history]


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


def changes_that_count(
    changes: Iterable[ColumnChange], results: Iterable[TableResult]
) -> list[ColumnChange]:
    """Those of some changes that are of tables which count."""
    histories = {result.name for result in results if result.history}
    return [change for change in changes if change.name not in histories]


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
    `enforced` is False where a foreign key says so that lets rows in whose parent there is none.
    `when` is the column and the value by which a row of a polymorphic table says that
    it means this parent.
    """

    name: TableName
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    declared: bool = True
    evidence: str | None = None
    when: tuple[str, str] | None = None
    enforced: bool = True
