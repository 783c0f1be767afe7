"""Ways in which the columns of another table may hold the ends of a link."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.loss.columns import has
from forensics.loss.junctions import declared_parents
from forensics.loss.kinds import Kind, kinds_of
from forensics.loss.missing import MissingRows
from forensics.loss.moved.belief import Belief
from forensics.loss.named_by import key_by_type
from forensics.loss.names import family, likeness
from forensics.model import Parent, Table

_MOST_COLUMNS = 12  # of a table whose columns' names say nothing


@dataclass(frozen=True)
class Holder:
    """Columns that may hold one end of a link.

    `kind` is there where they may hold others too, `sure` where a foreign key says so,
    and `key` where that refers to another key of the parent than the link did.
    """

    columns: tuple[str, ...]
    kind: Kind | None = None
    sure: bool = False
    key: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """Which columns may hold each end of a link."""

    holders: tuple[Holder, ...]

    @property
    def sure(self) -> bool:
        """Whether foreign keys say so of every end."""
        return all(holder.sure for holder in self.holders)

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it takes, each once."""
        found: dict[str, None] = {}
        for holder in self.holders:
            found |= dict.fromkeys(holder.columns)
            if holder.kind:
                found[holder.kind.kind] = None
        return tuple(found)


class Layouts:
    """Finds the ways in which one table of live may hold missing links.

    Args:
        missing: the missing rows.
        belief: which values mean their keys.
        table: a table of live.
    """

    def __init__(self, missing: MissingRows, belief: Belief, table: Table) -> None:
        self._missing = missing
        self._work = missing.work
        self._belief = belief
        self._table = table
        self._declared = declared_parents(table)
        self._kinds = kinds_of(table, self._declared, self._work.live.catalog)

    @property
    def likely(self) -> bool:
        """Whether the table may hold links: it is new, a junction table, or has kinds."""
        is_junction = self._table.name in self._work.live_junctions
        return self._is_new or is_junction or bool(self._kinds)

    @property
    def _is_new(self) -> bool:
        return self._table.name not in self._work.backup.catalog.tables

    def find(self, parents: Sequence[Parent]) -> list[Layout]:
        """Return the ways in which the table may hold links to these parents."""
        options = [self._options(parent) for parent in parents]
        if not all(options):
            return []
        found = []
        for choice in itertools.product(*options):
            taken = {holder.columns for holder in choice}
            if len(taken) == len(choice):
                found.append(Layout(tuple(choice)))
        if all(_is_told(option) for option in options):
            # Two ends at one parent can be held either way round; the names as they
            # were come first.
            either_way = len({parent.name for parent in parents}) < len(parents)
            return found[: 2 if either_way else 1]
        return found

    def _options(self, parent: Parent) -> list[Holder]:
        """The columns that may hold one end: by keys, else by names, else by values."""
        if declared := self._by_key(parent):
            return declared
        found = self._by_name(parent)[:1]
        if len(parent.columns) == 1:
            for kind in self._kinds:
                found.append(Holder((kind.column,), kind))
        if not found and self._is_new:
            return self._by_value(parent)
        return found

    def _by_key(self, parent: Parent) -> list[Holder]:
        """Columns that refer to the parent; first by the same key, and by the same name."""
        name = self._work.live_name(parent.name)
        key = self._work.live_key(parent)
        found = []
        for declared in self._declared:
            if declared.name != name:
                continue
            other = () if declared.parent_columns == key else declared.parent_columns
            found.append(Holder(declared.columns, sure=True, key=other))
        found.sort(key=lambda holder: (bool(holder.key), holder.columns != parent.columns))
        return found

    def _by_name(self, parent: Parent) -> list[Holder]:
        if has(self._table, parent.columns):
            is_own = self._table.name == self._missing.name
            other = key_by_type(self._work, parent, self._table) if is_own else ()
            return [Holder(parent.columns, key=other)]
        found = []
        if len(parent.columns) == 1:
            for column in self._table.columns:
                if likeness(column.name, parent.name.table) >= 2:
                    found.append(Holder((column.name,)))
        return found

    def _by_value(self, parent: Parent) -> list[Holder]:
        """Columns whose names say nothing, where the parent's keys are unmistakable."""
        there = self._missing.table.column(parent.columns[0])
        if len(parent.columns) != 1 or there is None:
            return []
        if not self._belief.unmistakable(self._missing.field(there.name)):
            return []
        kind = family(there.type, self._work.backup.catalog)
        found = []
        for column in self._table.columns:
            if not column.generated and family(column.type, self._work.live.catalog) == kind:
                found.append(Holder((column.name,)))
        return found if len(found) <= _MOST_COLUMNS else []


def _is_told(option: Sequence[Holder]) -> bool:
    """Whether there is no doubt which columns are meant."""
    return len(option) == 1 or option[0].sure
