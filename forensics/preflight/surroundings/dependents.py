"""Views, rules, policies and functions that hold tables and columns fast."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.preflight.surroundings.questions import Dependent, Place, dependents
from forensics.statements.hazards import Hazard

# What is no object of its own, but a part of the table that it is named with.
_OF_TABLES = ("rule", "policy")
_TAKES_TABLES = ("drop-table", "drop-schema", "drop-cascade")


class Dependents:
    """What stands on tables and columns, as it would stand after some statements.

    Args:
        live: the database; it is asked when something is first needed.
    """

    def __init__(self, live: LiveSource) -> None:
        self._live = live
        self._gone: set[Dependent] = set()

    @cached_property
    def _by_place(self) -> dict[Place, list[Dependent]]:
        return dependents(self._live)

    def standing_on(self, name: TableName, column: str | None = None) -> list[Dependent]:
        """What stands on a table or a column, and no statement has dropped."""
        held = self._by_place.get((name, column), ())
        return [one for one in held if one not in self._gone]

    @property
    def names(self) -> set[TableName]:
        """The names of all of them, dropped or not."""
        return {one.name for one in self._all()}

    # --- going ---

    def go_with(self, hazards: Sequence[Hazard]) -> None:
        """Drop what goes with the tables and columns that a statement takes."""
        for hazard in hazards:
            if hazard.table is None:
                continue
            if hazard.cascade and not hazard.within:
                self.cascade(hazard.table, hazard.column)
            if hazard.code in _TAKES_TABLES and not hazard.column:
                self._go(hazard.table)  # its own rules

    def go(self, name: TableName) -> None:
        """Drop a view or a function.

        Without CASCADE nothing stood on it; with it, that went too.
        """
        for one in self._all():
            if one.name == name and not one.kind.startswith(_OF_TABLES):
                self._gone.add(one)
        self.cascade(name)

    def go_rule(self, name: TableName, rule: str) -> None:
        """Drop a rule or a policy of a table."""
        self._gone.add(Dependent(f"{rule} on", name))

    def all_go(self) -> None:
        """Drop them all."""
        self._gone |= self._all()

    def cascade(self, name: TableName, column: str | None = None) -> None:
        """Drop what stands on a table or a column, and on that."""
        for one in self.standing_on(name, column):
            self._gone.add(one)
            if not one.kind.startswith(_OF_TABLES):
                self.cascade(one.name)

    # --- renaming ---

    def lose(self, name: TableName) -> None:
        """Drop a view that takes another name: what becomes of it under that is not followed."""
        self._go(name)
        self.cascade(name)

    def rename_table(self, name: TableName, new: TableName) -> None:
        """What stands on a table goes on standing on it."""
        moved: dict[Place, list[Dependent]] = {}
        for (table, column), held in self._by_place.items():
            if table == name:
                table = new
            moved[table, column] = held
        self._by_place = moved

    def rename_column(self, name: TableName, old: str, new: str) -> None:
        """What stands on a column goes on standing on it."""
        moved: dict[Place, list[Dependent]] = {}
        for place, held in self._by_place.items():
            if place == (name, old):
                place = (name, new)
            moved[place] = held
        self._by_place = moved

    def _go(self, name: TableName) -> None:
        self._gone |= {one for one in self._all() if one.name == name}

    def _all(self) -> set[Dependent]:
        found: set[Dependent] = set()
        for held in self._by_place.values():
            found.update(held)
        return found
