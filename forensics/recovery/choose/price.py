"""What undoing the schema change would take from live, asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.errors import LiveError, is_lost
from forensics.evidence.live.source import LiveSource
from forensics.model import Column, Table, TableName, quote_identifier
from forensics.recovery.choose.accident import written_by
from forensics.recovery.choose.reversal import Reversal
from forensics.recovery.proof import TableShare
from forensics.recovery.relations import rows_of
from forensics.store import Store, has_table
from forensics.store.literals import literal

EXAMPLES = 3
MOST_HELD = 20_000  # rows of a new table that are held against what statements wrote

# A value is none of the former type, no value of the one is ever one of the other, or it is gone.
_NO_SUCH_VALUE = ("22", "42846", "42704")
# What is worked out for each row, so that a default with it is none for all.
_WORKED_OUT = (pb.FuncCall, pb.SQLValueFunction)


@dataclass(frozen=True)
class Price:
    """What live would lose, asked of it.

    Attributes:
        asked: whether live could be asked. Where not, only rows of new tables are known, from
            the case.
        shares: by table, rows that go, or that lose a value.
        unseen: by table, rows of which the comparison saw nothing: they hold a value in an
            added column and are the backup's otherwise.
        own: by new table, its rows that the accident's statements wrote: no price.
        notes: what could not be asked, and where a number is the most that it can be.
        uncounted: the tables of which live did not answer what they would lose.
    """

    asked: bool
    shares: tuple[TableShare, ...] = ()
    unseen: Mapping[TableName, int] = field(default_factory=dict)
    own: Mapping[TableName, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    uncounted: frozenset[TableName] = frozenset()

    def examples(self, name: TableName) -> tuple[dict[str, str | None], ...]:
        """The keys of some rows of a table that would lose something."""
        for share in self.shares:
            if share.name == name:
                return share.examples
        return ()


def price(store: Store, change: Reversal, source: LiveSource | None) -> Price:
    """Count on live what undoing the change would take.

    That is rows of new tables, and rows that would lose a value.

    Args:
        store: the case, open.
        change: what undoing it is about.
        source: live, open; None where it is not at hand.
    """
    if source is None:
        return _unasked(store, change)
    return _Asker(store, change, source).run()


def _unasked(store: Store, change: Reversal) -> Price:
    """The price as far as the case tells."""
    shares = []
    for result in store.results():
        if result.added and result.name in change.new:
            shares.append(TableShare(result.name, result.added))
    columns = []
    for name, filled in sorted(change.filled.items()):
        for column in filled:
            columns.append(f"{name}.{column.name}")
    if not columns:
        return Price(False, tuple(shares))
    note = f"Live was not asked how many rows hold values in {few(columns)}: give it with --live."
    return Price(False, tuple(shares), notes=(note,))


class _Asker:
    def __init__(self, store: Store, change: Reversal, source: LiveSource) -> None:
        self._store, self._change, self._source = store, change, source
        self._notes: list[str] = []
        self._written = written_by(store)
        self._own: dict[TableName, int] = {}

    def run(self) -> Price:
        shares: list[TableShare] = []
        unseen: dict[TableName, int] = {}
        uncounted = set()
        for name in sorted({*self._change.new, *self._change.hurt}):
            table = self._source.catalog.tables.get(name)
            if table is None:
                self._notes.append(f"Table {name} was there when live was compared, and is gone.")
                continue
            try:
                share, more = self._taken(table)
            except LiveError as error:
                if is_lost(error):
                    raise
                uncounted.add(name)
                self._notes.append(f"What {name} would lose is not known. {error.message}")
                continue
            if share.rows:
                shares.append(share)
            if more:
                unseen[name] = more
        return Price(
            True, tuple(shares), unseen, self._own, tuple(self._notes), frozenset(uncounted)
        )

    def _taken(self, table: Table) -> tuple[TableShare, int]:
        """Rows of a table that go or lose a value; and how many of them were not seen.

        A value is lost in a column that goes, and in one whose former type cannot hold it.
        Those in a column that goes may be in rows that are the backup's otherwise: the
        comparison did not see these.
        """
        if table.name in self._change.new:
            share = self._share(table, "true")
            self._own[table.name] = own = self._own_rows(table, share.rows)
            return replace(share, rows=share.rows - own), 0
        defaults = self._defaults(table)
        held = [_holds(column, default) for column, default in defaults.items()]
        shrunk = self._shrunk(table)
        filled = share = TableShare(table.name, 0)
        seen = 0
        if held:
            filled = share = self._share(table, " OR ".join(held))
        if shrunk:
            share = self._share(table, " OR ".join((*held, *shrunk)))
        if filled.rows:
            seen = self._seen(table.name, defaults)
        return share, max(0, filled.rows - seen)

    def _own_rows(self, table: Table, rows: int) -> int:
        """How many of a new table's rows the accident's statements wrote."""
        written = self._written.get(table.name)
        if written is None or not 0 < rows <= MOST_HELD:
            return 0
        texts = []
        for place, column in enumerate(written.columns):
            texts.append(f"t.{quote_identifier(column)}::text AS f{place}")
        found = self._ask(f"SELECT {', '.join(texts)} FROM {rows_of(table)} t")
        return written.held_against(self._store, found)

    def _defaults(self, table: Table) -> dict[str, str | None]:
        """The columns that go, each with the default that all of its rows have, or None."""
        found: dict[str, str | None] = {}
        for column in self._change.filled.get(table.name, ()):
            if table.column(column.name) is not None:
                found[column.name] = self._constant_default(column)
        for column in self._change.filled.get(table.name, ()):
            if column.name not in found:
                continue
            differs = column.default is not None and found[column.name] is None
            if differs or column.identity:
                self._notes.append(
                    f"{table.name}.{column.name} has a default that is worked out for each row, "
                    "so that all of its values are counted."
                )
        return found

    def _constant_default(self, column: Column) -> str | None:
        """A column's default as text where it is the same for every row, or None."""
        if column.default is None or not is_constant(column.default):
            return None
        typed = f"({column.default})::{column.type}"
        (found,) = self._ask(f"SELECT format('%s', {typed}) AS text")
        return str(found["text"])

    def _shrunk(self, table: Table) -> list[str]:
        """The conditions that a value is another once it has been of the former type.

        Where not every value can be of it, the column keeps its type, and nothing is lost.
        """
        found = []
        for column, then in self._change.retyped.get(table.name, ()):
            condition = _shrinks(column, then, table)
            try:
                self._count(table, condition)
            except LiveError as error:
                if not (error.sqlstate or "").startswith(_NO_SUCH_VALUE):
                    raise
                continue
            found.append(condition)
        return found

    def _share(self, table: Table, condition: str) -> TableShare:
        rows = self._count(table, condition)
        names = _shown(table)
        if not rows or not names:
            return TableShare(table.name, rows)
        texts = ", ".join(f"t.{name}::text AS {name}" for name in names)
        order = ", ".join(f"t.{name}::text" for name in names)
        examples = self._ask(
            f"SELECT {texts} FROM {rows_of(table)} t WHERE {condition} "
            f"ORDER BY {order} LIMIT {EXAMPLES}"
        )
        return TableShare(table.name, rows, tuple(examples))

    def _count(self, table: Table, condition: str) -> int:
        question = f"SELECT count(*) AS n FROM {rows_of(table)} t WHERE {condition}"
        (found,) = self._ask(question)
        return int(found["n"])

    def _ask(self, question: str) -> list[dict[str, Any]]:
        return self._source.ask(sql.SQL(question))  # type: ignore[arg-type]

    def _seen(self, name: TableName, defaults: Mapping[str, str | None]) -> int:
        """How many rows with a value in a column that goes the case holds as written."""
        held, number = self._store.columns(name, "live"), self._store.number(name)
        some = []
        for column, default in defaults.items():
            if column not in held:
                continue
            place = f"f{held.index(column)}"
            if default is None:
                some.append(f"{place} IS NOT NULL")
            else:
                some.append(f"({place} IS NOT NULL AND {place} <> {literal(default)})")
        if not some or number is None:
            return 0
        with self._store.query() as cursor:
            if not has_table(cursor, f"rows.live_{number}"):
                return 0
            found = cursor.execute(
                f"SELECT count(*) FROM rows.live_{number} "
                f"WHERE state IN ('added', 'changed') AND ({' OR '.join(some)})"
            ).fetchall()
        return int(found[0][0])


