"""Searches live for the missing links of one junction table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from forensics.loss.junctions import End, Junction
from forensics.loss.missing import MissingRows
from forensics.loss.moved.belief import Belief
from forensics.loss.moved.columns import ColumnSearch
from forensics.loss.moved.place import Found, Keeping, Place
from forensics.loss.moved.renamed import in_family, in_renamed
from forensics.loss.moved.tables import TableSearch
from forensics.model import Parent


class Search:
    """Searches live for the missing links of one junction table.

    Args:
        missing: its missing rows.
        junction: the table.

    Attributes:
        again: working tables (pair) of links that the table itself holds, whose ends
            have other keys by now.
    """

    def __init__(self, missing: MissingRows, junction: Junction) -> None:
        self._work = missing.work
        self._missing = missing
        self._junction = junction
        self._found: list[Found] = []
        self.again: list[str] = []

    def run(self) -> tuple[list[Place], str | None]:
        """Return the places, the fullest first, and each link's one place.

        Those are in a working table (pair, place), or None where there are none. Links
        that the table itself holds are no places: they are in `again`.

        Raises:
            LiveError: a place cannot be read. What stands there would count as lost.
        """
        belief = Belief(self._missing, self._junction)
        self._search_columns(ColumnSearch(self._missing, belief))
        self._search_tables(TableSearch(self._missing, self._junction, belief))
        self._search_renamed()
        return self._settle()

    def holders(self, parent: Parent) -> list[str]:
        """Working tables (k0, …) of a parent's rows that hold a link in some place."""
        return [found.holders[parent] for found in self._found if parent in found.holders]

    def _search_columns(self, search: ColumnSearch) -> None:
        """Look at the columns of each parent for the other ends of its links."""
        for end in self._junction.link:
            others = _combinations(other for other in self._junction.link if other is not end)
            for holder in end.parents:
                for found in search.run(holder, others):
                    self._add(found)

    def _search_tables(self, search: TableSearch) -> None:
        """Look at the rows of every table, the junction table included."""
        for table in self._work.live.catalog.roots:
            for found in search.run(table):
                if table.name == self._junction.name:
                    self.again.append(found.matches)
                else:
                    self._add(found)

    def _search_renamed(self) -> None:
        """Look where the rows themselves went, if the columns there told nothing of links."""
        for found in (*in_renamed(self._missing, self._junction), *in_family(self._missing)):
            if all(one.name != found.name for one in self._found):
                self._add(found)

    def _add(self, found: Found) -> None:
        if self._work.count(found.matches):
            self._found.append(found)
        else:
            self._work.drop(found.matches, *found.holders.values())

    def _settle(self) -> tuple[list[Place], str | None]:
        """Lay each link to one place: the fullest that holds it."""
        if not self._found:
            return [], None
        held = {found.matches: self._work.count(found.matches) for found in self._found}
        self._found.sort(key=lambda one: (-held[one.matches], one.name, one.column or ""))
        parts = []
        for number, found in enumerate(self._found):
            parts.append(f"SELECT pair, {number} AS place FROM {found.matches}")
        union = " UNION ALL ".join(parts)
        moved = self._work.temp(f"SELECT pair, min(place) AS place FROM ({union}) GROUP BY pair")
        rows = dict(self._work.ask(f"SELECT place, count(*) FROM {moved} GROUP BY place"))
        keeping = Keeping(self._missing, self._junction)
        places = []
        for number, found in enumerate(self._found):
            place = Place(
                found.name,
                found.column,
                rows.get(number, 0),
                held[found.matches],
                keeping.order(found),
                keeping.lost(found),
            )
            places.append(place)
        return places, moved


def _combinations(ends: Iterator[End]) -> list[tuple[Parent, ...]]:
    """Every choice of one parent from each end."""
    return list(itertools.product(*[end.parents for end in ends]))
