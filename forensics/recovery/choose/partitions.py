"""Partitions that were dropped from a table that is there: each comes back as the backup had it, and in its place.

Its rows are missing rows of the table, which no other partition may take. So the partition is made first, with its own keys
and indexes, and attached; then the rows go into the table. Where live's table is not what the partition was made for, it
is left to people, with a word on why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import postgast
from postgast import pg_query_pb2 as pb

from forensics.model import Catalog, Table, TableName
from forensics.recovery.choose.selection import Scope, Selection
from forensics.recovery.rehearse.foresight import NO_PARTITION
from forensics.recovery.write.definitions import attached
from forensics.store import Store

_KEEPS_PARTITIONS = (
    "delete",
    "truncate",
    "update",
    "type-change",
)  # how the codes of hazards begin that take rows only


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


def dropped_partitions(store: Store, selection: Selection, scope: Scope) -> tuple[Partition, ...]:
    """Find the dropped partitions of the tables that rows return to, of those that are asked for.

    By default that are those which a statement dropped that `cause` lays rows at: others went on purpose, as far as anybody
    knows.
    """
    backup, live = store.catalogs()
    made = attached(store.get("ddl") or ())
    found = []
    for target in selection.inserted:
        gone = list(_gone(backup, live, target.name))
        wanted = {*gone} if scope.include_unexplained else _laid(store, backup, target.name, gone)
        for name in gone:
            parent = backup.tables[name].parent
            if parent is not None and name in wanted:
                tree = tuple(_tree(backup, name))
                statement = made.get(name, "")
                if name in live.tables:
                    words = (
                        f"CREATE TABLE {name.sql} PARTITION OF {parent.sql}",
                        f"ALTER TABLE {parent.sql} ATTACH PARTITION {name.sql}",
                    )
                    statement = statement.replace(*words)
                reason = _reason(backup, live, tree, all(n in made for n in tree))
                found.append(Partition(name, parent, target.name, tree, statement, reason))
    return tuple(found)


def returning(partitions: Sequence[Partition]) -> tuple[Partition, ...]:
    """Those that are made again."""
    return tuple(p for p in partitions if not p.reason)


def explained(
    partitions: Sequence[Partition], selection: Selection, rehearsed: bool
) -> Iterator[str]:
    """What is to be known of those that are not made again.

    Args:
        rehearsed: whether it is known which rows no partition takes.
    """
    stuck = {
        t.name
        for t in selection.inserted
        if not rehearsed or any(why == NO_PARTITION for why, _ in t.reasons)
    }
    for one in (p for p in partitions if p.reason):
        text = f"Partition {one.name} of {one.parent} is not made again: {one.reason}."
        if one.root not in stuck:
            yield f"{text} Its rows return where live's partitions take them."
        elif one.statement:
            yield f"{text} Where no other takes its rows, do this, compare again, and they can return: {one.statement};"
        else:
            yield f"{text} Where no other takes its rows, make one that does, and compare again."


def _gone(backup: Catalog, live: Catalog, root: TableName) -> Iterator[TableName]:
    """The partitions of a table that are gone as such, the topmost only: what they are attached to is there."""
    for name, table in sorted(backup.tables.items()):
        if table.parent is None or backup.root(name) != root:
            continue
        there, above = live.tables.get(name), live.tables.get(table.parent)
        # Where another kind of table stands above by now, rows need no partition.
        if (
            above is not None
            and above.kind == "partitioned"
            and live.root(table.parent) == root
            and (there is None or not there.parent)
        ):
            yield name


def _tree(backup: Catalog, name: TableName) -> Iterator[TableName]:
    yield name
    for child in sorted(t.name for t in backup.tables.values() if t.parent == name):
        yield from _tree(backup, child)


def _reason(backup: Catalog, live: Catalog, tree: Sequence[TableName], known: bool) -> str:
    """Why a partition cannot be made again, as far as the catalogues tell, or ""."""
    ours = backup.tables[tree[0]]
    if ours.name in live.tables:
        return "it is a table by itself in live"
    if there := [str(n) for n in tree if n in live.tables]:
        return f"a part of it is there, {', '.join(there)}"
    if any(backup.tables[n].kind == "foreign" for n in tree):
        return "it is a foreign table"
    assert ours.parent is not None
    if changed := _changed(ours, live.tables[ours.parent]):
        return f"{ours.parent} has other columns by now ({', '.join(changed)})"
    return "" if known else "the backup does not say how it was attached"


def _changed(ours: Table, parent: Table) -> list[str]:
    """The columns by which a partition does not fit the table that it belongs to as it is now."""
    mine, theirs = {c.name: c for c in ours.columns}, {c.name: c for c in parent.columns}
    odd = {*mine} ^ {*theirs}
    for name in {*mine} & {*theirs}:
        one, other = mine[name], theirs[name]
        if (
            one.type != other.type
            or bool(one.generated) != bool(other.generated)
            or (one.nullable and not other.nullable)
        ):
            odd.add(name)
    return sorted(odd)


def _laid(
    store: Store, backup: Catalog, root: TableName, gone: Sequence[TableName]
) -> set[TableName]:
    """Those partitions of a table that a statement names which took rows of it; all where one of these names none, as dynamic SQL does."""
    found: set[TableName] = set()
    for statement in (store.get("cause") or {}).get("statements", ()):
        of_table = (
            (statement["schema"], statement["table"]) == tuple(root)
            and not statement["column"]
            and statement["rows"]
        )
        if of_table and not statement["hazard"].startswith(_KEEPS_PARTITIONS):
            named = _named(statement["sql"])
            mine = {n for n in gone if any(_is_named(t, named) for t in _tree(backup, n))}
            found |= mine or {*gone}
    return found


def _named(text: str) -> set[tuple[str, str]]:
    """(schema, table) of all that a statement names; the schema may be "", and the table of a schema that it drops."""
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError:
        return set()
    found = {(r.schemaname, r.relname) for r in postgast.find_nodes(tree, pb.RangeVar)}
    for drop in postgast.find_nodes(tree, pb.DropStmt):
        words = [[i.string.sval for i in o.list.items] for o in drop.objects]
        found |= {(w[-2] if len(w) > 1 else "", w[-1]) for w in words if w}
        found |= {(o.string.sval, "") for o in drop.objects if o.string.sval}
    return found


def _is_named(name: TableName, named: set[tuple[str, str]]) -> bool:
    return not named.isdisjoint({tuple(name), ("", name.table), (name.schema, "")})


def unmade(
    partitions: Sequence[Partition], reasons: Mapping[TableName, str]
) -> tuple[Partition, ...]:
    """Partitions with the reasons of those that turned out not to be makeable."""
    return tuple(
        Partition(p.name, p.parent, p.root, p.tree, p.statement, reasons.get(p.name, p.reason))
        for p in partitions
    )
