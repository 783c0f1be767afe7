"""Roll back: undo the schema change as the two catalogues tell it, and count what goes with it.

`prisma migrate resolve --rolled-back` writes one row of a history and nothing else. What people mean by it is a
migration of their own that makes the schema as it was: new tables and added columns go, with what was written there;
dropped tables and columns come back, empty. Here that is worked out, priced by asking live, and rehearsed on a copy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import postgast
import psycopg
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.compare.schema import drift
from forensics.errors import LiveError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration
from forensics.model import (
    Catalog,
    Column,
    ColumnChange,
    Table,
    TableName,
    TableResult,
    quote_identifier,
)
from forensics.recovery.rehearse.copies import one, pinned_session, rows_of, run_migration, words_of
from forensics.recovery.rehearse.proof import Proof, TableShare, Tell, off, silent
from forensics.recovery.write.definitions import (
    Definition,
    add_foreign_key,
    definitions,
    in_order_of_use,
    own_types,
)
from forensics.recovery.write.sqltext import block, listed, literal, tag_for, template
from forensics.scratch import Scratch
from forensics.store import Store

EXAMPLES = 3
_NOTES = 8


@dataclass(frozen=True)
class Step:
    """One part of undoing the change: a text to run, others to try where it is refused, and what is lost then."""

    texts: tuple[str, ...]
    what: str


@dataclass(frozen=True)
class Undoing:
    """What undoes a schema change.

    Attributes:
        steps: in order.
        last: what goes when no column needs it any more: types and sequences that only live has.
        new: tables that go; `again` those that come back, empty.
        filled: by table, its columns that go.
        retyped: by table, its columns whose type goes back: (column, the type of the backup).
        rows: the tables whose rows a rehearsal needs.
    """

    steps: tuple[Step, ...]
    last: tuple[Step, ...]
    new: tuple[TableName, ...]
    again: tuple[TableName, ...]
    filled: Mapping[TableName, tuple[Column, ...]]
    retyped: Mapping[TableName, tuple[tuple[str, str], ...]]
    rows: frozenset[TableName]


@dataclass(frozen=True)
class Price:
    """What live would lose, asked of it.

    Attributes:
        asked: whether live could be asked. Where not, only rows of new tables are known, from the case.
        shares: by table, rows that go, or that lose a value.
        unseen: by table, rows of which the comparison saw nothing: they hold a value in an added column and are the backup's otherwise.
        notes: what could not be asked, and where a number is the most that it can be.
    """

    asked: bool
    shares: tuple[TableShare, ...] = ()
    unseen: Mapping[TableName, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


# --- the steps ------------------------------------------------------------------------------------------


def undoing(store: Store) -> Undoing:
    """Work out from the case's two catalogues what undoes the schema change between them."""
    return _Undo(store).run()