def _shown(table: Table) -> list[str]:
    """The columns, quoted, that examples of a table's rows are told by."""
    key = table.primary_key
    if key:
        return list(map(quote_identifier, key.columns))
    return [quote_identifier(column.name) for column in table.columns[:EXAMPLES]]


def is_constant(expression: str) -> bool:
    """Whether a default is the same for every row."""
    try:
        tree = postgast.parse(f"SELECT {expression}")
    except postgast.PgQueryError:
        return False
    for kind in _WORKED_OUT:
        for _ in postgast.find_nodes(tree, kind):
            return False
    return True


def _holds(column: str, default: str | None) -> str:
    """The condition that row `t` holds a value in a column, other than its default."""
    name = f"t.{quote_identifier(column)}"
    if default is None:
        return f"{name} IS NOT NULL"
    text = sql.Literal(default).as_string()
    return f"({name} IS NOT NULL AND format('%s', {name}) <> {text})"


def _shrinks(column: str, then: str, table: Table) -> str:
    """The condition that a column's value is another once it has been of the former type."""
    name, now = f"t.{quote_identifier(column)}", "text"
    found = table.column(column)
    if found:
        now = found.type
    been = f"({name}::{then})::{now}"
    return f"format('%s', {been}) IS DISTINCT FROM format('%s', {name})"


def few(names: Sequence[str], most: int = 5) -> str:
    """Some names, and how many there are besides."""
    shown = ", ".join(names[:most])
    if len(names) > most:
        shown += f" and {len(names) - most} more"
    return shown
