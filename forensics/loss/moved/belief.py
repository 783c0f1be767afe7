"""Which values that equal a key mean it: what reason there is to believe so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.junctions import Junction
from forensics.loss.missing import MissingRows
from forensics.loss.names import related, stem, words
from forensics.loss.sql import listed, numbered, prefixed, same
from forensics.model import Column, Parent, Table

_DISTINCT = "regexp_matches({0}, '[0-9]') AND regexp_matches({0}, '[a-zA-Z]') OR length({0}) >= 12"
_MOST_LABELS = 2000
_SURE = 0.9
_PRECISE = 0.5
_SOME = 3
_BEYOND_CHANCE = 3


@dataclass(frozen=True)
class Leaves:
    """The values of a column of a parent, taken apart.

    Attributes:
        holder: the parent; live: its table in live; column: the column.
        relation: a working table of the leaves, as in `leaves`.
    """

    holder: Parent
    live: Table
    column: Column
    relation: str


class Belief:
    """Says which values mean the keys of missing links.

    Args:
        missing: the missing rows.
        junction: their table.
    """

    def __init__(self, missing: MissingRows, junction: Junction) -> None:
        self._missing = missing
        self._work = missing.work
        self._junction = junction
        self._unmistakable: dict[str, bool] = {}

    def unmistakable(self, field: str) -> bool:
        """Whether a column's keys hold letters and digits, or are long."""
        if field not in self._unmistakable:
            test = _DISTINCT.format(field)
            some = f"(SELECT {field} FROM {self._missing.relation} LIMIT 10000)"
            (share,) = self._work.one(f"SELECT avg(CASE WHEN {test} THEN 1 ELSE 0 END) FROM {some}")
            self._unmistakable[field] = bool(share and share >= _SURE)
        return self._unmistakable[field]

    def labels(self, leaves: Leaves, other: Parent, field: str) -> list[str]:
        """The labels under which leaves are believed to be keys of the other parent.

        Args:
            leaves: of a column of the one parent.
            other: the other parent; field: the field of a missing row that holds its
                key.
        """
        hits = self._hits(leaves, other, field)
        if not hits:
            return []
        if self._is_declared(leaves, other) or self.unmistakable(field):
            return [label for label, _, _ in hits]
        chance = self._chance(leaves.holder, field)
        meant = self._words(leaves.holder, other)
        accepted = []
        for label, hit, total in hits:
            likely = hit >= _SOME and hit >= total * max(_PRECISE, _BEYOND_CHANCE * chance)
            if likely or _is_named(label, leaves.column, meant):
                accepted.append(label)
        return accepted

    def _hits(self, leaves: Leaves, other: Parent, field: str) -> list[tuple[str, int, int]]:
        """By label, how many leaves are the key of a missing link, and how many there are."""
        keys = self._missing.fields(leaves.holder.columns) or []
        on = same(prefixed("m", keys), numbered("l.k", len(keys)))
        means = self._missing.condition
        hit = f"""
            EXISTS (SELECT 1 FROM {self._missing.relation} m
                     WHERE {on} AND m.{field} = l.token
                       AND {means(leaves.holder)} AND {means(other)}) AS hit
        """
        found: list[tuple[str, int, int]] = self._work.ask(
            f"""
            SELECT l.label, count(*) FILTER (hit), count(*)
              FROM (SELECT l.label, {hit} FROM {leaves.relation} l) l
             GROUP BY l.label
            HAVING count(*) FILTER (hit) > 0
             ORDER BY 2 DESC, 1
             LIMIT {_MOST_LABELS}
            """
        )
        return found

    def _is_declared(self, leaves: Leaves, other: Parent) -> bool:
        """Whether a foreign key says that the column refers to the other parent."""
        name = self._work.live_name(other.name)
        for key in leaves.live.foreign_keys:
            if key.columns == (leaves.column.name,) and key.parent == name:
                return True
        return False

    def _chance(self, holder: Parent, field: str) -> float:
        """How likely any holder with any other parent is a missing link by chance."""
        keys: Sequence[str] = self._missing.fields(holder.columns) or []
        row = f"row({listed(keys)})" if len(keys) > 1 else keys[0]
        links, holders, others = self._work.one(
            f"""
            SELECT count(*), count(DISTINCT {row}), count(DISTINCT {field})
              FROM {self._missing.relation}
            """
        )
        if not holders or not others:
            return 1.0
        return float(links / (holders * others))

    def _words(self, holder: Parent, other: Parent) -> set[str]:
        """The words that name what a link leads to from its holder."""
        meant = set(words(other.name.table))
        for column in other.columns:
            meant.update(stem(column))
        junction = set(words(self._junction.name.table))
        return meant | (junction - set(words(holder.name.table)))


def _is_named(label: str, column: Column, meant: set[str]) -> bool:
    """Whether a leaf's label, or what it stands in, names what is meant."""
    if label.endswith(".*"):
        return False
    path = [column.name]
    if label != "$":
        keys = label.removeprefix("$").strip(".").split(".")
        path = [*reversed(keys), column.name]
    return related(path[0], path[1:], meant)
