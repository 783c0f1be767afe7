"""Missing links in the parents' columns: new ones, and values that changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from forensics.loss.columns import has, is_doing
from forensics.loss.missing import MissingRows
from forensics.loss.moved.belief import Belief, Leaves
from forensics.loss.moved.leaves import is_array, is_json, leaves_query
from forensics.loss.moved.place import Found
from forensics.loss.names import family
from forensics.loss.sql import listed, literals, numbered, prefixed, renamed, same
from forensics.model import Column, Parent, Table

_NEVER = (
    "boolean",
    "date",
    "time",
    "interval",
    "bytea",
    "real",
    "double",
    "money",
    "bit",
    "point",
    "tsvector",
    "xml",
)


class ColumnSearch:
    """Searches the columns of parents.

    Args:
        missing: the missing rows.
        belief: which values mean their keys.
    """

    def __init__(self, missing: MissingRows, belief: Belief) -> None:
        self._missing = missing
        self._work = missing.work
        self._belief = belief

    def run(self, holder: Parent, others: Sequence[Sequence[Parent]]) -> Iterator[Found]:
        """Yield the columns of a parent that hold the other ends of its links.

        Args:
            holder: the parent.
            others: every combination of parents at the other ends.
        """
        live = self._work.live_table(holder.name)
        keys = self._missing.fields(holder.columns)
        if live is None or keys is None or not has(live, self._work.live_key(holder)):
            return
        values = itertools.chain(self._added(holder, live), self._changed(holder, live))
        for column, rows in values:
            query = leaves_query(self._kind(column), numbered("k", len(keys)), rows)
            leaves = Leaves(holder, live, column, self._work.temp(query))
            for combination in others:
                found = self._match(leaves, combination)
                if found is not None:
                    yield found
            self._work.drop(leaves.relation)

    # --- values -----------------------------------------------------------------------------

    def _kind(self, column: Column) -> str:
        return family(column.type, self._work.live.catalog)

    def _may_hold(self, column: Column) -> bool:
        kind = self._kind(column)
        if column.generated or kind.startswith(_NEVER):
            return False
        return is_array(kind) or is_json(kind) or not is_doing(column.name)

    def _added(self, holder: Parent, live: Table) -> Iterator[tuple[Column, str]]:
        """Yield columns that the backup did not have, with their values.

        Those are the values of the parents of missing links.
        """
        columns = self._new_columns(holder, live)
        if not columns or not self._work.holds("live", live.name):
            return
        width = len(holder.parent_columns)
        wanted = self._wanted(holder)
        names = numbered("c", width + len(columns))[width:]
        on = same(numbered("r.c", width), numbered("w.k", width))
        rows = self._work.stream(
            "live",
            live.name,
            (*self._work.live_key(holder), *[column.name for column in columns]),
            f"""
            SELECT r.* FROM {{rows}} r SEMI JOIN {wanted} w ON {on}
             WHERE coalesce({listed(names, "r.")}) IS NOT NULL
            """,
        )
        heads = renamed(numbered("c", width), "k")
        some = self._some([f"{field} IS NOT NULL" for field in names], rows)
        for there, column, field in zip(some, columns, names, strict=True):
            if there:
                values = f"(SELECT {heads}, {field} AS v FROM {rows} WHERE {field} IS NOT NULL)"
                yield column, values
        self._work.drop(rows, wanted)

    def _new_columns(self, holder: Parent, live: Table) -> list[Column]:
        backup = self._work.backup.catalog.tables.get(holder.name)
        key = self._work.live_key(holder)
        found = []
        for column in live.columns:
            is_new = backup is None or backup.column(column.name) is None
            if is_new and column.name not in key and self._may_hold(column):
                found.append(column)
        return found

    def _wanted(self, holder: Parent) -> str:
        """A working table (k0, …) of the parent's rows that miss links."""
        heads = renamed(self._missing.fields(holder.columns) or [], "k")
        return self._work.temp(
            f"""
            SELECT DISTINCT {heads}
              FROM {self._missing.relation} m
             WHERE {self._missing.condition(holder)}
            """
        )

    def _changed(self, holder: Parent, live: Table) -> Iterator[tuple[Column, str]]:
        """Yield columns that both sides have, with the values that live changed."""
        work, name = self._work, holder.name
        ours, theirs = work.kept("backup", name), work.kept("live", name)
        before = work.fields("backup", name, holder.parent_columns)
        after = work.fields("live", name, holder.parent_columns)
        if not ours or not theirs or not before or not after or live.name != name:
            return
        after = prefixed("l", after)
        rows = f"{ours} b JOIN {theirs} l ON {same(prefixed('b', before), after)}"
        differs = {}
        if work.keeps_rows("backup", name) and work.keeps_rows("live", name):
            differs = self._tests(holder, live)
        tests = [test for test, _ in differs.values()]
        some = self._some(tests, rows)
        for there, (column, (test, now)) in zip(some, differs.items(), strict=True):
            if there:
                values = f"(SELECT {renamed(after, 'k')}, l.{now} AS v FROM {rows} WHERE {test})"
                yield column, values

    def _tests(self, holder: Parent, live: Table) -> dict[Column, tuple[str, str]]:
        """By column of both sides, the condition that live changed its value, and live's field."""
        found = {}
        for column in live.columns:
            if column.name in holder.parent_columns or not self._may_hold(column):
                continue
            was = self._work.field("backup", holder.name, column.name)
            now = self._work.field("live", holder.name, column.name)
            if was and now:
                found[column] = f"l.{now} IS NOT NULL AND l.{now} IS DISTINCT FROM b.{was}", now
        return found

    def _some(self, tests: Sequence[str], rows: str) -> Sequence[bool]:
        """Which of some conditions hold for any row."""
        if not tests:
            return ()
        asked = ", ".join(f"coalesce(bool_or({test}), false)" for test in tests)
        return self._work.one(f"SELECT {asked} FROM {rows}")

    # --- matches ----------------------------------------------------------------------------

    def _match(self, leaves: Leaves, others: Sequence[Parent]) -> Found | None:
        """The missing rows whose other ends all stand in a parent's value."""
        fields = self._other_fields(leaves, others)
        if fields is None:
            return None
        if len(others) == 1:
            leaves = self._translated(leaves, others[0])
        labels = []
        for other, field in zip(others, fields, strict=True):
            labels.append(self._belief.labels(leaves, other, field))
        if not all(labels):
            return None
        relation = leaves.relation
        keys = prefixed("m", self._missing.fields(leaves.holder.columns) or [])
        joins = ""
        for n, (field, allowed) in enumerate(zip(fields, labels, strict=True)):
            on = same(keys, numbered(f"l{n}.k", len(keys)))
            joins += (
                f" JOIN {relation} l{n} ON {on} AND m.{field} = l{n}.token "
                f"AND l{n}.label IN ({literals(allowed)})"
            )
            if n:
                joins += f" AND l{n}.within = l0.within"
        when = self._missing.conditions((leaves.holder, *others))
        matches = self._work.temp(
            f"""
            SELECT m.pair, min(l0.spot) AS spot
              FROM {self._missing.relation} m {joins}
             WHERE {when}
             GROUP BY m.pair
            """
        )
        holds = self._work.temp(
            f"""
            SELECT DISTINCT {listed(numbered("k", len(keys)))}
              FROM {relation}
             WHERE label IN ({literals(labels[0])})
            """
        )
        column = leaves.column
        several = self._holds_several(column)
        return Found(leaves.live.name, column.name, matches, {leaves.holder: holds}, several, ())

    def _other_fields(self, leaves: Leaves, others: Sequence[Parent]) -> list[str] | None:
        """The fields of a missing row that hold its other ends, one each.

        None where one value cannot hold them all: more than one of them only fits an
        object.
        """
        if len(others) > 1 and not is_json(self._kind(leaves.column)):
            return None
        found = []
        for other in others:
            own = [column for column in other.columns if column not in leaves.holder.columns]
            fields = self._missing.fields(own)
            if fields is None or len(fields) != 1:
                return None
            found.append(fields[0])
        return found

    def _holds_several(self, column: Column) -> bool:
        kind = self._kind(column)
        return is_json(kind) or is_array(column.type) or kind == "text"

    def _translated(self, leaves: Leaves, other: Parent) -> Leaves:
        """The leaves as the link would name them.

        The column may refer to another key of the parent than the link did.
        """
        key = self._referred_key(leaves, other)
        if not key or key == self._work.live_key(other) or len(other.parent_columns) != 1:
            return leaves
        rows = self._work.two_keys(other, key)
        if rows is None:
            return leaves
        heads = listed(numbered("l.k", len(leaves.holder.columns)))
        relation = self._work.temp(
            f"""
            SELECT {heads}, p.c0 AS token, l.label, l.within, l.spot
              FROM {leaves.relation} l JOIN {rows} p ON p.c1 = l.token
            """
        )
        return replace(leaves, relation=relation)

    def _referred_key(self, leaves: Leaves, other: Parent) -> tuple[str, ...]:
        name = self._work.live_name(other.name)
        for key in leaves.live.foreign_keys:
            if key.columns == (leaves.column.name,) and key.parent == name:
                return key.parent_columns
        return ()
