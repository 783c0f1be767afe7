"""Missing links in the rows of other tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.loss.columns import stores
from forensics.loss.junctions import Junction
from forensics.loss.kinds import called, leads_of
from forensics.loss.marks import kept_dead, read_with_dead
from forensics.loss.missing import MissingRows
from forensics.loss.moved.belief import Belief
from forensics.loss.moved.layouts import Holder, Layout, Layouts
from forensics.loss.moved.place import Found
from forensics.loss.named_by import names_otherwise
from forensics.loss.sql import literals, numbered, prefixed, renamed, same
from forensics.model import Parent, Table

_MOST_KINDS = 2000
_PRECISE = 0.5
_LITTLE = 200_000  # rows


@dataclass(frozen=True)
class _End:
    """One end of a link, as rows `t` of another table hold it.

    Attributes:
        parent: what it names.
        ours: the fields of a missing row `m`; theirs: those of a row `t`.
        means: the condition under which a row `t` means this parent.
    """

    parent: Parent
    ours: list[str]
    theirs: list[str]
    means: str

    @property
    def on(self) -> str:
        """The condition that both rows hold the same end."""
        return f"{same(prefixed('m', self.ours), self.theirs)} AND {self.means}"


class TableSearch:
    """Searches the rows of tables.

    Args:
        missing: the missing rows.
        junction: their table.
        belief: which values mean their keys.
    """

    def __init__(self, missing: MissingRows, junction: Junction, belief: Belief) -> None:
        self._missing = missing
        self._work = missing.work
        self._junction = junction
        self._belief = belief

    def run(self, table: Table) -> Iterator[Found]:
        """Yield what rows of a table hold of the missing links, each way in turn."""
        work = self._work
        # Its own rows hold them only where the ends have other keys by now.
        if table.name == self._junction.name and not self._have_other_keys(table):
            return
        if not work.holds("live", table.name):
            return
        layouts = Layouts(self._missing, self._belief, table)
        if not layouts.likely:
            return
        is_junction = table.name in work.live_junctions
        for parents in itertools.product(*[end.parents for end in self._junction.link]):
            found = []
            read = self._read(table, layouts.find(parents), parents)
            for one in self._some_of(read, table):
                matched = one.match(loose=not (is_junction and one.layout.sure))
                if matched is not None:
                    found.append(matched)
            found.sort(key=lambda one: -work.count(one.matches))
            yield from found

    def _read(
        self, table: Table, layouts: Sequence[Layout], parents: Sequence[Parent]
    ) -> list[_Rows]:
        """The rows as those layouts have them by which they can hold missing links."""
        likely = [layout for layout in layouts if stores(table, layout.columns)]
        every: dict[str, None] = {}
        for layout in likely:
            every |= dict.fromkeys(layout.columns)
        found = []
        for layout in likely:
            one = _Rows(self._missing, table, layout, parents)
            if one.read(tuple(every)):
                found.append(one)
        return found

    def _some_of(self, read: list[_Rows], table: Table) -> list[_Rows]:
        """Those that hold a missing link.

        They are asked together: most hold none, and of little a statement costs more than its
        rows.
        """
        result, ours = self._work.result(table.name), self._work.result(self._missing.name)
        if not read or result is None or ours is None:
            return read
        if (result.live_rows or 0) + (ours.missing or 0) > _LITTLE:
            return read
        named = " UNION ALL ".join(one.named(place) for place, one in enumerate(read))
        there = self._work.ask(f"SELECT DISTINCT place FROM ({named}) t {read[0].semi_join}")
        return [read[place] for (place,) in sorted(there)]

    def _have_other_keys(self, table: Table) -> bool:
        parents = self._junction.parents
        if not self._work.rekeyed.keys().isdisjoint(parents):
            return True
        return names_otherwise(self._work, parents, table)


class _Rows:
    """The rows of a table of live, read as one layout has them."""

    def __init__(
        self, missing: MissingRows, table: Table, layout: Layout, parents: Sequence[Parent]
    ) -> None:
        self._missing = missing
        self._work = missing.work
        self._table = table
        self._parents = parents
        self._relation = ""
        self._columns = layout.columns
        self._ends: list[_End] = []
        self.layout = layout

    def read(self, every: tuple[str, ...]) -> bool:
        """Have the rows read; return whether they can hold missing links.

        Args:
            every: the columns of all layouts: they are read together.
        """
        relation = self._read(every)
        if relation is None:
            return False
        self._relation = relation
        for number, parent in enumerate(self._parents):
            end = self._end(number, parent, self.layout.holders[number])
            if end is None:
                return False
            self._ends.append(end)
        return True

    def named(self, place: int) -> str:
        """A query for the ends that the rows name: place, e0, …, dead."""
        fields: list[str] = []
        for end in self._ends:
            fields += end.theirs
        means = " AND ".join(end.means for end in self._ends)
        named = f"SELECT {place} AS place, {renamed(fields, 'e')}, t.dead FROM {self._relation} t"
        return f"{named} WHERE {means}"

    @property
    def semi_join(self) -> str:
        """The join of ends `t`, as `named` has them, with the missing rows that name the same."""
        ours: list[str] = []
        for end in self._ends:
            ours += end.ours
        on = same(prefixed("m", ours), numbered("t.e", len(ours)))
        return f"""
            SEMI JOIN {self._missing.relation} m
              ON {on} AND (NOT t.dead OR {self._was_dead})
             AND {self._missing.conditions(self._parents)}
        """

    def match(self, *, loose: bool) -> Found | None:
        """Return the missing rows that the table holds, or None if it holds none.

        Args:
            loose: a few rows that fit do not count: they may do so by chance.
        """
        on = " AND ".join(end.on for end in self._ends)
        matches = self._work.temp(
            f"""
            SELECT m.pair, 0 AS spot
              FROM {self._missing.relation} m SEMI JOIN {self._relation} t
                ON {on} AND (NOT t.dead OR {self._was_dead})
             WHERE {self._missing.conditions(self._parents)}
            """
        )
        if not self._hits(matches, loose=loose):
            self._work.drop(matches)
            return None
        columns = tuple(column.name for column in self._table.columns)
        return Found(self._table.name, None, matches, self._holders(self._ends), False, columns)

    @property
    def _was_dead(self) -> str:
        """The condition that a missing row `m` was marked deleted already."""
        return kept_dead(self._work, "backup", self._missing.name, "m.")

    def _read(self, every: tuple[str, ...]) -> str | None:
        """A relation (c0, …, dead) of the rows: those that differ where that is known.

        None where none does.
        """
        work, name, columns = self._work, self._table.name, self.layout.columns
        kept, result = work.kept("live", name), work.result(name)
        if kept and result and set(columns) <= set(result.columns):
            fields = work.fields("live", name, columns)
            if fields and not work.keeps_rows("live", name):
                return None
            if fields:
                is_dead = kept_dead(work, "live", name)
                return f"(SELECT {renamed(fields, 'c')}, {is_dead} AS dead FROM {kept})"
        self._columns = every
        return read_with_dead(work, name, every)

    def _end(self, number: int, parent: Parent, holder: Holder) -> _End | None:
        ours = self._missing.fields(parent.columns)
        means = self._means(holder, parent)
        if ours is None or means is None:
            return None
        theirs = [f"t.{self._field(column)}" for column in holder.columns]
        if holder.key:
            translated = self._translated(number, parent, holder, theirs)
            if translated is None:
                return None
            theirs = translated
        return _End(parent, ours, theirs, means)

    def _field(self, column: str) -> str:
        return f"c{self._columns.index(column)}"

    def _translated(
        self, number: int, parent: Parent, holder: Holder, theirs: Sequence[str]
    ) -> list[str] | None:
        """Have the rows name a parent by the link's key, and return those fields."""
        keys = self._work.two_keys(parent, holder.key)
        if keys is None:
            return None
        width = len(parent.parent_columns)
        alias = f"p{number}"
        fields = numbered(f"{alias}.c", width + len(theirs))
        known = same(fields[width:], theirs)
        named = renamed(fields[:width], f"{alias}_k")
        self._relation = (
            f"(SELECT t.*, {named} FROM {self._relation} t JOIN {keys} {alias} ON {known})"
        )
        return numbered(f"t.{alias}_k", width)

    def _means(self, holder: Holder, parent: Parent) -> str | None:
        """The condition under which a row `t` means the parent; None if none does."""
        if holder.kind is None:
            return "true"
        name = self._work.live_name(parent.name)
        if name is None:
            return None
        field = self._field(holder.kind.kind)
        rows = self._work.ask(
            f"""
            SELECT DISTINCT {field} FROM {self._relation}
             WHERE {field} IS NOT NULL
             ORDER BY 1
             LIMIT {_MOST_KINDS}
            """
        )
        values = [value for (value,) in rows]
        leads = leads_of(self._work, "live", holder.kind, values)
        meant = [value for value in values if called(leads[value], name)]
        if not meant:
            return None
        return f"t.{field} IN ({literals(meant)})"

    def _hits(self, matches: str, *, loose: bool) -> bool:
        """Whether the rows match, and if need be whether half of one side do."""
        hits, missing, total = self._work.one(
            f"""
            SELECT (SELECT count(*) FROM {matches}),
                   (SELECT count(*) FROM {self._missing.relation}),
                   (SELECT count(*) FROM {self._relation})
            """
        )
        if not hits:
            return False
        return not loose or hits >= _PRECISE * missing or hits >= _PRECISE * total

    def _holders(self, ends: Sequence[_End]) -> dict[Parent, str]:
        """By parent, a working table (k0, …) of its rows that the table refers to."""
        means = " AND ".join(end.means for end in ends)
        found = {}
        for end in ends:
            heads = renamed(end.theirs, "k")
            found[end.parent] = self._work.temp(
                f"SELECT DISTINCT {heads} FROM {self._relation} t WHERE {means}"
            )
        return found
