"""The plan: what can come back, at what price, and what its rehearsals proved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forensics.documents import plain
from forensics.model import TableName
from forensics.recovery.beside.planning import Beside
from forensics.recovery.choose.options import Option
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.choose.partitions import Partition
from forensics.recovery.choose.targets import CLASSES, Scope, Target, some
from forensics.recovery.proof import Rehearsal, Trial
from forensics.recovery.selected import Selected
from forensics.recovery.stays import HELD, Stay
from forensics.recovery.write.runbook import Step


@dataclass(frozen=True)
class Plan:
    """What can come back, at what price, and the proof.

    Attributes:
        options: the ways out.
        recommendation: what the numbers speak for.
        rehearsal: what came of it, or None where none was held.
        problem: why there is no rehearsal although one was asked for, or None.
        targets: the tables that rows return to.
        stays: what does not come back, and why.
        notes: what else is to be known.
        files: what was written, in the order in which to read it.
        columns: dropped columns whose values return: (table, columns, missing values).
        migrations: the safer migrations that were written.
        scope: what was asked for.
        rehearsed_at: when it was rehearsed, or None.
        runbook: what is to be done, step by step.
        partitions: dropped partitions that are made again, of tables that are there.
        overwritten: the tables of which overwritten values come back.
        selected: what belongs to the rows that were named; None where none were.
        beside: what is laid into a schema beside the tables, where that was asked for.
    """

    options: tuple[Option, ...]
    recommendation: str
    rehearsal: Rehearsal | None
    problem: str | None
    targets: tuple[Target, ...]
    stays: tuple[Stay, ...]
    notes: tuple[str, ...]
    files: tuple[str, ...]
    columns: tuple[tuple[TableName, tuple[str, ...], int], ...] = ()
    migrations: tuple[Trial, ...] = ()
    scope: Scope = field(default_factory=Scope)
    rehearsed_at: datetime | None = None
    runbook: tuple[Step, ...] = ()
    partitions: tuple[Partition, ...] = ()
    overwritten: tuple[Values, ...] = ()
    selected: Selected | None = None
    beside: Beside | None = None

    @property
    def holds(self) -> bool:
        """Whether no rehearsal failed."""
        return self.problem is None and not self.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """What the rehearsals found that does not hold.

        Each with the option or the migration that it is about.
        """
        found: list[str] = []
        for option in self.options:
            if option.proof:
                found += [f"{option.name}: {words}" for words in option.proof.problems]
        for trial in self.migrations:
            found += trial.problems
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """The plan as the contract has it, and more."""
        columns = []
        for name, names, values in self.columns:
            columns.append({**plain(name), "columns": list(names), "values": values})
        partitions = []
        for partition in self.partitions:
            partitions.append({**plain(partition.name), "of": plain(partition.parent)})
        return {
            "options": [option.as_json() for option in self.options],
            "recommendation": self.recommendation,
            "rehearsal": plain(self.rehearsal),
            "problem": self.problem,
            "tables": [_table_json(target) for target in self.targets],
            "columns": columns,
            "partitions": partitions,
            "overwritten": _values_json(self.overwritten),
            "migrations": plain(self.migrations),
            "into": self.beside.as_json() if self.beside else None,
            "stays": [stay.as_json() for stay in self.stays],
            "notes": list(self.notes),
            "files": list(self.files),
            "scope": _scope_json(self.scope),
            "selection": self.selected.as_json() if self.selected else None,
            "rehearsed_at": plain(self.rehearsed_at),
            "runbook": plain(self.runbook),
        }


def _scope_json(scope: Scope) -> dict[str, Any]:
    """What was asked for; what came later than the rest stands there only where it was."""
    found: dict[str, Any] = plain(scope)
    for name in ("where", "rows", "into"):
        if not found[name]:
            del found[name]
    return found


def _values_json(every: tuple[Values, ...]) -> list[dict[str, Any]]:
    """By table and column, how many overwritten values come back, are kept, and are blocked."""
    found = []
    for values in every:
        for column in values.columns:
            reasons = [{"reason": why, "rows": rows} for why, rows in column.reasons]
            found.append(
                {
                    **plain(values.name),
                    "column": column.column,
                    "pattern": column.pattern,
                    "back": column.rows,
                    "kept": column.kept,
                    "blocked": column.blocked,
                    "reasons": reasons,
                    "key": list(values.key),
                }
            )
    return found


def _table_json(target: Target) -> dict[str, Any]:
    """A table that rows return to, as the contract has it, and more."""
    found = {**plain(target.name), "kind": target.kind, "missing": target.missing}
    found["live_rows"] = target.live_rows
    for name in CLASSES:
        known = not target.unclassified or name not in HELD
        found[name] = target.counts[name] if known else None
    found["freed"] = target.freed
    found["reasons"] = [{"reason": why, "rows": rows} for why, rows in some(target.reasons)]
    return found
