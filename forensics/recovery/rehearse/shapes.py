"""Whether the tables and partitions that were made again are as the backup had them."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.compare.schema import drift
from forensics.model import Catalog, Table
from forensics.recovery.write.script import Work


def misshapen(work: Work, now: Catalog) -> Iterator[str]:
    """Yield what is not as the backup had it, a sentence each.

    Args:
        work: what the scripts were written from.
        now: the catalogue after the recovery.
    """
    backup = work.catalogs[0]
    for target in work.selection.recreated:
        theirs = now.tables.get(target.name)
        if theirs is None:
            yield f"Table {target.name} did not come back."
            continue
        yield from _of_table(work, backup.tables[target.name], theirs, now)
    for partition in work.partitions:
        for name in partition.tree:
            yield from _of_partition(backup.tables[name], now.tables.get(name))


def _of_table(work: Work, ours: Table, theirs: Table, now: Catalog) -> Iterator[str]:
    """What a table that came back has otherwise."""
    name = ours.name
    without = work.definitions.without
    changes = []
    for change in drift(ours, theirs):
        if (name, change.column) not in without:
            changes.append(f"{change.column} ({change.change})")
    if changes:
        yield f"Table {name} came back with other columns: {', '.join(changes)}."
    lacking = {key.name for key in ours.keys} - {key.name for key in theirs.keys}
    there = {key.name for key in theirs.foreign_keys}
    for key in ours.foreign_keys:
        wanted = key.parent in now.tables and (name, key.name) not in without
        if wanted and key.name not in there:
            lacking.add(key.name)
    if lacking:
        yield f"Table {name} came back without {', '.join(sorted(lacking))}."


def _of_partition(ours: Table, theirs: Table | None) -> Iterator[str]:
    """What a partition that was made again has otherwise."""
    if theirs is None or theirs.parent != ours.parent:
        yield f"Partition {ours.name} of {ours.parent} did not come back."
        return
    if {key.columns for key in ours.keys} > {key.columns for key in theirs.keys}:
        yield f"Partition {ours.name} came back without a key of its own."
