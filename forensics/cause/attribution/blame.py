"""By which of its hazards a statement did what it did to a table."""

from __future__ import annotations

from dataclasses import replace

from forensics.cause.attribution.incident import Step
from forensics.model import Catalog, TableName
from forensics.statements.hazards import Hazard, destructive

# Where they befall a column of the key, rows are gone as far as the key tells them.
_OF_KEY = ("drop-column", "drop-type", "type-change", "update-all", "update-where", "rename-column")
_DELETES = ("delete-all", "delete-where")


class Blame:
    """Finds the hazard that says what a statement did.

    Args:
        backup: the schema before the statements.
    """

    def __init__(self, backup: Catalog) -> None:
        self._backup = backup

    def code(self, step: Step, name: TableName | None, column: str | None) -> str:
        """The code of the hazard by which a step took rows of a table, or values of a column."""
        if name is None:
            return step.hazards[0].code if step.hazards else "side-effect"
        about = self._about(step, name)
        hazard = destructive(about, name, column)
        if hazard is None and column:
            hazard = destructive(about, name, None)
        if hazard is not None:
            return hazard.code
        for hazard in about:
            if hazard.code in _OF_KEY:
                return hazard.code
        return self._beyond(step, name)

    def _about(self, step: Step, name: TableName) -> list[Hazard]:
        """The hazards of a step that reach a table, as hazards to it."""
        found = []
        for hazard in step.hazards:
            if hazard.table and name in self._reached(hazard.table):
                found.append(replace(hazard, table=name))
        return found

    def _beyond(self, step: Step, name: TableName) -> str:
        """What took rows of a table that the step does not name."""
        if any(hazard.code in _DELETES for hazard in step.hazards):
            parents = {hazard.table for hazard in step.hazards if hazard.table}
            if self._hangs_on(parents, name):
                return "delete-cascades"
        if any(hazard.code == "truncate-cascade" for hazard in step.hazards):
            return "truncate-cascade"
        if any(hazard.cascade for hazard in step.hazards):
            return "drop-cascade"
        return "side-effect"

    def _reached(self, name: TableName) -> set[TableName]:
        """The tables whose rows a statement that names one reaches.

        Itself, the root of a partition, and what inherits from these.
        """
        found = {name, self._backup.root(name)}
        before = 0
        while len(found) > before:
            before = len(found)
            for table in self._backup.tables.values():
                if found.intersection(table.inherits):
                    found.add(table.name)
        return found

    def _hangs_on(self, parents: set[TableName], name: TableName) -> bool:
        """Whether deleting rows of `parents` deletes or empties rows of `name`."""
        seen: set[TableName] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            seen.add(one)
            table = self._backup.tables.get(one)
            if table is None:
                continue
            follow: tuple[str, ...] = ("cascade",)
            if one == name:
                follow = ("cascade", "set null", "set default")
            for key in table.foreign_keys:
                if not key.enforced or key.on_delete not in follow or key.parent in seen:
                    continue
                if key.parent in parents:
                    return True
                waiting.append(key.parent)
        return False
