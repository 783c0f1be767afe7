"""Junction tables whose links live declares, and the backup did not.

Columns that were texts and are numbers by now, or keys that were added since: the rows
of the backup say the same links, undeclared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from forensics.loss.columns import has
from forensics.loss.junctions import ends_of
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName

_Junctions = Mapping[TableName, tuple[Parent, ...]]
_EVIDENCE = "a foreign key that live has"


def adopted(work: Workspace, found: _Junctions) -> dict[TableName, tuple[Parent, ...]]:
    """Return the junction tables of the backup, those that only live declares included.

    Args:
        work: the run's workspace; `renamed` is known.
        found: those that the backup tells, by name.
    """
    every = dict(found)
    for name, parents in work.live_junctions.items():
        table = work.table("backup", name)
        if name in every or table is None:
            continue
        ends = _as_they_were(work, table, parents)
        if len(ends_of(ends)) >= 2:
            every[name] = ends
    return dict(sorted(every.items()))


def _as_they_were(work: Workspace, table: Table, parents: Sequence[Parent]) -> tuple[Parent, ...]:
    """The parents by the backup's names, as far as it has them and their keys."""
    former = {new: old for old, new in work.renamed.items()}
    ends = []
    for parent in parents:
        name = former.get(parent.name, parent.name)
        there = work.table("backup", name)
        if there is None or not has(there, parent.parent_columns):
            continue
        if has(table, parent.columns):
            ends.append(replace(parent, name=name, declared=False, evidence=_EVIDENCE))
    return tuple(ends)
