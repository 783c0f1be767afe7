"""Which tables rows return to: dropped ones, and those of which a statement took rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

from forensics.compare.options import matching
from forensics.loss.junctions import find_junctions
from forensics.model import Catalog, ForeignKey, Parent, Table, TableName, TableResult
from forensics.recovery.choose.targets import CLASSES, Link, Scope, Target
from forensics.recovery.choose.undefined import undefined
from forensics.recovery.relations import comparable
from forensics.store import Store

# Why a table of which rows are missing was not chosen: (class, reason).
Left = tuple[str, str]

LEFT_OUT = "left out"
UNASKED = "cause has not run: no statement is known to have taken them"
UNEXPLAINED = "no statement of a migration is known to have taken them"


class Choice:
    """Chooses the tables that rows return to.

    Args:
        store: the case, open.
        scope: what is asked for.
        explained: the tables of which it is known row by row what took them.
    """

    def __init__(
        self,
        store: Store,
        scope: Scope,
        explained: Collection[TableName],
    ) -> None:
        self._store, self._scope, self._explained = store, scope, explained
        self._backup, self._live = store.catalogs()
        self._junctions = junction_parents(store)
        self._renamed = _renamed(store)
        self._undefined = undefined(store)

    def targets(self, results: Sequence[TableResult]) -> dict[TableName, Target]:
        """The tables that rows are to return to, by name. Their rows are not classed yet."""
        chosen = {}
        for result in sorted(results, key=lambda r: r.name):
            if result.state != "dropped" and not result.missing:
                continue
            if self.why_left(result) is None:
                chosen[result.name] = result
        return {name: self._target(result, {*chosen}) for name, result in chosen.items()}

    def why_left(self, result: TableResult) -> Left | None:
        """Why the missing rows of a table are not to return; None where they are."""
        asked_for = bool(self._scope.tables)
        if asked_for and not matching(result.name, (), self._scope.tables):
            return LEFT_OUT, "--table does not name it"
        if result.state not in ("dropped", "compared"):
            return LEFT_OUT, "it could not be compared"
        if result.history and not asked_for:
            # What ran has run, and its tool would stumble over what it took back itself.
            return LEFT_OUT, "it is the history of a migration tool; --table brings it back"
        if result.state == "dropped":
            return self._why_dropped_is_left(result.name, asked_for)
        if self._scope.include_unexplained or self._is_explained(result):
            return None
        if self._store.get("cause") is None:
            return "unexplained", UNASKED
        return "unexplained", UNEXPLAINED

    def _why_dropped_is_left(self, name: TableName, asked_for: bool) -> Left | None:
        if name in self._undefined:
            return "blocked", "the backup does not define the table"
        # A table that goes on under another name with all of its rows lost none.
        # It is made again where it is asked for.
        if name in self._renamed and not asked_for:
            return LEFT_OUT, "the table goes on under another name; --table makes it again"
        return None

    def _is_explained(self, result: TableResult) -> bool:
        """Whether `cause` lays all missing rows at statements, or says of which it does."""
        laid = self._laid(result)
        if laid == result.missing:
            return True
        return laid > 0 and result.name in self._explained

    def _laid(self, result: TableResult) -> int:
        """How many of a surviving table's missing rows `cause` is known to lay at statements."""
        rows = 0
        for statement in (self._store.get("cause") or {}).get("statements", ()):
            place = (statement.get("schema"), statement.get("table"))
            if not statement.get("column") and place == tuple(result.name):
                rows += statement["rows"] or 0
        return rows

    def _target(self, result: TableResult, chosen: set[TableName]) -> Target:
        name = result.name
        table = self._live.tables.get(name)
        columns = stored = self._store.columns(name, "backup")
        kind: Literal["recreate", "insert"] = "recreate"
        live_rows = 0
        if result.state == "dropped" or table is None:
            table = self._backup.tables[name]
        else:
            kind, live_rows = "insert", result.live_rows or 0
            columns = tuple(c for c in stored if _writable(table, c))
        number = self._store.number(name)
        assert number is not None
        return Target(
            name,
            number,
            kind,
            columns,
            tuple(f"f{stored.index(c)}" for c in columns),
            result.key,
            self._links(table, set(columns), chosen),
            live_rows,
            result.missing or 0,
            dict.fromkeys(CLASSES, 0),
        )

    # --- links --------------------------------------------------------------------------------

    def _links(
        self,
        table: Table,
        columns: set[str],
        chosen: set[TableName],
    ) -> tuple[Link, ...]:
        """The foreign keys of a table, and its links that the schema does not declare."""
        found: dict[Link, None] = {}
        for link in (*self._declared(table, chosen), *self._undeclared(table, chosen)):
            if set(link.columns) <= columns and self._can_be_followed(table, link):
                found[link] = None
        return tuple(found)

    def _declared(self, table: Table, chosen: set[TableName]) -> Iterator[Link]:
        """Yield what live declares, and what the backup did and live does not any more.

        The latter went with a parent, by DROP … CASCADE, say.
        """
        now = {key.columns for key in table.foreign_keys}
        before = [k for k in self._backup.tables[table.name].foreign_keys if k.columns not in now]
        for keys, declared in ((table.foreign_keys, True), (before, False)):
            for key in keys:
                if key.enforced:
                    referenced = _referenced(key, self._backup, self._live)
                    exists = self._there(key.parent, chosen)
                    yield Link(key.columns, key.parent, referenced, declared, exists)

    def _undeclared(self, table: Table, chosen: set[TableName]) -> list[Link]:
        found = []
        for end in self._junctions.get(table.name, ()):
            if not end.declared:
                exists = self._there(end.name, chosen)
                found.append(Link(end.columns, end.name, end.parent_columns, False, exists))
        return found

    def _can_be_followed(self, table: Table, link: Link) -> bool:
        """Whether live's parent still has the columns that a link names, of types that compare.

        Where live has no such table, it can be.
        """
        parent = self._live.tables.get(link.parent)
        if parent is None:
            return True
        for name, other in zip(link.columns, link.parent_columns, strict=False):
            column, key = table.column(name), parent.column(other)
            if column is None or key is None or not comparable(column.type, key.type):
                return False
        return True

    def _there(self, parent: TableName, chosen: set[TableName]) -> bool:
        return parent in self._live.tables or parent in chosen


