"""Which missing rows are to come back, which of them can, and what keeps the others.

By default only what the migration took comes back: rows of dropped tables, and rows that
`cause` lays at a statement. Rows that the application may have deleted itself stay deleted
unless they are asked for.

A row is *blocked* where it refers to a parent row that live no longer has and that does not
come back itself, and *conflicting* where live has a row under one of its unique values, or
demands a value that it does not have. Both are worked out from the case alone. What the case
cannot know (checks, exclusions, partial and expression indexes, types that changed)
`rehearse.foresight` finds out on a copy of live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from forensics.compare.options import matching
from forensics.errors import UsageError
from forensics.evidence import arrays
from forensics.evidence.written import copy_text
from forensics.loss.reused import used_again
from forensics.model import Catalog, TableName, TableResult
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.conflicts import conflicts
from forensics.recovery.choose.held import unclassified
from forensics.recovery.choose.narrowing import Narrowing
from forensics.recovery.choose.references import Orphans, References
from forensics.recovery.choose.reused import Ends, Followed
from forensics.recovery.choose.tables import Choice, Left, junction_parents
from forensics.recovery.choose.targets import CLASSES, Keys, Link, Scope, Target
from forensics.store import Store
from forensics.store.lending import lend
from forensics.store.values import spliced

__all__ = [
    "CLASSES",
    "Keys",
    "Link",
    "Scope",
    "Selection",
    "Target",
    "junction_parents",
    "select",
    "texts",
]

_BATCH = 50_000


class Selection:
    """The tables that rows return to, in the order in which they can be filled.

    Good while its case is open.

    Attributes:
        aside: chosen tables of which nothing is lost: live holds the rows elsewhere.
        left: the tables with missing rows that were not chosen, and why.
        narrowing: what knows which rows were asked for, where not all were.
    """

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        references: References,
        targets: Sequence[Target],
        left: Mapping[TableName, Left],
        narrowing: Narrowing | None = None,
    ) -> None:
        self.store, self.left, self.narrowing = store, left, narrowing
        self._cursor, self._references = cursor, references
        found = references.settle({target.name: target for target in targets})
        made = {target.name for target in found if target.kind == "recreate"}
        if narrowing is not None:
            narrowing.leave_out(references.classes, found)
            references.look_again()
            found = [references.classes.counted(target) for target in found]
            made &= narrowing.keeps(found)
        self.targets = tuple(t for t in found if t.lost or t.name in made)
        self.aside = tuple(t for t in found if t not in self.targets)

    def refused(self, found: Mapping[TableName, Sequence[tuple[int, str]]]) -> Selection:
        """The selection without rows that live would refuse.

        They conflict, and rows that refer to them are blocked.

        Args:
            found: by table, which of its restorable rows, numbered from 0 in the order of
                `lines`, and why.
        """
        for target in self.targets:
            if found.get(target.name):
                self._references.classes.refuse(target, found[target.name])
        return self._settled()

    def orphaned(self, found: Orphans) -> Selection:
        """The selection without rows that refer to rows which live has not, and which stay away.

        They are blocked.

        Args:
            found: by table and link, the keys that the parent has not in live, each with the
                spelling of the parent row that returns, or None.
        """
        self._references.keep_orphans(found)
        return self._settled()

    def _settled(self) -> Selection:
        """The selection once more, now that other rows of its targets can return."""
        targets = (*self.targets, *self.aside)
        return Selection(
            self.store, self._cursor, self._references, targets, self.left, self.narrowing
        )

    def lines(
        self,
        target: Target,
        classes: Sequence[str] = ("restorable",),
        fields: Sequence[str] | None = None,
    ) -> Iterator[str]:
        """Yield the rows of some classes as COPY text, a run of lines at a time.

        Args:
            fields: which of the target's fields; None for all.
        """
        yield from self.copy(self.lines_query(target, classes, fields))

    def lines_query(
        self,
        target: Target,
        classes: Sequence[str] = ("restorable",),
        fields: Sequence[str] | None = None,
    ) -> str:
        """The query for the fields of what `lines` yields."""
        fields = [f"r.{f}" for f in fields or target.fields]
        wanted = ", ".join(map(repr, classes))
        return (
            f"SELECT {', '.join(fields)} FROM {self.rows(target)} "
            f"WHERE c.class IN ({wanted}) ORDER BY r.pair"
        )

    def rows(self, target: Target) -> str:
        """What to select a target's missing rows from.

        The row is `r` (columns `f0`, `f1`, …), its class `c.class`.
        """
        rows = self._references.classes.rows(target)
        return f"{rows} r JOIN class_{target.number} c ON c.pair = r.pair"

    def field(self, target: Target, column: str) -> str:
        """The place of a target's column in `rows`."""
        return target.field(column)

    def copy(self, query: str) -> Iterator[str]:
        """Yield the rows that a query answers as COPY text, a run of lines at a time.

        Long values come in pieces.
        """
        return spliced(self.store.folder, self.kept(query))

    def kept(self, query: str) -> Iterator[str]:
        """Yield the same in runs of whole lines, with marks where long values stand."""
        yield from texts(self._cursor, query)

    def keep(self, name: str, values: Sequence[str]) -> None:
        """Keep values as a temporary table with one column, `key`."""
        kept = pa.table({"key": arrays.values(values)})
        lend(self._cursor, "kept_values", kept)
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT key FROM kept_values")
        self._cursor.unregister("kept_values")

    def keep_rows(self, name: str, query: str) -> None:
        """Keep what a query answers as a temporary table."""
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the case, the classes included."""
        found: list[tuple[Any, ...]] = self._cursor.execute(query).fetchall()
        return found

    def has(self, table: str) -> bool:
        """Whether the case has a table, such as `rows.backup_1`."""
        return self._references.classes.has(table)

    def target(self, name: TableName) -> Target | None:
        """The target of that name, or None."""
        return next((t for t in self.targets if t.name == name), None)

    @property
    def returning(self) -> int:
        """How many rows come back."""
        return sum(target.rows for target in self.targets)

    @property
    def blocked(self) -> int:
        """How many lost rows cannot come back."""
        return sum(target.blocked for target in self.targets)

    @property
    def freed(self) -> int:
        """How many rows come back that are blocked until their parents do."""
        return sum(target.freed for target in self.targets)

    @property
    def recreated(self) -> tuple[Target, ...]:
        """The tables that live dropped."""
        return tuple(t for t in self.targets if t.kind == "recreate")

    @property
    def dropped(self) -> list[TableName]:
        """The names of the tables that live dropped."""
        return [target.name for target in self.recreated]

    @property
    def inserted(self) -> tuple[Target, ...]:
        """The tables that live has."""
        return tuple(t for t in self.targets if t.kind == "insert")


def texts(cursor: duckdb.DuckDBPyConnection, query: str) -> Iterator[str]:
    """Yield the rows that a query of a case answers as COPY text, as `Selection.kept` does."""
    for batch in cursor.sql(query).to_arrow_reader(_BATCH):
        yield copy_text(batch)


@contextmanager
def select(store: Store, scope: Scope, narrowing: Narrowing | None = None) -> Iterator[Selection]:
    """Choose what comes back, and work out which rows can.

    Args:
        store: the case.
        scope: what is asked for.
        narrowing: what knows which rows belong to those that were named, where some were.

    Raises:
        UsageError: the patterns choose no table that the case knows.
    """
    results = store.results()
    if scope.tables and not any(matching(r.name, (), scope.tables) for r in results):
        raise UsageError("--table chooses no table of the case.", "case.tables lists them.")
    with store.query() as cursor:
        if narrowing is not None:
            scope = narrowing.begin(cursor, scope)
        yield _select(store, cursor, scope, results, narrowing)


def _select(
    store: Store,
    cursor: duckdb.DuckDBPyConnection,
    scope: Scope,
    results: Sequence[TableResult],
    narrowing: Narrowing | None,
) -> Selection:
    classes = Classes(cursor)
    numbers = {}
    explained = set()
    for result in results:
        number = numbers[result.name] = store.number(result.name)
        if classes.has(f"cause.rows_{number}"):
            explained.add(result.name)
    choice = strict = Choice(store, scope, explained)
    if narrowing is not None:
        # Of every table it is told row by row what belongs to it, and why it stays.
        choice = Choice(store, replace(scope, include_unexplained=True), explained)
    targets = choice.targets(results)
    left = {}
    for result in results:
        if (result.missing or result.state == "failed") and result.name not in targets:
            why = choice.why_left(result)
            if why:
                left[result.name] = why
    for name in unclassified(store, targets):
        targets[name] = replace(targets[name], unclassified=True)
    catalogs = store.catalogs()
    ends = Ends(store)
    followed = Followed(store, cursor, classes, ends)
    again = list(used_again(store))
    unasked = _unexplained(strict, results)
    for target in targets.values():
        # Of what names rows of tables whose keys were used again, it is `followed` that knows.
        known = {*targets, *again}
        classes.begin(target, known, not scope.include_unexplained)
        if target.name in unasked:
            classes.mark(target, "unexplained", "true", unasked[target.name])
        followed.follow(target)
        if target.kind == "insert":
            _mark_conflicts(store, catalogs, classes, target)
    references = References(store, cursor, classes, numbers)
    return Selection(store, cursor, references, [*targets.values()], left, narrowing)


def _unexplained(choice: Choice, results: Sequence[TableResult]) -> dict[TableName, str]:
    """The tables of which it is not known what took their rows, and why these stay."""
    found = {}
    for result in results:
        left = choice.why_left(result)
        if left and left[0] == "unexplained":
            found[result.name] = left[1]
    return found


def _mark_conflicts(
    store: Store, catalogs: tuple[Catalog, Catalog], classes: Classes, target: Target
) -> None:
    """Class those of a target's rows as conflicting that live would refuse."""
    backup, live = catalogs
    held = None
    if classes.has(f"rows.live_{target.number}"):
        held = store.columns(target.name, "live")
    sides = backup.tables[target.name], live.tables[target.name]
    for condition, reason in conflicts(target, *sides, held):
        classes.mark(target, "conflicting", condition, reason)
