"""Rows whose parents' keys were used again: they follow the row, not the number.

Where live holds the parent's row under another key, the row returns with that key; where it does
not, the row is blocked, for another row stands under the number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from forensics.loss.inference import named_after
from forensics.loss.junctions import parent_of
from forensics.loss.reused import Reused, keys_now, new_keys, reason
from forensics.loss.sql import literal, present, same
from forensics.model import Parent, Table, TableName
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.targets import Target
from forensics.store import Store

_LIVES_ON = "live holds the row under another key"
_PROBABLY = "live probably holds the row under another key, and nothing proves it"
_SUGGESTED = "; a row that is probably the same has another key"


@dataclass(frozen=True)
class End:
    """Columns of a target that name a row of a table whose keys were used again.

    Attributes:
        means: the condition on the row `r` under which they do.
    """

    parent: Reused
    columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    means: str


def ends(store: Store, used: Mapping[TableName, Reused], target: Target) -> Iterator[End]:
    """Yield what of a target's columns names rows of tables whose keys were used again.

    Args:
        store: the case.
        used: those tables.
        target: the table.
    """
    seen: set[tuple[str, ...]] = set()
    for link in target.links:
        parent = used.get(link.parent)
        if parent and set(link.columns) <= set(target.columns):
            seen.add(link.columns)
            yield End(parent, link.columns, link.parent_columns, "true")
    for end in (*_of_junction(store, used, target), *_by_name(store, used, target)):
        parent = used.get(end.name)
        if parent is None or end.columns in seen or not set(end.columns) <= set(target.columns):
            continue
        means = "true"
        if end.when and end.when[0] in target.columns:
            means = f"{target.field(end.when[0])} = {literal(end.when[1])}"
        yield End(parent, end.columns, end.parent_columns, means)


def _by_name(store: Store, used: Mapping[TableName, Reused], target: Target) -> Iterator[Parent]:
    """Yield what else a target's columns refer to, by their names; not what has a kind beside."""
    told = set()
    for end in _of_junction(store, used, target):
        told.add(end.columns)
    for column, other in undeclared(store, used, target.name):
        if (column,) not in told and other.primary_key:
            yield Parent(other.name, (column,), other.primary_key.columns, declared=False)


def undeclared(
    store: Store, used: Mapping[TableName, Reused], name: TableName
) -> Iterator[tuple[str, Table]]:
    """Yield the columns of a table that are named after one whose keys were used again."""
    if not used:
        return
    backup = store.catalogs()[0]
    table = backup.tables.get(name)
    for column, other in named_after(table, backup) if table else ():
        if other.name in used:
            yield column, other


def _of_junction(
    store: Store, used: Mapping[TableName, Reused], target: Target
) -> Iterator[Parent]:
    """Yield the ends of a target that is a junction table."""
    if not used:
        return
    for entry in store.get("junctions") or ():
        if TableName(**entry["name"]) == target.name:
            yield from map(parent_of, entry["parents"])


class Followed:
    """Follows the rows of targets to their parents.

    Args:
        store: the case.
        cursor: on it.
        classes: of the targets' rows.
        used: the tables whose keys were used again.
    """

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        classes: Classes,
        used: Mapping[TableName, Reused],
    ) -> None:
        self._store, self._cursor, self._classes = store, cursor, classes
        self._used = used

    def follow(self, target: Target) -> None:
        """Block a target's rows that would name another row; put today's keys into the others."""
        own = self._used.get(target.name)
        if own and not own.whole:
            self._leave_what_lives_on(target, own)
        joins, now = "", dict[str, str]()
        for number, end in enumerate(ends(self._store, self._used, target)):
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
        why = reason(end.parent.name)
        keys = None
        if not end.parent.whole:
            columns = end.parent_columns
            keys = keys_now(self._store, end.parent, columns, columns)
        if keys is None:
            self._classes.mark(target, "blocked", f"{end.means} AND {present(fields)}", why)
            return ""
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {keys}")
        on = same(fields, [f"{table}.k{place}" for place in range(len(fields))])
        gone = f"{end.means} AND EXISTS (SELECT 1 FROM {table} WHERE {on} AND n0 IS NULL"
        mark = self._classes.mark
        mark(target, "blocked", f"{gone} AND likely0 IS NOT NULL)", why + _SUGGESTED)
        mark(target, "blocked", f"{gone})", why)
        new = new_keys(self._store, end.parent, end.parent_columns, fields)
        if new:
            never = f"it refers to a row of {end.parent.name} that the backup does not hold either"
            mark(target, "blocked", f"{end.means} AND {new}", never)
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