def _renamed(store: Store) -> set[TableName]:
    """The tables that go on under another name, with all of their rows or with their keys."""
    found = set()
    for finding in store.get("findings") or ():
        if finding["kind"] == "renamed table":
            name = TableName(**finding["name"])
            if finding["rows"] == finding["of"] or keys_went_on(store, name, finding["other"]):
                found.add(name)
    return found


def keys_went_on(store: Store, name: TableName, other: str) -> bool:
    """Whether keys of a dropped table are, under their names, those of one that is there.

    Then it was renamed, whatever its rows.
    """
    backup, live = store.catalogs()
    ours = {key.name for key in backup.tables[name].keys}
    for there, table in live.tables.items():
        if str(there) == other and there.schema == name.schema:
            return not ours.isdisjoint(key.name for key in table.keys)
    return False


def _writable(live: Table, column: str) -> bool:
    found = live.column(column)
    return found is not None and not found.generated


def junction_parents(store: Store) -> dict[TableName, tuple[Parent, ...]]:
    """The junction tables of a case with their parents, undeclared ones included."""
    found = store.get("junctions")
    if found is None:
        backup, live = store.catalogs()
        return {**find_junctions(live), **find_junctions(backup)}
    parents: dict[TableName, tuple[Parent, ...]] = {}
    for junction in found:
        ends = []
        for end in junction["parents"]:
            # No statement of ours can follow a link whose table another column names.
            if "when" not in end:
                ends.append(_end(end))
        parents[TableName(**junction["name"])] = tuple(ends)
    return parents


def _end(kept: Mapping[str, Any]) -> Parent:
    """One end of a junction table's links, as the case keeps it."""
    return Parent(
        TableName(kept["schema"], kept["table"]),
        tuple(kept["columns"]),
        tuple(kept["parent_columns"]),
        kept["declared"],
    )


def _referenced(key: ForeignKey, *catalogs: Catalog) -> tuple[str, ...]:
    """The parent's columns: a dump may leave them out where they are its primary key."""
    if key.parent_columns:
        return key.parent_columns
    for catalog in catalogs:
        parent = catalog.tables.get(key.parent)
        if parent and parent.primary_key:
            return parent.primary_key.columns
    return ()
