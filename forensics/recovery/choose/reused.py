"""Rows whose parents stand under other keys now: they follow the row, not the number.

Where live holds the parent's row under another key, the row returns with that key. Where another
row stands under the number, and where nothing stood there before, it is blocked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from forensics.loss.junctions import parent_of
from forensics.loss.reused import Reused, followed, keys_now, never_held, new_keys, reason
from forensics.loss.sql import literal, present, same
from forensics.loss.undeclared import undeclared
from forensics.model import Parent, TableName
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.targets import Target
from forensics.store import Store

_LIVES_ON = "live holds the row under another key"
_PROBABLY = "live probably holds the row under another key, and nothing proves it"
_SUGGESTED = "; a row that is probably the same has another key"


@dataclass(frozen=True)
class End:
    """Columns of a target that name a row of a table.

    Attributes:
        means: the condition on the row `r` under which they do.
    """

    parent: Reused
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    means: str


class Ends:
    """What columns name rows of tables that were compared, and what became of their keys.

    Args:
        store: the case.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._undeclared = undeclared(store)
        self._junctions: dict[TableName, list[Parent]] = {}
        for entry in store.get("junctions") or ():
            self._junctions[TableName(**entry["name"])] = [*map(parent_of, entry["parents"])]
        self._compared = {r.name for r in store.results() if r.state == "compared"}
        self._parents: dict[TableName, Reused | None] = {**followed(store)}

    def parent(self, name: TableName) -> Reused | None:
        """What became of the keys of a table that was compared; None where it was not."""
        if name not in self._parents:
            number = self._store.number(name) if name in self._compared else None
            found = None if number is None else Reused(name, number, False, again=False)
            self._parents[name] = found
        return self._parents[name]

    def of(self, target: Target) -> Iterator[End]:
        """Yield what of a target's columns names rows of such tables."""
        seen: set[tuple[str, ...]] = set()
        for link in target.links:
            parent = self.parent(link.parent)
            if parent and set(link.columns) <= set(target.columns):
                seen.add(link.columns)
                yield End(parent, link.columns, link.parent_columns, "true")
        for end in (*self._junctions.get(target.name, ()), *self._by_name(target)):
            parent = self.parent(end.name)
            if parent is None or end.columns in seen or not {*end.columns} <= {*target.columns}:
                continue
            means = "true"
            if end.when and end.when[0] in target.columns:
                means = f"{target.field(end.when[0])} = {literal(end.when[1])}"
            yield End(parent, end.columns, end.parent_columns, means)

    def _by_name(self, target: Target) -> Iterator[Parent]:
        """Yield what else a target's columns refer to; not what has a kind beside."""
        told = {end.columns for end in self._junctions.get(target.name, ())}
        for end in self.undeclared(target.name):
            if end.columns not in told:
                yield end

    def undeclared(self, name: TableName) -> tuple[Parent, ...]:
        """What columns of a table refer to though no key says so."""
        return self._undeclared.get(name, ())


class Followed:
    """Follows the rows of targets to their parents.

    Args:
        store: the case.
        cursor: on it.
        classes: of the targets' rows.
        ends: what their columns name.
    """

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        classes: Classes,
        ends: Ends,
    ) -> None:
        self._store, self._cursor, self._classes = store, cursor, classes
        self._ends = ends

    def follow(self, target: Target) -> None:
        """Block a target's rows that would name another row; put today's keys into the others."""
        own = self._ends.parent(target.name)
        if own and own.again and not own.whole:
            self._leave_what_lives_on(target, own)
        joins, now = "", dict[str, str]()
        for number, end in enumerate(self._ends.of(target)):
            joins += self._follow(target, end, f"now_{target.number}_{number}", now)
        if now:
            self._translate(target, joins, now)

    def _leave_what_lives_on(self, target: Target, own: Reused) -> None:
        """Rows that live holds under another key are not written again."""
        known = f"SELECT 1 FROM again.rows_{own.number} a WHERE a.pair = r.pair AND NOT a.taken"
        mark = self._classes.mark
        firm = f"EXISTS ({known} AND a.live_pair IS NOT NULL)"
        mark(target, "superseded", firm, _LIVES_ON)
        mark(target, "blocked", f"EXISTS ({known} AND a.likely IS NOT NULL)", _PROBABLY)

    # --- what names a row -------------------------------------------------------------------

    def _follow(self, target: Target, end: End, table: str, now: dict[str, str]) -> str:
        """Block what names a row that is gone; return the join for the others."""
        fields = [target.field(column) for column in end.columns]
        mark = self._classes.mark
        new = new_keys(self._store, end.parent, end.parent_columns, fields)
        if new and not end.parent.whole and self._classes.has(f"rows.live_{end.parent.number}"):
            mark(target, "blocked", f"{end.means} AND {new}", never_held(end.parent.name))
        if not (end.parent.again or end.parent.anew):
            return ""
        keys = None
        if not end.parent.whole:
            columns = end.parent_columns
            keys = keys_now(self._store, end.parent, columns, columns)
        why = reason(end.parent.name)
        if keys is None:
            if end.parent.again:
                mark(target, "blocked", f"{end.means} AND {present(fields)}", why)
            return ""
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {keys}")
        on = same(fields, [f"{table}.k{place}" for place in range(len(fields))])
        gone = f"{end.means} AND EXISTS (SELECT 1 FROM {table} WHERE {on} AND n0 IS NULL"
        mark(target, "blocked", f"{gone} AND likely0 IS NOT NULL)", why + _SUGGESTED)
        mark(target, "blocked", f"{gone})", why)
        for place, field in enumerate(fields):
            was = now.get(field, field)
            now[field] = (
                f"CASE WHEN {end.means} THEN coalesce({table}.n{place}, {was}) ELSE {was} END"
            )
        return f" LEFT JOIN {table} ON {on}"

    def _translate(self, target: Target, joins: str, now: Mapping[str, str]) -> None:
        """Make the table of a target's missing rows in today's keys."""
        listing = self._fields(target, now)
        rows = f"rows.backup_{target.number} r{joins} WHERE r.state = 'missing'"
        name = f"today_{target.number}"
        self._cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT r.pair, r.state, {listing} FROM {rows}"
        )
        self._classes.translated[target.number] = name

    def _fields(self, target: Target, now: Mapping[str, str]) -> str:
        fields: Sequence[str] = self._store.columns(target.name, "backup")
        found = []
        for place in range(len(fields)):
            field = f"r.f{place}"
            found.append(f"{now.get(field, field)} AS f{place}")
        return ", ".join(found)
