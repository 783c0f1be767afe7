"""Missing rows that the same table holds under another key.

A missing row and an added one are the same where they are equal in a unique key that both
sides have, or equal in all columns but the key and each the only such row of its side. The
latter counts where half and more of the rows on one side find each other so: a table that
was rewritten, or sets that are deleted and inserted anew on each save. Where a whole table was
rewritten, rows may have been edited besides: one that has most of its own values in common
with one other row, and a value that no third row has, may be that row. Nobody knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.columns import is_order, is_touched
from forensics.loss.elsewhere.translation import translated
from forensics.loss.elsewhere.values import comparable
from forensics.loss.missing import MissingRows, missing_rows
from forensics.loss.sql import alike, listed, numbered, prefixed, renamed, same
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, Parent, Table, TableName

_HALF = 0.5
_RANGES = ("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange")


def same_rows(work: Workspace, name: TableName, parents: Sequence[Parent]) -> str | None:
    """Return a working table (pair, live_pair, equal) of rows under other keys, or None.

    `live_pair` is NULL where one of several equal rows is meant, `equal` false where the
    row says something else by now beside its key, NULL where it may be another row. The run's
    workspace keeps which rows are the same, for references to them.

    Args:
        name: a table that both sides have.
        parents: what it refers to.
    """
    result = work.result(name)
    if result is None or result.state != "compared" or not result.missing or not result.added:
        return None
    missing = missing_rows(work, name)
    if missing is None:
        return None
    others = [parent for parent in parents if parent.name != name]
    found = _Search(missing, translated(missing, others), parents).run()
    if found is not None and len(others) < len(parents):
        # Rows that refer to rows of their own table: once more, now that these are known.
        _know(work, name, found)
        found = _Search(missing, translated(missing, parents), parents).run() or found
    _know(work, name, found)
    return found


def _know(work: Workspace, name: TableName, found: str | None) -> None:
    """Have the workspace know which rows are the same, to translate references to them."""
    work.new_keys.forget(lambda wanted: wanted[0] == name)
    if found is not None:
        work.same_rows[name] = work.temp(
            f"SELECT pair, live_pair FROM {found} WHERE live_pair IS NOT NULL AND equal IS NOT NULL"
        )


@dataclass(frozen=True)
class _Rows:
    """Rows of both sides by some columns: working tables (pair, v0, …)."""

    ours: str
    theirs: str
    width: int

    @property
    def values(self) -> list[str]:
        return numbered("v", self.width)


class _Search:
    """Pairs the missing rows of one table with its added ones.

    Args:
        missing: the missing rows as they are.
        now: the same, with references by the keys that parents have now.
        parents: what the table refers to.
    """

    def __init__(self, missing: MissingRows, now: MissingRows, parents: Sequence[Parent]) -> None:
        self._work, self._name = missing.work, missing.name
        self._now = now
        self._is_translated = now is not missing
        self._result = missing.work.results[missing.name]
        self._table = missing.table
        self._live = missing.work.live.catalog.tables[missing.name]
        self._referring: set[str] = set()
        self._declared: set[str] = set()
        for parent in parents:
            self._referring.update(parent.columns)
            if parent.declared:
                self._declared.update(parent.columns)
        self._found = self._work.temp(
            "SELECT 0::BIGINT AS pair, 0::BIGINT AS live_pair, true AS equal WHERE false"
        )

    def run(self) -> str | None:
        """Return the pairs, or None where there are none."""
        for columns in self._unique():
            self._by_key(columns)
        self._by_pieces()
        said = self._said()
        if said:
            self._mark_changed(said)
            self._by_content(said)
        return self._found if self._work.count(self._found) else None

    # --- by a unique key ----------------------------------------------------------------------

    def _unique(self) -> list[tuple[str, ...]]:
        """Columns of unique keys of both sides by which rows may find each other."""
        theirs = [set(key.columns) for key in self._live.keys]
        found = []
        for key in self._table.keys:
            columns = set(key.columns)
            if columns not in theirs or not columns <= set(self._result.columns):
                continue
            if self._is_a_place(key.columns):
                continue
            is_own = columns == set(self._result.key)
            if not is_own or (self._is_translated and columns & self._referring):
                found.append(key.columns)
        return found

    def _is_a_place(self, columns: Sequence[str]) -> bool:
        """Whether a key says at which place of something a row stands, not which row it is."""
        found = [self._table.column(name) for name in columns if name not in self._result.key]
        return any(column is not None and is_order(column) for column in found)

    def _mark_changed(self, said: tuple[str, ...]) -> None:
        """Tell the rows that found each other by a key and say something else besides."""
        ours, theirs = self._now.fields(said), self._work.fields("live", self._name, said)
        if ours is None or theirs is None or not self._work.count(self._found):
            return
        types = [self._type(column) for column in said]
        before = comparable(prefixed("b", ours), types)
        after = comparable(prefixed("l", theirs), types)
        self._work.run(
            f"""
            UPDATE {self._found} f SET equal = false
              FROM {self._now.relation} b, {self._work.kept("live", self._name)} l
             WHERE b.pair = f.pair AND l.pair = f.live_pair AND l.state = 'added'
               AND NOT ({alike(before, after)})
            """
        )

    def _by_key(self, columns: tuple[str, ...]) -> None:
        rows = self._rows(columns)
        if rows is None:
            return
        ours, theirs = prefixed("b", rows.values), prefixed("l", rows.values)
        self._work.run(
            f"""
            INSERT INTO {self._found}
            SELECT min(b.pair), l.pair, true
              FROM {rows.ours} b JOIN {rows.theirs} l ON {same(ours, theirs)}
             GROUP BY l.pair HAVING count(*) = 1
            """
        )

    def _rows(self, columns: Sequence[str]) -> _Rows | None:
        """The rows that have not found each other yet, by some columns."""
        ours = self._now.fields(columns)
        theirs = self._work.fields("live", self._name, columns)
        if ours is None or theirs is None:
            return None
        types = [self._type(column) for column in columns]
        kept = self._work.kept("live", self._name)
        return _Rows(
            self._work.temp(
                f"SELECT pair, {renamed(comparable(ours, types), 'v')} FROM {self._now.relation} "
                f"ANTI JOIN {self._found} f USING (pair)"
            ),
            self._work.temp(
                f"SELECT pair, {renamed(comparable(theirs, types), 'v')} FROM {kept} r "
                f"WHERE state = 'added' AND pair NOT IN "
                f"(SELECT live_pair FROM {self._found} WHERE live_pair IS NOT NULL)"
            ),
            len(columns),
        )

    def _type(self, column: str) -> str:
        found = self._live.column(column)
        return found.type if found else ""

    # --- by its pieces ------------------------------------------------------------------------

    def _by_pieces(self) -> None:
        """Rows of a key that ends in a range, which were cut: a piece begins or ends as they did.

        FOR PORTION OF does so: what it does not strike lives on under a shorter range.
        """
        key = self._result.key
        if len(key) < 2 or not _is_range(self._type(key[-1]), self._work.live.catalog):
            return
        ours, theirs = self._now.fields(key), self._work.fields("live", self._name, key)
        if ours is None or theirs is None:
            return
        *kept, was = prefixed("b", ours)
        *held, now = prefixed("l", theirs)
        beside = [c for c in self._result.columns if c not in key]
        before = prefixed("b", self._now.fields(beside) or [])
        after = prefixed("l", self._work.fields("live", self._name, beside) or [])
        equal = alike(before, after) if beside else "true"
        self._work.run(
            f"""
            INSERT INTO {self._found}
            SELECT b.pair, NULL, bool_or({equal})
              FROM {self._now.relation} b
              JOIN {self._work.kept("live", self._name)} l ON {same(kept, held)}
               AND l.state = 'added' AND (split_part({was}, ',', 1) = split_part({now}, ',', 1)
                OR split_part({was}, ',', 2) = split_part({now}, ',', 2))
             WHERE b.pair NOT IN (SELECT pair FROM {self._found})
             GROUP BY b.pair
            """
        )

    # --- by all else --------------------------------------------------------------------------

    def _said(self) -> tuple[str, ...]:
        """The columns that tell rows apart beside the key; none where they tell too little."""
        result = self._result
        if not result.key and not self._is_translated:
            return ()  # whole rows were held against each other already
        said, telling = [], False
        for column in self._table.columns:
            name = column.name
            if name not in result.columns or is_touched(column):
                continue
            if name in result.key and name not in self._referring:
                continue
            said.append(name)
            telling |= name not in self._declared and column.type != "boolean"
        if telling or (self._is_translated and len(said) > 1):
            return tuple(said)
        return ()

    def _by_content(self, said: tuple[str, ...]) -> None:
        rows = self._rows(said)
        if rows is None:
            return
        groups = self._groups(rows, said)
        pairs = self._paired(rows, groups)
        (matched,) = self._work.one(f"SELECT count(*) FROM {pairs}")
        ours, theirs = self._work.count(rows.ours), self._work.count(rows.theirs)
        if not matched or matched < _HALF * min(ours, theirs):
            return
        # Of several rows that are equal it is not known which is which; where a whole table
        # was rewritten, as many stand there as did, and none of them is lost.
        held = self._result.backup_rows or 0
        rewritten = (self._result.missing or 0) >= _HALF * held
        alone = "WHERE n = 1"
        if rewritten and matched >= _HALF * ours:
            alone = ""
        self._work.run(
            f"""
            INSERT INTO {self._found}
            SELECT pair, CASE WHEN n = 1 THEN live_pair END, true FROM {pairs} {alone}
            """
        )
        if rewritten:
            self._resembling(said)

    def _resembling(self, said: tuple[str, ...]) -> None:
        """Of a table that was rewritten: rows that may have been edited besides."""
        own = tuple(column for column in said if column not in self._referring)
        rows = self._rows(own) if own else None
        if rows is None or not self._work.count(rows.ours) or not self._work.count(rows.theirs):
            return
        votes = []
        for value in rows.values:
            only = f"GROUP BY {value} HAVING count(*) = 1 AND {value} IS NOT NULL"
            one = f"SELECT {value}, min(pair) AS pair FROM {{}} {only}"
            votes.append(
                f"SELECT b.pair, l.pair AS live_pair FROM ({one.format(rows.ours)}) b "
                f"JOIN ({one.format(rows.theirs)}) l USING ({value})"
            )
        equal = []
        for ours, theirs in zip(
            prefixed("b", rows.values), prefixed("l", rows.values), strict=True
        ):
            equal.append(f"({ours} IS NOT DISTINCT FROM {theirs})::INTEGER")
        self._work.run(
            f"""
            INSERT INTO {self._found}
            SELECT pair, live_pair, NULL
              FROM (SELECT DISTINCT pair, live_pair FROM ({" UNION ALL ".join(votes)})) v
              JOIN {rows.ours} b USING (pair)
              JOIN (SELECT * RENAME (pair AS live_pair) FROM {rows.theirs}) l USING (live_pair)
             WHERE 2 * ({" + ".join(equal)}) > {rows.width}
           QUALIFY count(*) OVER (PARTITION BY pair) = 1
               AND count(*) OVER (PARTITION BY live_pair) = 1
            """
        )

    def _groups(self, rows: _Rows, said: tuple[str, ...]) -> str:
        """Contents (v0, …, n) that both sides' rows have as often, and no other row has."""
        listing = listed(rows.values)
        ours, theirs = prefixed("b", rows.values), prefixed("l", rows.values)
        groups = self._work.temp(
            f"""
            SELECT {listed(rows.values, "b.")}, b.n
              FROM (SELECT {listing}, count(*) AS n FROM {rows.ours} GROUP BY {listing}) b
              JOIN (SELECT {listing}, count(*) AS n FROM {rows.theirs} GROUP BY {listing}) l
                ON {alike(ours, theirs)} AND b.n = l.n
             WHERE {_not_empty(ours)}
            """
        )
        if not self._work.count(groups) or not (self._result.unchanged or self._result.changed):
            return groups
        return self._not_elsewhere(groups, rows, said)

    def _not_elsewhere(self, groups: str, rows: _Rows, said: tuple[str, ...]) -> str:
        """The contents without those that other rows of live have too."""
        types = [self._type(column) for column in said]
        read = comparable(numbered("r.c", rows.width), types)
        there = self._work.stream(
            "live",
            self._name,
            said,
            f"SELECT {renamed(read, 'w')} FROM {{rows}} r SEMI JOIN {groups} g "
            f"ON {alike(read, prefixed('g', rows.values))}",
        )
        values = numbered("w", rows.width)
        on = alike(prefixed("g", rows.values), prefixed("t", values))
        return self._work.temp(
            f"""
            SELECT g.* FROM {groups} g
              JOIN (SELECT {listed(values)}, count(*) AS m FROM {there}
                     GROUP BY {listed(values)}) t ON {on}
             WHERE t.m = g.n
            """
        )

    def _paired(self, rows: _Rows, groups: str) -> str:
        """A working table (pair, live_pair, n) of rows of the same content."""
        listing = listed(rows.values)
        ranked = f"row_number() OVER (PARTITION BY {listing} ORDER BY pair) AS r"
        ours, theirs = prefixed("b", rows.values), prefixed("l", rows.values)
        return self._work.temp(
            f"""
            SELECT b.pair, l.pair AS live_pair, g.n
              FROM (SELECT *, {ranked} FROM {rows.ours}) b
              JOIN (SELECT *, {ranked} FROM {rows.theirs}) l
                ON b.r = l.r AND {alike(ours, theirs)}
              JOIN {groups} g ON {alike(ours, prefixed("g", rows.values))}
            """
        )


def _is_range(type_name: str, catalog: Catalog) -> bool:
    """Whether a type is a range; of a multirange nobody cuts pieces."""
    if type_name in catalog.ranges:
        return type_name not in catalog.multiranges
    return type_name in _RANGES


def _not_empty(fields: Sequence[str]) -> str:
    return " OR ".join(f"{field} IS NOT NULL" for field in fields)


def references(work: Workspace, table: Table) -> tuple[Parent, ...]:
    """What a table's columns refer to, declared or not."""
    found = list(work.undeclared.get(table.name, ()))
    for key in table.foreign_keys:
        if key.parent_columns:
            found.append(Parent(key.parent, key.columns, key.parent_columns))
    return tuple(found)