class _Undo:
    def __init__(self, store: Store) -> None:
        self._backup, self._live = store.catalogs()
        self._ddl = store.get("ddl") or ()
        results = store.results()
        self._new = tuple(
            r.name for r in results if r.state == "new" and _is_own(self._live.tables[r.name])
        )
        self._again = tuple(r.name for r in results if r.state == "dropped")
        self._surviving = [
            r.name
            for r in results
            if r.state not in ("new", "dropped") and _both(r, self._backup, self._live)
        ]
        self._changes: dict[TableName, list[ColumnChange]] = {}
        for change in store.changes():
            if change.name in self._surviving:
                self._changes.setdefault(change.name, []).append(change)
        self._rows: set[TableName] = set(self._new)

    def run(self) -> Undoing:
        gone = [
            c
            for n in self._surviving
            for change in ("dropped", "type")
            for c in self._columns(n, change, self._backup)
        ]
        defined = definitions(self._ddl, self._backup, self._live, self._again, gone)
        made = {
            part: [_made(d) for d in defined.of(part) if not d.roles and not d.lenient]
            for part in ("before", "after")
        }
        schemas = [
            Step((f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(s)}",), f"Schema {s} is lacking")
            for s in defined.schemas
        ]
        steps = [*self._keys_go(), *self._tables_go(), *schemas, *made["before"]]
        for name in self._surviving:
            for change in sorted(self._changes.get(name, ()), key=lambda c: self._rank(name, c)):
                steps += self._column(name, change)
        steps += [*made["after"], *self._keys_return()]
        filled = {
            n: tuple(c for c in self._columns(n, "added", self._live) if not c.generated)
            for n in self._surviving
        }
        retyped = {
            n: tuple(
                (c.column, c.before or "") for c in self._changes.get(n, ()) if c.change == "type"
            )
            for n in self._surviving
        }
        return Undoing(
            tuple(steps),
            tuple(self._last()),
            self._new,
            self._again,
            {n: c for n, c in filled.items() if c},
            {n: c for n, c in retyped.items() if c},
            frozenset(self._rows),
        )

    def _rank(self, name: TableName, change: ColumnChange) -> int:
        """What has to go first: what is worked out from a column, then how it is numbered, which no type and no default goes beside."""
        ours = self._backup.tables[name].column(change.column)
        numbered = ours is not None and bool(ours.identity)
        return {"added": 0, "generated": 4 if numbered else 1, "type": 2}.get(change.change, 3)

    def _columns(self, name: TableName, change: str, catalog: Catalog) -> Iterator[Column]:
        for one_change in self._changes.get(name, ()):
            column = catalog.tables[name].column(one_change.column)
            if one_change.change == change and column is not None:
                yield column

    def _tables_go(self) -> Iterator[Step]:
        if self._new:
            yield Step(
                (f"DROP TABLE {', '.join(n.sql for n in self._new)} CASCADE",),
                "The new tables stay",
            )

    def _keys_go(self) -> Iterator[Step]:
        """Foreign keys and unique keys of surviving tables that only live has, or has otherwise."""
        for name in self._surviving:
            ours, theirs = self._backup.tables[name], self._live.tables[name]
            for key in theirs.foreign_keys:
                if key not in ours.foreign_keys:
                    self._rows |= {name, key.parent} & self._live.tables.keys()
                    yield Step(
                        (
                            f"ALTER TABLE {name.sql} DROP CONSTRAINT IF EXISTS {quote_identifier(key.name)} CASCADE",
                        ),
                        f"Foreign key {key.name} of {name} stays",
                    )
            for unique in theirs.keys:
                if unique not in ours.keys:
                    index = TableName(name.schema, unique.name).sql
                    yield Step(
                        (
                            f"ALTER TABLE {name.sql} DROP CONSTRAINT IF EXISTS {quote_identifier(unique.name)} CASCADE; DROP INDEX IF EXISTS {index}",
                        ),
                        f"Key {unique.name} of {name} stays",
                    )

    def _keys_return(self) -> Iterator[Step]:
        for name in self._surviving:
            ours, theirs = self._backup.tables[name], self._live.tables[name]
            for unique in ours.keys:
                if unique not in theirs.keys:
                    self._rows.add(name)
                    nulls = "" if unique.nulls_distinct else " NULLS NOT DISTINCT"
                    text = f"CREATE UNIQUE INDEX {quote_identifier(unique.name)} ON {name.sql} ({listed(unique.columns)}){nulls}"
                    if unique.primary:
                        text = f"ALTER TABLE {name.sql} ADD CONSTRAINT {quote_identifier(unique.name)} PRIMARY KEY ({listed(unique.columns)})"
                    yield Step((text,), f"Key {unique.name} of {name} does not return")
            for key in ours.foreign_keys:
                if key not in theirs.foreign_keys and (
                    key.parent in self._live.tables or key.parent in self._again
                ):
                    self._rows |= {name, key.parent} & self._live.tables.keys()
                    yield Step(
                        (add_foreign_key(name, key),),
                        f"Foreign key {key.name} of {name} does not return",
                    )

    def _column(self, name: TableName, change: ColumnChange) -> Iterator[Step]:
        table, column = f"ALTER TABLE {name.sql}", quote_identifier(change.column)
        where = f"{name}.{change.column}"
        ours = self._backup.tables[name].column(change.column)
        if change.change == "added":
            if (live := self._live.tables[name].column(change.column)) and not live.generated:
                self._rows.add(name)
            yield Step(
                (f"{table} DROP COLUMN IF EXISTS {column} CASCADE",), f"Column {where} stays"
            )
        elif change.change == "dropped" and ours is not None:
            yield from self._column_returns(table, ours, where)
        elif change.change == "type" and ours is not None:
            self._rows.add(name)
            yield from _retype(table, ours, where)
        elif change.change == "nullability" and ours is not None:
            if not ours.nullable:
                self._rows.add(name)
            yield Step(
                (f"{table} ALTER COLUMN {column} {'DROP' if ours.nullable else 'SET'} NOT NULL",),
                f"Column {where} stays {change.after}",
            )
        elif change.change == "default" and ours is not None:
            yield Step(
                (f"{table} ALTER COLUMN {column} {_default(ours)}",),
                f"The default of {where} stays as it is",
            )
        elif change.change == "generated":
            text = f"{table} ALTER COLUMN {column} DROP IDENTITY IF EXISTS"
            if ours is not None and ours.identity:
                text = f"{table} ALTER COLUMN {column} ADD GENERATED {ours.identity.upper()} AS IDENTITY"
            yield Step((text,), f"How {where} is generated stays as it is")

    def _column_returns(self, table: str, column: Column, where: str) -> Iterator[Step]:
        add = f"{table} ADD COLUMN {quote_identifier(column.name)} {column.type}"
        if column.generated:
            yield Step(
                (f"{add} GENERATED ALWAYS AS ({column.generated}) STORED",),
                f"Column {where} does not return",
            )
        elif column.identity:
            yield Step(
                (f"{add} GENERATED {column.identity.upper()} AS IDENTITY",),
                f"Column {where} does not return",
            )
        else:
            default = "" if column.default is None else f" DEFAULT {column.default}"
            whole = f"{add}{default}{'' if column.nullable else ' NOT NULL'}"
            lacks = "without its default" if default else "without NOT NULL: its values are gone"
            yield Step(
                tuple(dict.fromkeys((whole, f"{add}{default}", add))),
                f"Column {where} returns {lacks}",
            )

    def _last(self) -> Iterator[Step]:
        for name in reversed(
            in_order_of_use(self._live, own_types(self._live) - own_types(self._backup))
        ):
            yield Step((f"DROP TYPE IF EXISTS {name}",), f"Type {name} stays")
        there = {s.name for s in self._backup.sequences}
        for sequence in self._live.sequences:
            if sequence.name not in there and sequence.owner is None:
                yield Step(
                    (f"DROP SEQUENCE IF EXISTS {sequence.name.sql}",),
                    f"Sequence {sequence.name} stays",
                )
        for name, labels in sorted(self._backup.enums.items()):
            if added := [label for label in self._live.enums.get(name, ()) if label not in labels]:
                yield Step((), f"Type {name} keeps the labels {', '.join(added)}")


def _made(definition: Definition) -> Step:
    text = definition.sql
    if definition.unless:
        tag = tag_for(text)
        text = block([f"  IF NOT ({definition.unless}) THEN EXECUTE {tag}{text}{tag}; END IF;"])
    if definition.path:
        text = f"SET LOCAL search_path = {quote_identifier(definition.path)}, pg_catalog; {text}; SET LOCAL search_path = ''"
    return Step((text,), "A part of the dropped tables' definitions is lacking")


def _is_own(table: Table) -> bool:
    return table.kind in ("table", "partitioned") and table.extension is None


def _both(result: TableResult, backup: Catalog, live: Catalog) -> bool:
    return result.name in backup.tables and result.name in live.tables


def _default(column: Column) -> str:
    return "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"


def _retype(table: str, column: Column, where: str) -> Iterator[Step]:
    name = quote_identifier(column.name)
    # A default of live's type may have no cast to the backup's; and where the type cannot go back, live's default stays.
    texts = tuple(
        f"{table} ALTER COLUMN {name} DROP DEFAULT; {table} ALTER COLUMN {name} TYPE {column.type} USING {cast}::{column.type}"
        + (
            ""
            if column.default is None
            else f"; {table} ALTER COLUMN {name} SET DEFAULT {column.default}"
        )
        for cast in (name, f"{name}::text")
    )
    yield Step(texts, f"Column {where} keeps its type")


# --- the price ------------------------------------------------------------------------------------------


def price(store: Store, undo: Undoing, source: LiveSource | None) -> Price:
    """Count on live what undoing the change would take: rows of new tables, and rows that would lose a value.

    Args:
        source: live, open; None where it is not at hand.
    """
    if source is None:
        results = {r.name: r for r in store.results()}
        shares = tuple(TableShare(n, results[n].added or 0) for n in undo.new if results[n].added)
        columns = [f"{n}.{c.name}" for n, some in sorted(undo.filled.items()) for c in some]
        lost = (
            f"Live was not asked how many rows hold values in {_some(columns)}: give it with --live."
            if columns
            else ""
        )
        return Price(False, shares, {}, (lost,) if lost else ())
    return _Asker(store, undo, source).run()


class _Asker:
    def __init__(self, store: Store, undo: Undoing, source: LiveSource) -> None:
        self._store, self._undo, self._source = store, undo, source
        self._notes: list[str] = []

    def run(self) -> Price:
        shares: list[TableShare] = []
        unseen: dict[TableName, int] = {}
        for name in sorted({*self._undo.new, *self._undo.filled, *self._undo.retyped}):
            table = self._source.catalog.tables.get(name)
            if table is None:
                self._notes.append(f"Table {name} was there when live was compared, and is gone.")
                continue
            try:
                share, more = (
                    (self._share(table, "true"), 0)
                    if name in self._undo.new
                    else self._written(table)
                )
            except LiveError as error:
                self._notes.append(f"What {name} would lose is not known. {error.message}")
                continue
            if share.rows:
                shares.append(share)
            if more:
                unseen[name] = more
        return Price(True, tuple(shares), unseen, tuple(self._notes))

    def _written(self, table: Table) -> tuple[TableShare, int]:
        """Rows that hold a value in a column that goes, or one that its former type cannot hold; and of the first, those that were not seen."""
        columns = [c for c in self._undo.filled.get(table.name, ()) if table.column(c.name)]
        defaults = {c.name: constant_default(self._source, c) for c in columns}
        for column in columns:
            if (column.default is not None and defaults[column.name] is None) or column.identity:
                self._notes.append(
                    f"{table.name}.{column.name} has a default that is worked out for each row, so that all of its values are counted."
                )
        held = [_holds(c.name, defaults[c.name]) for c in columns]
        shrunk = [
            w
            for c, then in self._undo.retyped.get(table.name, ())
            if self._answers(table, w := _shrinks(c, then, table))
        ]
        filled = self._share(table, " OR ".join(held)) if held else TableShare(table.name, 0)
        share = filled
        if shrunk:
            share = self._share(table, " OR ".join((*held, *shrunk)))
        seen = self._seen(table.name, defaults) if filled.rows else 0
        return share, max(0, filled.rows - seen)

    def _answers(self, table: Table, condition: str) -> bool:
        """Whether every value of a column can be of its former type: where not, the column keeps its type, and nothing of it is lost."""
        try:
            self._source.ask(
                sql.SQL(f"SELECT count(*) AS n FROM {rows_of(table)} t WHERE {condition}")
            )  # type: ignore[arg-type]
        except LiveError:
            return False
        return True

    def _share(self, table: Table, condition: str) -> TableShare:
        (found,) = self._source.ask(
            sql.SQL(f"SELECT count(*) AS n FROM {rows_of(table)} t WHERE {condition}")
        )  # type: ignore[arg-type]
        key = table.primary_key
        shown = key.columns if key else tuple(c.name for c in table.columns[:EXAMPLES])
        if not found["n"] or not shown:
            return TableShare(table.name, int(found["n"]))
        texts = ", ".join(f"t.{quote_identifier(c)}::text AS {quote_identifier(c)}" for c in shown)
        order = ", ".join(f"t.{quote_identifier(c)}::text" for c in shown)
        question = f"SELECT {texts} FROM {rows_of(table)} t WHERE {condition} ORDER BY {order} LIMIT {EXAMPLES}"
        examples = self._source.ask(sql.SQL(question))  # type: ignore[arg-type]
        return TableShare(table.name, int(found["n"]), tuple(dict(e) for e in examples))

    def _seen(self, name: TableName, defaults: Mapping[str, str | None]) -> int:
        """How many rows with such a value the case holds as added or changed."""
        held, number = self._store.columns(name, "live"), self._store.number(name)
        places = {c: f"f{held.index(c)}" for c in defaults if c in held}
        some = [
            f"({f} IS NOT NULL"
            + (f" AND {f} <> {literal(d)}" if (d := defaults[c]) is not None else "")
            + ")"
            for c, f in places.items()
        ]
        if not some or number is None:
            return 0
        with self._store.query() as cursor:
            there = cursor.execute(
                f"SELECT 1 FROM duckdb_tables() WHERE schema_name = 'rows' AND table_name = 'live_{number}'"
            ).fetchone()
            if not there:
                return 0
            found = cursor.execute(
                f"SELECT count(*) FROM rows.live_{number} WHERE state IN ('added', 'changed') AND ({' OR '.join(some)})"
            )
            (count,) = found.fetchone() or (0,)
        return int(count)


def constant_default(source: LiveSource, column: Column) -> str | None:
    """A column's default as text where it is the same for every row, or None."""
    if column.default is None or not _is_constant(column.default):
        return None
    (found,) = source.ask(
        sql.SQL(f"SELECT format('%s', ({column.default})::{column.type}) AS text")
    )  # type: ignore[arg-type]
    return str(found["text"])


def _is_constant(expression: str) -> bool:
    try:
        tree = postgast.parse(f"SELECT {expression}")
    except postgast.PgQueryError:
        return False
    return not any(
        next(iter(postgast.find_nodes(tree, kind)), None)
        for kind in (pb.FuncCall, pb.SQLValueFunction)
    )


def _holds(column: str, default: str | None) -> str:
    """The condition that row `t` holds a value in a column, other than its default."""
    name = f"t.{quote_identifier(column)}"
    return (
        f"{name} IS NOT NULL"
        if default is None
        else f"({name} IS NOT NULL AND format('%s', {name}) <> {literal(default)})"
    )


def _shrinks(column: str, then: str, table: Table) -> str:
    """The condition that a column's value is another once it has been of the former type."""
    name, found = f"t.{quote_identifier(column)}", table.column(column)
    now = found.type if found else "text"
    return f"format('%s', ({name}::{then})::{now}) IS DISTINCT FROM format('%s', {name})"


def _some(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- the rehearsal --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Again:
    """Migrations that are to make the schema once more: in order, and where names without a schema lead."""

    migrations: tuple[Migration, ...]
    schema: str


def rehearse_rollback(
    scratch: Scratch,
    database: str,
    catalogs: tuple[Catalog, Catalog],
    undo: Undoing,
    said: int,
    again: Again | None = None,
    tell: Tell = silent,
) -> Proof:
    """Undo the schema change on a copy of live.

    Args:
        scratch, database: where the copy is, with the rows of `undo.rows`; it is changed.
        catalogs: the backup's and live's.
        undo: what undoes the change.
        said: how many rows the option says that it destroys.
        again: migrations to run afterwards; None runs none.
    """
    return _Rehearsal(scratch, database, catalogs, undo).run(said, again, tell)


class _Rehearsal:
    def __init__(
        self, scratch: Scratch, database: str, catalogs: tuple[Catalog, Catalog], undo: Undoing
    ) -> None:
        self._scratch, self._database = scratch, database
        self._backup, self._live = catalogs
        self._undo = undo
        self._notes: list[str] = []
        self._done: list[str] = []

    def run(self, said: int, again: Again | None, tell: Tell) -> Proof:
        undo = self._undo
        with pinned_session(self._scratch, self._database) as self._connection:
            tell("counting the rows that a roll back takes")
            new = {n: self._rows(n) for n in undo.new}
            hurt = sorted({*undo.filled, *undo.retyped})
            defaults = {n: self._defaults(n) for n in hurt}
            for i, name in enumerate(hurt):
                # NULL under a default holds as little as the default does.
                quoted = {c: f"t.{quote_identifier(c)}" for c in defaults[name]}
                alike = {
                    c: f"CASE WHEN {t} IS NULL THEN {defaults[name][c]} ELSE format('%s', {t}) END"
                    for c, t in quoted.items()
                }
                self._image(f"before_{i}", name, alike)
            tell("undoing the schema change on the copy")
            self._connection.execute("BEGIN")
            self._connection.execute("SET LOCAL check_function_bodies = off")
            seconds = self._take(undo.steps)
            now = self._catalog_within()
            gone = sum(rows for name, rows in new.items() if name not in now)
            lost = sum(self._lost(i, name, defaults[name], now) for i, name in enumerate(hurt))
            seconds += self._take(undo.last)
            self._connection.execute("COMMIT")
            back = sum(self._rows(n) for n in undo.again if n in now)
        odd = self._differences(self._backup)
        checks = [
            f"{len(undo.new) - len(set(undo.new) & set(now)):,} new tables were gone with {gone:,} rows, and {lost:,} rows of others had lost a value.",
            f"{len(set(undo.again) & set(now)):,} dropped tables were there again, with {back:,} rows.",
            "Tables, columns, types, NOT NULL and defaults were the backup's again."
            if not odd
            else f"Not as in the backup afterwards: {_some(odd)}.",
        ]
        if again is not None and again.migrations:
            checks.append(self._again(again, tell))
        problems = [*off(0, back, "recovers"), *off(said, gone + lost, "destroys")]
        return Proof(
            back,
            gone + lost,
            round(seconds, 3),
            tuple(checks),
            tuple(problems),
            tuple(self._notes[:_NOTES]),
            tuple(self._done),
        )

    def _take(self, steps: Sequence[Step]) -> float:
        """Run steps, each in a savepoint; note those that are refused. Return the seconds that it took."""
        started = time.monotonic()
        for step in steps:
            words = ""
            for text in step.texts:
                self._connection.execute("SAVEPOINT step")
                try:
                    self._connection.execute(text)  # type: ignore[call-overload]
                except psycopg.Error as error:
                    words = words or words_of(error)
                    self._connection.execute("ROLLBACK TO SAVEPOINT step")
                    continue
                self._connection.execute("RELEASE SAVEPOINT step")
                self._done.append(text)
                if words:
                    self._notes.append(f"{step.what} ({words}).")
                break
            else:
                self._notes.append(f"{step.what}{f' ({words})' if words else ''}.")
        return time.monotonic() - started

    def _rows(self, name: TableName) -> int:
        table = self._live.tables.get(name) or self._backup.tables[name]
        return one(self._connection, f"SELECT count(*) FROM {rows_of(table)}")

    def _defaults(self, name: TableName) -> dict[str, str]:
        """Of the columns that go, the constant defaults as SQL text: what their rows hold in them once they are made again."""
        found = {}
        for column in self._undo.filled.get(name, ()):
            if column.default is not None and _is_constant(column.default):
                text = self._connection.execute(
                    f"SELECT format('%s', ({column.default})::{column.type})"
                ).fetchone()  # type: ignore[call-overload]
                found[column.name] = literal(text[0] if text else None)
        return found

    def _image(self, table: str, name: TableName, others: Mapping[str, str]) -> None:
        """Keep how often each row of a table is there, in live's columns; `others` says what stands in some of them."""
        columns = [c.name for c in self._live.tables[name].columns if not c.generated]
        row = ", ".join(others.get(c, f"t.{quote_identifier(c)}") for c in columns)
        self._connection.execute(
            f"CREATE TEMP TABLE {table} AS SELECT md5(ROW({row})::text) AS h, count(*) AS n FROM {rows_of(self._live.tables[name])} t GROUP BY 1"  # type: ignore[call-overload]
        )

    def _lost(
        self,
        i: int,
        name: TableName,
        defaults: Mapping[str, str],
        now: Mapping[TableName, set[tuple[str, str]]],
    ) -> int:
        """How many rows of a table would not be what they were, were the columns that went made again."""
        there = dict(now.get(name, ()))
        others: dict[str, str] = {}
        for column in self._live.tables[name].columns:
            if column.name not in there:
                others[column.name] = defaults.get(
                    column.name, "NULL"
                )  # what a default works out for each row is not known
            elif there[column.name] != column.type:
                others[column.name] = f"t.{quote_identifier(column.name)}::{column.type}"
        self._connection.execute("SAVEPOINT image")
        try:
            self._image(f"after_{i}", name, others)
        except psycopg.Error:
            # No cast leads from the one type to the other: their text has to do.
            self._connection.execute("ROLLBACK TO SAVEPOINT image")
            casts = {c: f"t.{quote_identifier(c)}::text" for c in others if c in there}
            self._image(f"after_{i}", name, {**others, **casts})
        return one(
            self._connection,
            f"SELECT sum(greatest(b.n - coalesce(a.n, 0), 0)) FROM pg_temp.before_{i} b LEFT JOIN pg_temp.after_{i} a ON a.h = b.h",
        )

    def _catalog_within(self) -> dict[TableName, set[tuple[str, str]]]:
        """The tables of the open transaction, each with its columns and their types."""
        found: dict[TableName, set[tuple[str, str]]] = {}
        for schema, table, column, kind in self._connection.execute(template("tables")).fetchall():
            found.setdefault(TableName(schema, table), set())
            if column is not None:
                found[TableName(schema, table)].add((column, kind))
        return found

    def _differences(self, wanted: Catalog) -> list[str]:
        """What of the tables that the case knows is not as in a catalogue."""
        with LiveSource(self._scratch.dsn(self._database), role="rehearsed") as source:
            now = source.catalog.tables
        found = []
        for name in sorted(
            {
                *self._undo.new,
                *self._undo.again,
                *(n for n in self._backup.tables if n in self._live.tables),
            }
        ):
            ours, theirs = wanted.tables.get(name), now.get(name)
            if ours is None or theirs is None:
                found += [f"table {name}"] * ((ours is None) != (theirs is None))
            elif ours.kind in ("table", "partitioned"):
                found += [f"{name}.{c.column} ({c.change})" for c in drift(ours, theirs)]
        return found

    def _again(self, again: Again, tell: Tell) -> str:
        for migration in again.migrations:
            tell("running the migrations again", migration.name)
            words = run_migration(
                self._scratch, self._database, migration.applied.decode("utf-8-sig"), again.schema
            )
            if words:
                return f"{migration.name} does not run again afterwards: {words}."
        odd = self._differences(self._live)
        if odd:
            return f"The migrations ran again afterwards, and what they make is not live's schema: {_some(odd)}."
        return "The migrations ran again afterwards, and made live's tables and columns again."
