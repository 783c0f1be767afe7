"""A choice, narrowed to what belongs to the rows that were named, and to what these need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from forensics.documents import plain
from forensics.errors import UsageError
from forensics.loss.sql import literal, same
from forensics.model import TableName
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.tables import LEFT_OUT, junction_parents
from forensics.recovery.choose.targets import Scope, Target
from forensics.recovery.narrow.closure import Closure
from forensics.recovery.narrow.edges import Edge, edges
from forensics.recovery.narrow.survivors import Survivors
from forensics.recovery.narrow.wanted import Reader, Wanted
from forensics.store import Store, tables_of


@dataclass(frozen=True)
class Share:
    """What comes back of one table.

    Attributes:
        rows: how many rows.
        needed: those of them that do not belong to what was named, and that others need.
        needed_by: the tables whose rows need them.
        undeclared: the tables that rows name though no foreign key says so, on their way to it.
    """

    name: TableName
    rows: int
    needed: int
    needed_by: tuple[str, ...]
    undeclared: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` has it."""
        return {
            **plain(self.name),
            "rows": self.rows,
            "needed": self.needed,
            "needed_by": list(self.needed_by),
            "undeclared": list(self.undeclared),
        }


class Belongings:
    """Knows what belongs to the rows that were named.

    Args:
        store: the case.
        scope: what was asked for.
        survivors: fetches rows that live on.

    Attributes:
        scope: what is to come back of it.
        asked_for: whether rows come back only because they were named: no statement is known to
            have taken one of them.
        notes: what else is to be known of how they were found.
    """

    def __init__(self, store: Store, scope: Scope, survivors: Survivors) -> None:
        if scope.columns:
            raise UsageError(
                "--columns brings back the values of dropped columns in every row, and cannot be "
                "narrowed to some.",
                "Leave out --columns, or --where and --rows.",
            )
        self._store, self._survivors = store, survivors
        self._edges: tuple[Edge, ...] = ()
        self._used: set[Edge] = set()
        self.notes: tuple[str, ...] = ()
        self._made: frozenset[TableName] = frozenset()
        self._first = True
        self._values = {entry.name for entry in store.overwritten() or () if entry.destroyed}
        self.scope, self.asked_for = scope, False

    @property
    def said(self) -> tuple[str, ...]:
        """What was asked for, as it was typed."""
        return (*self.scope.where, *self.scope.rows)

    def begin(self, cursor: duckdb.DuckDBPyConnection, scope: Scope) -> Scope:
        """Work out what belongs together; return what is to come back of it.

        Raises:
            UsageError, QueryError: what was asked for is wrong, or no row is meant.
            EvidenceError: a side that says what belongs together cannot be read.
        """
        self._cursor = cursor
        self._edges = edges(self._store)
        by_table: dict[TableName, list[Wanted]] = {}
        with closing(Reader(self._store)) as reader:
            for wanted in self._wanted(reader, scope):
                by_table.setdefault(wanted.name, []).append(wanted)
            closure = Closure(self._store, cursor, self._edges, junction_parents(self._store))
            for named in by_table.values():
                closure.find(named, reader, self._survivors)
            self._used, self.notes = closure.used, tuple(closure.notes)
        self._there = tables_of(cursor)
        if not scope.include_unexplained and not self._any_explained():
            # Rows that people name are asked for.
            self.asked_for = True
            self.scope = replace(scope, include_unexplained=True)
        return self.scope

    def _wanted(self, reader: Reader, scope: Scope) -> Iterator[Wanted]:
        for text in scope.where:
            yield reader.where(text)
        for text in scope.rows:
            yield reader.rows(text)

    def _any_explained(self) -> bool:
        """Whether a statement is known to have taken one of the rows that belong to it."""
        cause = self._store.get("cause")
        if cause is None:
            return False
        laid: dict[TableName, int] = {}
        for statement in cause.get("statements", ()):
            if not statement.get("column"):
                name = TableName(statement.get("schema"), statement.get("table"))
                laid[name] = laid.get(name, 0) + (statement["rows"] or 0)
        for result in self._store.results():
            number = self._store.number(result.name)
            if not laid.get(result.name) or not result.missing or number is None:
                continue
            rows = f"SELECT 1 FROM ({self._missing(number)}) b"
            if laid[result.name] < result.missing:
                if f"cause.rows_{number}" not in self._there:
                    continue  # it is not known which
                rows += f" JOIN cause.rows_{number} c USING (pair)"
            if self._ask(f"{rows} LIMIT 1"):
                return True
        return False

    # --- for who asks -------------------------------------------------------------------------

    def belonging(self, number: int) -> str:
        """The query for which pairs of a table's kept rows belong to it."""
        if not self._ask(
            f"SELECT 1 FROM duckdb_tables() WHERE table_name = 'belongs_{number}' AND temporary"
        ):
            return "SELECT 0::BIGINT AS pair WHERE false"
        return f"SELECT pair FROM belongs_{number}"

    def _missing(self, number: int) -> str:
        return (
            f"SELECT r.pair FROM rows.backup_{number} r "
            f"JOIN ({self.belonging(number)}) b ON b.pair = r.pair WHERE r.state = 'missing'"
        )

    def keeps(self, targets: Sequence[Target]) -> frozenset[TableName]:
        """The dropped tables among some targets that are made again.

        They are those with rows that come back, or cannot, and the parents of these.
        """
        dropped = {target.name: target for target in targets if target.kind == "recreate"}
        waiting = [target for target in dropped.values() if target.lost]
        found = {target.name for target in waiting}
        while waiting:
            for link in waiting.pop().links:
                parent = dropped.get(link.parent)
                if parent and link.declared and parent.name not in found:
                    found.add(parent.name)
                    waiting.append(parent)
        self._made |= found
        return self._made

    def shares(self, targets: Sequence[Target]) -> tuple[Share, ...]:
        """What comes back, table by table."""
        found = []
        for target in targets:
            if not target.rows:
                continue
            needs = self._ask(
                f"SELECT needed_by, count(*) FROM chosen_{target.number} "
                "WHERE needed_by IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
            needed = sum(rows for _, rows in needs)
            by = tuple(name for name, _ in needs)
            found.append(Share(target.name, target.rows, needed, by, self._undeclared(target)))
        return tuple(found)

    def _undeclared(self, target: Target) -> tuple[str, ...]:
        found = set()
        for edge in self._used:
            if edge.child == target.name and not edge.declared:
                found.add(str(edge.parent))
        return tuple(sorted(found))

    # --- leaving out --------------------------------------------------------------------------

    def leave_out(self, classes: Classes, targets: Sequence[Target]) -> None:
        """Set aside all rows but those that belong to it, and those that these need."""
        for target in targets:
            n = target.number
            self._ask(
                f"CREATE OR REPLACE TEMP TABLE chosen_{n} AS SELECT pair, "
                f"NULL::VARCHAR AS needed_by FROM class_{n} WHERE class = 'restorable' "
                f"AND pair IN ({self.belonging(n)})"
            )
        by_name = {target.name: target for target in targets}
        while self._add_all(classes, by_name):
            pass
        set_aside = ["restorable", "unexplained"]
        if self._first:  # later, what cannot return after all is told with its reason
            set_aside += ["blocked", "conflicting"]
        self._first = False
        for target in targets:
            n = target.number
            self._ask(
                f"UPDATE class_{n} SET class = {literal(LEFT_OUT)}, reason = NULL "
                f"WHERE class IN ({', '.join(map(literal, set_aside))}) "
                f"AND pair NOT IN (SELECT pair FROM chosen_{n}) "
                f"AND pair NOT IN ({self.belonging(n)})"
            )

    def _add_all(self, classes: Classes, targets: Mapping[TableName, Target]) -> int:
        """Choose the lost parents that chosen rows and values need; return how many."""
        added = 0
        for target in targets.values():
            for link in target.links:
                parent = targets.get(link.parent)
                if parent is not None:
                    rows = f"chosen_{target.number} c JOIN rows.backup_{target.number} r"
                    pair = f"{rows} ON c.pair = r.pair"
                    added += self._add(classes, target.name, link.columns, parent, pair, link)
        for edge in self._edges:
            parent = targets.get(edge.parent)
            number = self._store.number(edge.child)
            if parent is not None and edge.child in self._values and number is not None:
                pair = self._cells(edge, number)
                added += self._add(classes, edge.child, edge.columns, parent, pair, edge)
        return added

    def _cells(self, edge: Edge, number: int) -> str:
        """The overwritten references that belong to it, by one reference."""
        held = self._store.columns(edge.child, "backup")
        places = [str(held.index(column)) for column in edge.columns if column in held]
        return (
            f"(SELECT DISTINCT o.pair FROM rows.overwritten_{number} o "
            f"WHERE o.place IN ({', '.join(places) or 'NULL'}) "
            f"AND o.pair IN ({self.belonging(number)})) c "
            f"JOIN rows.backup_{number} r ON r.pair = c.pair AND r.state = 'changed'"
        )

    def _add(
        self,
        classes: Classes,
        child: TableName,
        columns: Sequence[str],
        parent: Target,
        rows: str,
        link: Any,
    ) -> int:
        """Choose the parents that rows of one table need by one reference."""
        ours, theirs = (
            self._store.columns(child, "backup"),
            self._store.columns(parent.name, "backup"),
        )
        kept = [f"rows.backup_{self._store.number(child)}", f"rows.backup_{parent.number}"]
        if not all(classes.has(table) for table in kept):
            return 0
        if not {*columns} <= {*ours} or not {*link.parent_columns} <= {*theirs}:
            return 0
        fields = [f"r.f{ours.index(column)}" for column in columns]
        keys = [f"p.f{theirs.index(column)}" for column in link.parent_columns]
        ((added,),) = self._ask(
            f"INSERT INTO chosen_{parent.number} "
            f"SELECT p.pair, {literal(str(child))} FROM {kept[1]} p "
            f"JOIN class_{parent.number} k ON k.pair = p.pair AND k.class = 'restorable' "
            f"WHERE p.state = 'missing' AND EXISTS (SELECT 1 FROM {rows} "
            f"WHERE {same(keys, fields)}) "
            f"AND p.pair NOT IN (SELECT pair FROM chosen_{parent.number})"
        )
        return int(added)

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._cursor.execute(query).fetchall()
        return found
