"""Partitions that were dropped from a table that is there: each returns to its place.

Its rows are missing rows of the table, which no other partition may take. So the partition is
made first, as the backup had it, with its own keys and indexes, and attached; then the rows go
into the table. Where live's table is not what the partition was made for, it is left to
people, with a word on why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import postgast
from postgast import pg_query_pb2 as pb

from forensics.model import Catalog, Column, Table, TableName
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Scope

NO_PARTITION = "no partition of live's table takes it"

# How the codes of hazards begin that take rows only.
_KEEPS_PARTITIONS = ("delete", "truncate", "update", "type-change")

# (schema, table) of what a statement names: the schema may be "", and the table of a schema
# that it drops.
_Named = set[tuple[str, str]]


@dataclass(frozen=True)
class Partition:
    """A partition that live does not have, though it has the table that it belongs to.

    Attributes:
        parent: the partitioned table that it is attached to; `root` is the one at the top.
        tree: the partition itself and all that stand below it, parents first.
        statement: what makes it in its place by hand, or "" where the backup does not say.
        reason: why it is not made again, or "" where it is.
    """

    name: TableName
    parent: TableName
    root: TableName
    tree: tuple[TableName, ...]
    statement: str = ""
    reason: str = ""


def dropped_partitions(
    selection: Selection,
    scope: Scope,
    attached: Mapping[TableName, str],
) -> tuple[Partition, ...]:
    """Find the dropped partitions of the tables that rows return to.

    By default those are found which a statement dropped that `cause` lays rows at: others
    went on purpose, as far as anybody knows.

    Args:
        selection: what comes back.
        scope: what is asked for.
        attached: by partition, the statement that makes it in its place, as the backup has it.
    """
    backup, live = selection.store.catalogs()
    cause = selection.store.get("cause") or {}
    found = []
    for target in selection.inserted:
        gone = list(_gone(backup, live, target.name))
        wanted = {*gone}
        if not scope.include_unexplained:
            wanted = _laid(cause, backup, target.name, gone)
        for name in gone:
            parent = backup.tables[name].parent
            if parent is None or name not in wanted:
                continue
            tree = tuple(_tree(backup, name))
            statement = attached.get(name, "")
            if name in live.tables:
                statement = statement.replace(
                    f"CREATE TABLE {name.sql} PARTITION OF {parent.sql}",
                    f"ALTER TABLE {parent.sql} ATTACH PARTITION {name.sql}",
                )
            reason = _reason(backup, live, tree)
            if not reason and not attached.keys() >= {*tree}:
                reason = "the backup does not say how it was attached"
            found.append(Partition(name, parent, target.name, tree, statement, reason))
    return tuple(found)


def returning(partitions: Sequence[Partition]) -> tuple[Partition, ...]:
    """Those that are made again."""
    return tuple(p for p in partitions if not p.reason)


def unmade(
    partitions: Sequence[Partition],
    reasons: Mapping[TableName, str],
) -> tuple[Partition, ...]:
    """Partitions with the reasons of those that turned out not to be makeable."""
    found = []
    for partition in partitions:
        reason = reasons.get(partition.name, partition.reason)
        found.append(replace(partition, reason=reason))
    return tuple(found)


def explained(
    partitions: Sequence[Partition],
    selection: Selection,
    rehearsed: bool,
) -> Iterator[str]:
    """What is to be known of those that are not made again.

    Args:
        partitions: the dropped ones.
        selection: what comes back.
        rehearsed: whether it is known which rows no partition takes.
    """
    stuck = set()
    for target in selection.inserted:
        reasons = dict(target.reasons)
        if not rehearsed or NO_PARTITION in reasons:
            stuck.add(target.name)
    for partition in partitions:
        if partition.reason:
            yield _explained(partition, partition.root in stuck)


def _explained(partition: Partition, stuck: bool) -> str:
    """Why a partition is not made again, and what becomes of its rows."""
    text = f"Partition {partition.name} of {partition.parent} is not made again: "
    text += f"{partition.reason}."
    if not stuck:
        return f"{text} Its rows return where live's partitions take them."
    if partition.statement:
        return (
            f"{text} Where no other takes its rows, do this, compare again, "
            f"and they can return: {partition.statement};"
        )
    return f"{text} Where no other takes its rows, make one that does, and compare again."


# --- what is gone ---------------------------------------------------------------------------------


def _gone(backup: Catalog, live: Catalog, root: TableName) -> Iterator[TableName]:
    """The partitions of a table that are gone as such.

    The topmost only: what they are attached to is there.
    """
    for name, table in sorted(backup.tables.items()):
        if table.parent is None or backup.root(name) != root:
            continue
        above = live.tables.get(table.parent)
        # Where another kind of table stands above by now, rows need no partition.
        if above is None or above.kind != "partitioned" or live.root(above.name) != root:
            continue
        there = live.tables.get(name)
        if there is None or not there.parent:
            yield name


def _tree(backup: Catalog, name: TableName) -> Iterator[TableName]:
    yield name
    for child, table in sorted(backup.tables.items()):
        if table.parent == name:
            yield from _tree(backup, child)


# --- why it is not made again ---------------------------------------------------------------------


def _reason(backup: Catalog, live: Catalog, tree: Sequence[TableName]) -> str:
    """Why a partition cannot be made again, as far as the catalogues tell, or ""."""
    ours = backup.tables[tree[0]]
    if ours.name in live.tables:
        return "it is a table by itself in live"
    there = [str(name) for name in tree if name in live.tables]
    if there:
        return f"a part of it is there, {', '.join(there)}"
    if "foreign" in [backup.tables[name].kind for name in tree]:
        return "it is a foreign table"
    assert ours.parent is not None
    changed = _changed(ours, live.tables[ours.parent])
    if changed:
        return f"{ours.parent} has other columns by now ({', '.join(changed)})"
    return ""


def _changed(partition: Table, parent: Table) -> list[str]:
    """The columns by which a partition does not fit its table as that is now."""
    odd = []
    names = {c.name for c in (*partition.columns, *parent.columns)}
    for name in sorted(names):
        ours, theirs = partition.column(name), parent.column(name)
        if ours is None or theirs is None or _differs(ours, theirs):
            odd.append(name)
    return odd


def _differs(ours: Column, theirs: Column) -> bool:
    """Whether a partition with a column cannot be attached to a table with another."""
    if ours.type != theirs.type or bool(ours.generated) != bool(theirs.generated):
        return True
    return ours.nullable and not theirs.nullable


# --- which of them a statement took ---------------------------------------------------------------


def _laid(
    cause: Mapping[str, Sequence[Mapping[str, str]]],
    backup: Catalog,
    root: TableName,
    gone: Sequence[TableName],
) -> set[TableName]:
    """Those partitions of a table that a statement names which took rows of it.

    All where one of these names none, as dynamic SQL does.
    """
    found: set[TableName] = set()
    for statement in cause.get("statements", ()):
        if _took_rows(statement, root) and not _keeps_partitions(statement):
            named = _named(statement["sql"])
            mine = {name for name in gone if _names_a_part(named, backup, name)}
            found |= mine or {*gone}
    return found


def _took_rows(statement: Mapping[str, str], root: TableName) -> bool:
    """Whether rows of a table are laid at a statement."""
    if statement["column"] or not statement["rows"]:
        return False
    return (statement["schema"], statement["table"]) == tuple(root)


def _keeps_partitions(statement: Mapping[str, str]) -> bool:
    return statement["hazard"].startswith(_KEEPS_PARTITIONS)


def _named(text: str | None) -> _Named:
    """What a statement names."""
    if text is None:  # no statement did it: the schema was rebuilt
        return set()
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError:
        return set()
    found = set()
    for relation in postgast.find_nodes(tree, pb.RangeVar):
        found.add((relation.schemaname, relation.relname))
    for drop in postgast.find_nodes(tree, pb.DropStmt):
        for dropped in drop.objects:
            words = [item.string.sval for item in dropped.list.items]
            if len(words) > 1:
                found.add((words[-2], words[-1]))
            elif words:
                found.add(("", words[0]))
            if dropped.string.sval:
                found.add((dropped.string.sval, ""))
    return found


def _names_a_part(named: _Named, backup: Catalog, name: TableName) -> bool:
    """Whether a statement names a partition or one below it."""
    for part in _tree(backup, name):
        if not named.isdisjoint({tuple(part), ("", part.table), (part.schema, "")}):
            return True
    return False
