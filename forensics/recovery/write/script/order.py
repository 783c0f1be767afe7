"""The order in which rows are written: that of the targets, circles together."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model import TableName
from forensics.recovery.choose.selection import Target
from forensics.recovery.write.script.rows import numbered
from forensics.recovery.write.script.work import Work

_Parents = dict[TableName, set[TableName]]


def groups(work: Work) -> Iterator[list[int]]:
    """Yield the numbers of the targets in order.

    Those are together whose rows refer to each other in a circle that live enforces.
    """
    numbers = numbered(work)
    parents = _parents(work)
    reached = {name: _reached(parents, name) for name in numbers}
    done: set[TableName] = set()
    for name in numbers:
        if name in done:
            continue
        group = [name]
        for other in numbers:
            if other != name and other in reached[name] and name in reached[other]:
                group.append(other)
        done.update(group)
        yield [numbers[member] for member in group]


def _parents(work: Work) -> _Parents:
    """By target, those that its rows refer to by a foreign key of live's."""
    kept = {target.name for target in work.selection.inserted}
    parents: _Parents = {}
    for target in work.selection.targets:
        parents[target.name] = set()
        if target.name in kept:
            parents[target.name] = _enforced(target) & kept
    return parents


def _enforced(target: Target) -> set[TableName]:
    return {link.parent for link in target.links if link.declared}


def _reached(parents: _Parents, name: TableName) -> set[TableName]:
    """All that a target leads to."""
    todo, seen = [*parents[name]], set[TableName]()
    while todo:
        parent = todo.pop()
        if parent not in seen:
            seen.add(parent)
            todo += parents[parent]
    return seen
