"""Which missing rows are to come back, which of them can, and what stands in the way of the others.

By default only what the migration took comes back: rows of dropped tables, and rows that `cause` lays at a statement.
Rows that the application may have deleted itself stay deleted unless they are asked for.

A row is *blocked* where it refers to a parent row that live no longer has and that does not come back itself, and
*conflicting* where live has a row under one of its unique values, or demands a value that it does not have. Both are
worked out from the case alone: a parent row is gone exactly where the comparison found it missing or its key changed.
What the case cannot know (checks, exclusions, partial and expression indexes, types that changed) `foresight` finds out
on a copy of live.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import duckdb
import pyarrow as pa

from forensics.compare.options import matching
from forensics.errors import UsageError
from forensics.evidence.migrations import is_history
from forensics.loss.junctions import find_junctions
from forensics.model import Catalog, ForeignKey, Parent, Table, TableName, TableResult
from forensics.recovery.write.definitions import comparable
from forensics.store import Store

# unexplained: of a surviving table, and no statement is known to have taken it.
CLASSES = ("restorable", "moved", "superseded", "blocked", "conflicting", "unexplained")
REASONS_SHOWN = 5

# A value as COPY writes it. Backslashes first, so that those of the other escapes stay single.
_FIELD_MACRO = r"""
CREATE OR REPLACE TEMP MACRO copy_field(v) AS CASE
    WHEN v IS NULL THEN '\N'
    WHEN NOT regexp_matches(v, '[\\\x08-\x0d]') THEN v
    ELSE replace(replace(replace(replace(replace(replace(replace(v, '\', '\\'), chr(10), '\n'), chr(9), '\t'),
         chr(13), '\r'), chr(8), '\b'), chr(12), '\f'), chr(11), '\v') END
"""


Keys = Sequence[tuple[tuple[str, ...], tuple[str, ...] | None]]


@dataclass(frozen=True)
class Scope:
    """What is to come back.

    Attributes:
        tables: shell patterns that narrow the choice; empty means all.
        include_unexplained: rows of surviving tables that no statement is known to have taken come back too.
        columns: the values of dropped columns come back too.
    """

    tables: tuple[str, ...] = ()
    include_unexplained: bool = False
    columns: bool = False


@dataclass(frozen=True)
class Link:
    """A reference that rows of a target make: `columns` name a row of `parent`.

    `declared` is false for a link that the schema does not enforce; `exists` where the parent table is in live or comes back.
    """

    columns: tuple[str, ...]
    parent: TableName
    parent_columns: tuple[str, ...]
    declared: bool = True
    exists: bool = True


@dataclass(frozen=True)
class Target:
    """One table that rows return to.

    Attributes:
        kind: "recreate" a table that live dropped, or "insert" into one that it has.
        columns: what is written, in order; `fields` are their columns in the case.
        key: what tells its rows apart; empty where nothing does.
        links: the references that its rows make.
        live_rows: how many rows live held when compared.
        missing: how many of its rows are missing, and of these by class: `counts`.
        reasons: why rows are blocked or conflicting, the most frequent first: (reason, rows).
    """

    name: TableName
    number: int
    kind: Literal["recreate", "insert"]
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    key: tuple[str, ...]
    links: tuple[Link, ...]
    live_rows: int
    missing: int
    counts: dict[str, int]
    reasons: tuple[tuple[str, int], ...] = ()

    @property
    def rows(self) -> int:
        """How many rows come back."""
        return self.counts["restorable"]

    @property
    def blocked(self) -> int:
        """How many lost rows cannot come back, for whatever reason."""
        return self.counts["blocked"] + self.counts["conflicting"]


class Selection:
    """The tables that rows return to, in the order in which they can be filled. Good while its case is open."""

    def __init__(
        self, chooser: _Chooser, cursor: duckdb.DuckDBPyConnection, targets: Sequence[Target]
    ) -> None:
        self.store = chooser.store
        self._chooser, self._cursor = chooser, cursor
        self.targets = tuple(targets)

    def refused(self, found: Mapping[TableName, Sequence[tuple[int, str]]]) -> Selection:
        """The selection without rows that live would refuse: they conflict, and rows that refer to them are blocked.

        Args:
            found: by table, which of its restorable rows, numbered from 0 in the order of `lines`, and why.
        """
        return self._chooser.without(found, self.targets)

    def orphaned(self, found: Mapping[tuple[TableName, Link], Keys]) -> Selection:
        """The selection without rows that refer to rows which live does not have and which do not return: they are blocked.

        Args:
            found: by table and link, the keys that the parent has not in live, each with the spelling of the parent row that
                returns, or None.
        """
        return self._chooser.orphaned(found, self.targets)

    def lines(self, target: Target, classes: Sequence[str] = ("restorable",)) -> Iterator[str]:
        """Yield the rows of some classes as COPY text, a run of lines at a time."""
        fields = ", ".join(f"copy_field(r.{f})" for f in target.fields)
        yield from self.copy(
            f"SELECT concat_ws(chr(9), {fields}) AS line FROM {self.rows(target)} "
            f"WHERE c.class IN ({', '.join(repr(c) for c in classes)}) ORDER BY r.pair"
        )

    def rows(self, target: Target) -> str:
        """What to select a target's missing rows from: the row is `r` (columns `f0`, `f1`, …), its class `c.class`."""
        return f"rows.backup_{target.number} r JOIN class_{target.number} c ON c.pair = r.pair"

    def field(self, target: Target, column: str) -> str:
        """The place of a target's column in `rows`."""
        return f"r.{target.fields[target.columns.index(column)]}"

    def copy(self, query: str) -> Iterator[str]:
        """Yield what a query of one column of text answers, a run of lines at a time."""
        for batch in self._cursor.execute(query).to_arrow_reader(50_000):
            yield "".join(f"{line}\n" for line in batch.column(0).to_pylist())

    def keep(self, name: str, values: Sequence[str]) -> None:
        """Keep values as a temporary table with one column, `key`."""
        self._cursor.register("kept_values", pa.table({"key": pa.array(values, pa.string())}))
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT key FROM kept_values")
        self._cursor.unregister("kept_values")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the case, the classes included."""
        found: list[tuple[Any, ...]] = self._cursor.execute(query).fetchall()
        return found

    @property
    def recreated(self) -> tuple[Target, ...]:
        """The tables that live dropped."""
        return tuple(t for t in self.targets if t.kind == "recreate")

    @property
    def inserted(self) -> tuple[Target, ...]:
        """The tables that live has."""
        return tuple(t for t in self.targets if t.kind == "insert")


@contextmanager
def select(store: Store, scope: Scope) -> Iterator[Selection]:
    """Choose what comes back, and work out which rows can.

    Raises:
        UsageError: the patterns choose no table that the case knows.
    """
    results = store.results()
    if scope.tables and not any(matching(r.name, (), scope.tables) for r in results):
        raise UsageError("--table chooses no table of the case.", "case.tables lists them.")
    with store.query() as cursor:
        cursor.execute(_FIELD_MACRO)
        yield _Chooser(store, cursor, scope, results).selection()


class _Chooser:
    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        scope: Scope,
        results: Sequence[TableResult],
    ) -> None:
        self.store, self._db, self._scope = store, cursor, scope
        self._results = {r.name: r for r in results}
        self._backup, self._live = store.catalogs()
        self._junctions = junction_parents(store)
        self._numbers = {name: store.number(name) for name in self._results}
        renamed = [
            (TableName(**f["name"]), f)
            for f in store.get("findings") or ()
            if f["kind"] == "renamed table"
        ]
        self._renamed = {
            n for n, f in renamed if f["rows"] == f["of"] or keys_went_on(store, n, f["other"])
        }
        self._orphans: dict[
            tuple[TableName, Link], str
        ] = {}  # tables of keys that live's parents do not have

    def selection(self) -> Selection:
        chosen = [r for _, r in sorted(self._results.items()) if self._is_chosen(r)]
        names = {r.name for r in chosen}
        targets = {r.name: self._target(r, names) for r in chosen}
        for target in targets.values():
            self._begin(target, names)
        return self._settled(targets)

    def without(
        self, refused: Mapping[TableName, Sequence[tuple[int, str]]], targets: Sequence[Target]
    ) -> Selection:
        """The selection of `targets` without the refused rows, as `Selection.refused` has it."""
        for target in (t for t in targets if refused.get(t.name)):
            places, reasons = zip(*refused[target.name], strict=True)
            self._db.register(
                "refused",
                pa.table(
                    {
                        "place": pa.array(places, pa.int64()),
                        "reason": pa.array(reasons, pa.string()),
                    }
                ),
            )
            self._db.execute(
                f"UPDATE class_{target.number} c SET class = 'conflicting', reason = x.reason "
                f"FROM (SELECT pair, row_number() OVER (ORDER BY pair) - 1 AS place FROM class_{target.number} WHERE class = 'restorable') o "
                "JOIN refused x ON x.place = o.place WHERE c.pair = o.pair"
            )
            self._db.unregister("refused")
        return self._settled({t.name: t for t in targets})

    def orphaned(
        self, found: Mapping[tuple[TableName, Link], Keys], targets: Sequence[Target]
    ) -> Selection:
        """The selection of `targets` without rows that refer to nothing, as `Selection.orphaned` has it."""
        for n, ((name, link), keys) in enumerate(
            sorted(found.items(), key=lambda f: (f[0][0], f[0][1].columns, f[0][1].parent))
        ):
            places = range(len(link.columns))
            columns = {f"k{i}": pa.array([k[i] for k, _ in keys], pa.string()) for i in places}
            columns |= {
                f"p{i}": pa.array([p and p[i] for _, p in keys], pa.string()) for i in places
            }
            self._db.register("orphans", pa.table(columns))
            self._db.execute(f"CREATE OR REPLACE TEMP TABLE orphans_{n} AS SELECT * FROM orphans")
            self._db.unregister("orphans")
            self._orphans[name, link] = f"orphans_{n}"
        return self._settled({t.name: t for t in targets})

    def _settled(self, targets: dict[TableName, Target]) -> Selection:
        """Block what refers to rows that do not come back, and count."""
        while sum(self._block(t, targets) for t in targets.values()):
            pass
        counted = [self._counted(t) for t in _in_order(targets)]
        return Selection(
            self, self._db, [t for t in counted if t.rows or t.blocked or t.kind == "recreate"]
        )

    def _is_chosen(self, result: TableResult) -> bool:
        if self._scope.tables and not matching(result.name, (), self._scope.tables):
            return False
        if result.state == "dropped":
            # A table that goes on under another name with all of its rows lost none. It is made again where it is asked for.
            return bool(self._scope.tables) or result.name not in self._renamed
        if result.state != "compared" or not result.missing:
            return False
        if not self._scope.tables and is_history(self._live.tables[result.name]):
            return (
                False  # what ran has run, and its tool would stumble over what it took back itself
            )
        return (
            self._scope.include_unexplained
            or self._laid(result) == result.missing
            or (self._laid(result) > 0 and self._has(f"cause.rows_{self._numbers[result.name]}"))
        )

    def _laid(self, result: TableResult) -> int:
        """How many of a surviving table's missing rows `cause` lays at statements."""
        found = self.store.get("cause") or {}
        return sum(
            s["rows"] or 0
            for s in found.get("statements", ())
            if not s.get("column") and (s.get("schema"), s.get("table")) == tuple(result.name)
        )

    def _target(self, result: TableResult, chosen: set[TableName]) -> Target:
        name = result.name
        ours = self._backup.tables[name]
        stored = self.store.columns(name, "backup")
        theirs = self._live.tables.get(name)
        recreate = result.state == "dropped" or theirs is None
        columns = (
            stored
            if recreate or theirs is None
            else tuple(c for c in stored if _writable(theirs, c))
        )
        number = self._numbers[name]
        assert number is not None
        return Target(
            name,
            number,
            "recreate" if recreate else "insert",
            columns,
            tuple(f"f{stored.index(c)}" for c in columns),
            result.key,
            self._links(ours if recreate or theirs is None else theirs, set(columns), chosen),
            0 if recreate else result.live_rows or 0,
            result.missing or 0,
            dict.fromkeys(CLASSES, 0),
        )

    def _links(self, table: Table, columns: set[str], chosen: set[TableName]) -> tuple[Link, ...]:
        """The foreign keys of a table, and the links of a junction table that the schema does not declare."""
        found: list[Link] = []
        for key in table.foreign_keys:
            found.append(
                Link(
                    key.columns,
                    key.parent,
                    _referenced(key, self._backup, self._live),
                    True,
                    self._there(key.parent, chosen),
                )
            )
        for parent in self._junctions.get(table.name, ()):
            if not parent.declared:
                found.append(
                    Link(
                        parent.columns,
                        parent.name,
                        parent.parent_columns,
                        False,
                        self._there(parent.name, chosen),
                    )
                )
        return tuple(
            k
            for k in dict.fromkeys(found)
            if set(k.columns) <= columns and self._can_be_followed(table, k)
        )

    def _can_be_followed(self, table: Table, link: Link) -> bool:
        """Whether live's parent, where it has one, still has the columns that a link names, and of types that can be compared."""
        parent = self._live.tables.get(link.parent)
        if parent is None:
            return True
        for name, other in zip(link.columns, link.parent_columns, strict=False):
            ours, theirs = table.column(name), parent.column(other)
            if ours is None or theirs is None or not comparable(ours.type, theirs.type):
                return False
        return True

    def _there(self, parent: TableName, chosen: set[TableName]) -> bool:
        return parent in self._live.tables or parent in chosen

    # --- classes -----------------------------------------------------------------------------------

    def _begin(self, target: Target, chosen: set[TableName]) -> None:
        """Table class_N: (pair, class, reason) of the missing rows, before anything is known of their parents."""
        n = target.number
        source = f"SELECT pair FROM rows.backup_{n} WHERE state = 'missing'"
        if not self._has(f"rows.backup_{n}"):
            source = "SELECT 0::BIGINT AS pair WHERE false"
        self._db.execute(
            f"CREATE OR REPLACE TEMP TABLE class_{n} AS SELECT pair, 'restorable' AS class, NULL::VARCHAR AS reason FROM ({source})"
        )
        if self._has(f"loss.links_{n}"):
            self._db.execute(
                f"UPDATE class_{n} c SET class = l.class, reason = CASE l.class "
                "WHEN 'conflicting' THEN 'it collides with ' || coalesce(l.violates, 'a constraint of live') "
                "WHEN 'blocked' THEN 'the row of ' || array_to_string(l.blocked_by, ' and of ') || ' that it refers to is gone' END "
                f"FROM loss.links_{n} l WHERE l.pair = c.pair AND l.class <> 'restorable' "
                "AND NOT (l.class = 'blocked' AND list_has_any(l.blocked_by, ?))",
                [[str(name) for name in chosen]],
            )
        if not target.columns:
            self._mark(
                target,
                "blocked",
                "true",
                "its table has no columns, so that there is nothing to bring back",
            )
        if target.kind == "insert":
            if not self._scope.include_unexplained and self._has(f"cause.rows_{n}"):
                self._db.execute(
                    f"UPDATE class_{n} SET class = 'unexplained', reason = NULL WHERE pair NOT IN (SELECT pair FROM cause.rows_{n})"
                )
            self._conflicts(target)

    def _conflicts(self, target: Target) -> None:
        live = self._live.tables[target.name]
        for column in live.columns:
            if column.nullable or column.generated:
                continue
            if column.name in target.columns:
                field = target.fields[target.columns.index(column.name)]
                self._mark(
                    target,
                    "conflicting",
                    f"r.{field} IS NULL",
                    f"live demands a value in column {column.name}, and the row has none",
                )
            elif column.default is None and not column.identity:
                self._mark(
                    target,
                    "conflicting",
                    "true",
                    f"live demands a value in its new column {column.name}",
                )
        held = self.store.columns(target.name, "live")
        if not self._has(f"rows.live_{target.number}"):
            return
        for key in live.keys:
            if (
                key.columns == target.key
                or not set(key.columns) <= set(target.columns)
                or not set(key.columns) <= set(held)
            ):
                continue
            same = " AND ".join(
                f"l.f{held.index(c)} = r.{target.fields[target.columns.index(c)]}"
                for c in key.columns
            )
            taken = f"EXISTS (SELECT 1 FROM rows.live_{target.number} l WHERE {same})"
            self._mark(
                target,
                "conflicting",
                taken,
                f"live has another row with the same {', '.join(key.columns)}",
            )

    def _block(self, target: Target, targets: dict[TableName, Target]) -> int:
        """Mark rows whose parents are gone and do not come back; return how many were marked."""
        marked = 0
        for link in target.links:
            fields = [f"r.{target.fields[target.columns.index(c)]}" for c in link.columns]
            filled = " AND ".join(f"{f} IS NOT NULL" for f in fields)
            reason = f"the row of {link.parent} that it refers to is gone"
            if not link.exists:
                marked += self._mark(
                    target, "blocked", filled, f"table {link.parent} that it refers to is gone"
                )
                continue
            parent = targets.get(link.parent)
            for gone in (self._gone(link, fields), self._absent(target, link, fields)):
                if gone:
                    returns = self._returns(target, link, fields, parent)
                    marked += self._mark(
                        target, "blocked", f"{filled} AND {gone} AND NOT {returns}", reason
                    )
        return marked

    def _gone(self, link: Link, fields: Sequence[str]) -> str | None:
        """A condition that holds where live has no row under `fields` in the parent, as far as the case tells; None where it tells nothing."""
        n = self._numbers.get(link.parent)
        held = self.store.columns(link.parent, "backup")
        if (
            n is None
            or not set(link.parent_columns) <= set(held)
            or not self._has(f"rows.backup_{n}")
        ):
            return None
        same = _same("p", [f"f{held.index(c)}" for c in link.parent_columns], fields)
        gone = f"EXISTS (SELECT 1 FROM rows.backup_{n} p WHERE {same})"
        live = self.store.columns(link.parent, "live")
        if set(link.parent_columns) <= set(live) and self._has(f"rows.live_{n}"):
            now = _same("p", [f"f{live.index(c)}" for c in link.parent_columns], fields)
            gone += f" AND NOT EXISTS (SELECT 1 FROM rows.live_{n} p WHERE {now})"
        return f"({gone})"

    def _absent(self, target: Target, link: Link, fields: Sequence[str]) -> str | None:
        """The same, as live told when it was asked."""
        table = self._orphans.get((target.name, link))
        keys = [f"k{i}" for i in range(len(fields))]
        return (
            f"EXISTS (SELECT 1 FROM {table} p WHERE {_same('p', keys, fields)})" if table else None
        )

    def _returns(
        self, target: Target, link: Link, fields: Sequence[str], parent: Target | None
    ) -> str:
        """A condition that holds where a row under `fields` returns to the parent, under the same text or as PostgreSQL told."""
        held = self.store.columns(link.parent, "backup")
        if (
            parent is None
            or not set(link.parent_columns) <= set(held)
            or not self._has(f"rows.backup_{parent.number}")
        ):
            return "false"
        columns = [f"f{held.index(c)}" for c in link.parent_columns]
        n, table = parent.number, self._orphans.get((target.name, link))
        returning = f"rows.backup_{n} p JOIN class_{n} pc ON pc.pair = p.pair"
        found = f"EXISTS (SELECT 1 FROM {returning} WHERE pc.class = 'restorable' AND {_same('p', columns, fields)})"
        if table:
            places = range(len(fields))
            spelled = _same("p", columns, [f"o.p{i}" for i in places])
            named = _same("o", [f"k{i}" for i in places], fields)
            found += f" OR EXISTS (SELECT 1 FROM {table} o JOIN ({returning}) ON {spelled} WHERE pc.class = 'restorable' AND {named})"
        return f"({found})"

    def _mark(self, target: Target, name: str, condition: str, reason: str) -> int:
        n = target.number
        if not self._has(f"rows.backup_{n}"):
            return 0
        found = self._db.execute(
            f"UPDATE class_{n} SET class = ?, reason = ? WHERE class = 'restorable' AND pair IN "
            f"(SELECT r.pair FROM rows.backup_{n} r WHERE r.state = 'missing' AND {condition})",
            [name, reason],
        ).fetchone()
        return int(found[0]) if found else 0

    def _counted(self, target: Target) -> Target:
        counts = dict(
            self._db.execute(
                f"SELECT class, count(*) FROM class_{target.number} GROUP BY class"
            ).fetchall()
        )
        reasons = self._db.execute(
            f"SELECT reason, count(*) FROM class_{target.number} WHERE reason IS NOT NULL GROUP BY reason ORDER BY 2 DESC, 1 LIMIT {REASONS_SHOWN}"
        ).fetchall()
        return replace(
            target, counts={c: counts.get(c, 0) for c in CLASSES}, reasons=tuple(reasons)
        )

    def _has(self, table: str) -> bool:
        schema, name = table.split(".")
        found = self._db.execute(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
            [schema, name],
        )
        return found.fetchone() is not None


def keys_went_on(store: Store, name: TableName, other: str) -> bool:
    """Whether keys of a dropped table are, under the names that they had, those of one that is there: it was renamed, whatever its rows."""
    backup, live = store.catalogs()
    there = {
        k.name
        for n, t in live.tables.items()
        if str(n) == other and n.schema == name.schema
        for k in t.keys
    }
    return bool(there & {k.name for k in backup.tables[name].keys})


def _same(alias: str, columns: Sequence[str], fields: Sequence[str]) -> str:
    return " AND ".join(f"{alias}.{c} = {f}" for c, f in zip(columns, fields, strict=True))


def _writable(live: Table, column: str) -> bool:
    found = live.column(column)
    return found is not None and not found.generated


def junction_parents(store: Store) -> dict[TableName, tuple[Parent, ...]]:
    """The junction tables of a case with their parents, those included that no foreign key declares."""
    found = store.get("junctions")
    if found is None:
        backup, live = store.catalogs()
        return {**find_junctions(live), **find_junctions(backup)}
    return {
        TableName(**j["name"]): tuple(
            Parent(
                TableName(p["schema"], p["table"]),
                tuple(p["columns"]),
                tuple(p["parent_columns"]),
                p["declared"],
            )
            for p in j["parents"]
            if "when"
            not in p  # a link whose table another column names: no statement of ours can follow it
        )
        for j in found
    }


def _referenced(key: ForeignKey, *catalogs: Catalog) -> tuple[str, ...]:
    """The parent's columns: a dump may leave them out where they are its primary key."""
    if key.parent_columns:
        return key.parent_columns
    for catalog in catalogs:
        parent = catalog.tables.get(key.parent)
        if parent and parent.primary_key:
            return parent.primary_key.columns
    return ()


def _in_order(targets: dict[TableName, Target]) -> list[Target]:
    """Parents before children, otherwise by name; within a circle by name."""
    done: dict[TableName, Target] = {}

    def visit(target: Target, above: frozenset[TableName]) -> None:
        for link in sorted(target.links, key=lambda k: k.parent):
            parent = targets.get(link.parent)
            if parent and parent.name not in done and parent.name not in above:
                visit(parent, above | {target.name})
        done.setdefault(target.name, target)

    for _, target in sorted(targets.items()):
        visit(target, frozenset({target.name}))
    return list(done.values())
