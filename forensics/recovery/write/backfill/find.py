"""Finds the new places of links, by names and types, and by where live holds links already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.model import Column, Parent
from forensics.recovery.choose.selection import (
    Selection,
    Target,
    junction_parents,
)
from forensics.recovery.write.backfill.place import Place

_LIST_NAME = re.compile(
    r"galler|image|photo|picture|media|asset|_ids$|Ids$|list|items|tags|members",
    re.I,
)
_COVER_NAME = re.compile(r"cover|primary|main|hero|thumb|featured|lead|default", re.I)
_ORDER_NAME = re.compile(r"sort|order|position|rank|index|priority|ordinal|seq", re.I)
_FLAG_NAME = re.compile(r"primary|cover|main|default|featured|hero", re.I)
_TIME_NAME = re.compile(r"created|added|uploaded|inserted", re.I)
_NUMBERS = (
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "real",
    "double precision",
)
_Moved = dict[tuple[str, ...], set[tuple[str, str]]]


@dataclass(frozen=True)
class _Candidate:
    """A column that may be the new place of a junction table's links."""

    score: int
    owner: Parent
    other: Parent
    column: Column

    @property
    def words(self) -> str:
        """What people call it."""
        return f"{self.owner.name}.{self.column.name}"


def places(selection: Selection) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Find the new place of each chosen junction table's links; say of the others why none.

    Returns:
        The places, and notes.
    """
    finder = _Finder(selection)
    found: list[Place] = []
    notes: list[str] = []
    for target in selection.targets:
        best = finder.best(target)
        if len(best) == 1:
            found.append(finder.place(target, best[0]))
        elif best:
            names = ", ".join(candidate.words for candidate in best)
            notes.append(
                f"The links of {target.name} could go to {names}: that is for people to decide."
            )
    taken = [(place.owner.name, place.column.name) for place in found]
    alone: list[Place] = []
    for place in found:
        if taken.count((place.owner.name, place.column.name)) == 1:
            alone.append(place)
        else:
            notes.append(
                f"The links of several tables would go to {place.owner.name}."
                f"{place.column.name}: {place.target.name} is left out."
            )
    return tuple(alone), tuple(notes)


class _Finder:
    """Compares what the parents of junction tables had in the backup with what they have now."""

    def __init__(self, selection: Selection) -> None:
        self._backup, self._live = selection.store.catalogs()
        self._junctions = junction_parents(selection.store)
        self._moved = _moved_to(selection.store.get("loss"))

    def best(self, target: Target) -> list[_Candidate]:
        """The places that suit best; none, one, or several that suit equally."""
        parents = self._parents(target)
        if len(parents) < 2 or not target.rows:
            return []
        found: list[_Candidate] = []
        for owner in parents:
            for other in parents:
                if other is not owner and other.name in self._live.tables:
                    found += self._candidates(target, owner, other)
        most = max((candidate.score for candidate in found), default=0)
        return [candidate for candidate in found if candidate.score == most]

    def _parents(self, target: Target) -> list[Parent]:
        """The parents of a junction table that are known by one column."""
        found: list[Parent] = []
        for parent in self._junctions.get(target.name, ()):
            if len(parent.columns) == 1 and len(parent.parent_columns) == 1:
                found.append(parent)
        return found

    def _candidates(self, target: Target, owner: Parent, other: Parent) -> Iterator[_Candidate]:
        moved = self._moved.get(tuple(target.name), set())
        for column in self._new_columns(owner):
            if _holds_lists(column):
                held = (owner.name.table, column.name) in moved
                score = _score(column, other, held)
                if score:
                    yield _Candidate(score, owner, other, column)

    def _new_columns(self, owner: Parent) -> list[Column]:
        """The columns that a parent has in live and had not in the backup."""
        before = self._backup.tables.get(owner.name)
        now = self._live.tables.get(owner.name)
        if before is None or now is None:
            return []
        return [column for column in now.columns if before.column(column.name) is None]

    def place(self, target: Target, found: _Candidate) -> Place:
        """Work out the rest of a place: its cover, and what puts its links in order."""
        junction = self._backup.tables[target.name]
        other = found.other.columns[0]
        linking = (found.owner.columns[0], other)
        rest: list[Column] = []
        for column in junction.columns:
            if column.name in target.columns and column.name not in linking:
                rest.append(column)
        linked = junction.column(other)
        return Place(
            target=target,
            owner=found.owner,
            other=found.other,
            column=found.column,
            cover=self._cover(found, linked.type if linked else ""),
            order=(
                *_first(rest, _NUMBERS, _ORDER_NAME),
                *_first(rest, "timestamp", _TIME_NAME),
            ),
            flag=_flag(rest),
            links=target.rows,
        )

    def _cover(self, found: _Candidate, kind: str) -> Column | None:
        """The owner's new column for one link, where there is no doubt which it is."""
        covers: list[Column] = []
        for column in self._new_columns(found.owner):
            if column.type == kind and _COVER_NAME.search(column.name):
                covers.append(column)
        stem = _stem(found.other)
        named = [column for column in covers if stem in column.name.lower()]
        covers = named or covers
        return covers[0] if len(covers) == 1 else None


def _moved_to(loss: Mapping[str, Any] | None) -> _Moved:
    """Where live holds links of each junction table, as the loss was classified."""
    found: _Moved = {}
    for junction in (loss or {}).get("junctions", ()):
        moved = {(m["table"], m["column"]) for m in junction.get("moved_to", ())}
        found[junction["schema"], junction["table"]] = moved
    return found


def _holds_lists(column: Column) -> bool:
    return column.type in ("jsonb", "json") or column.type.endswith("[]")


def _score(column: Column, other: Parent, moved: bool) -> int:
    """How well a column suits links to `other`; `moved`: live holds some there already."""
    stem = _stem(other)
    named = len(stem) > 1 and stem in column.name.lower()
    return 4 * moved + 2 * named + bool(_LIST_NAME.search(column.name))


def _stem(other: Parent) -> str:
    """What a junction table calls the thing that it links to."""
    return re.sub(r"_?id$", "", other.columns[0], flags=re.I).lower()


def _first(
    columns: Sequence[Column],
    types: str | tuple[str, ...],
    name: re.Pattern[str],
) -> list[str]:
    """The first column of some types with such a name, if there is one."""
    for column in columns:
        if column.type.startswith(types) and name.search(column.name):
            return [column.name]
    return []


def _flag(columns: Sequence[Column]) -> str | None:
    """The column that marks the primary link."""
    for column in columns:
        if column.type == "boolean" and _FLAG_NAME.search(column.name):
            return column.name
    return None
