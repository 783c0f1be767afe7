"""Missing rows that another table of the same family by inheritance holds.

Rows that lay in an heir lie in the table itself now, in another heir, or the other way
round: chunks that were cut anew, partitions by inheritance that were merged. Whoever asks
the table sees them as before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.loss.columns import stores
from forensics.loss.elsewhere.values import comparable
from forensics.loss.missing import MissingRows, missing_rows
from forensics.loss.sql import alike, listed, numbered, prefixed, renamed
from forensics.loss.workspace import Workspace
from forensics.model import Catalog, Table, TableName


@dataclass(frozen=True)
class Moved:
    """Rows of a table that another one holds: a working table (pair, equal)."""

    place: TableName
    pairs: str


def moved_rows(work: Workspace, name: TableName) -> list[Moved]:
    """Return where other tables of its family hold a table's missing rows, each row once."""
    missing = missing_rows(work, name)
    result = work.result(name)
    if missing is None or result is None or not result.missing:
        return []
    found: list[Moved] = []
    for other in _others(work, name):
        left = missing.relation
        for one in found:
            left = f"(SELECT * FROM {left} WHERE pair NOT IN (SELECT pair FROM {one.pairs}))"
        here = _held(MissingRows(work, name, left), other)
        if here is not None:
            found.append(here)
    return found


def _others(work: Workspace, name: TableName) -> Iterator[Table]:
    """The other tables of live in the family of a table, on either side."""
    members: set[TableName] = set()
    for catalog in (work.backup.catalog, work.live.catalog):
        members |= _family(catalog, name)
    for member in list(members):
        members |= _family(work.live.catalog, member)
    for member in sorted(members - {name}):
        table = work.table("live", member)
        if table is not None and work.holds("live", member):
            yield table


def _family(catalog: Catalog, name: TableName) -> set[TableName]:
    """The tables that inherit from one another around a table, itself left out if alone."""
    around: dict[TableName, set[TableName]] = {}
    for table in catalog.tables.values():
        for parent in table.inherits:
            around.setdefault(table.name, set()).add(parent)
            around.setdefault(parent, set()).add(table.name)
    todo, seen = [name], set[TableName]()
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += around.get(here, ())
    return seen


def _held(missing: MissingRows, other: Table) -> Moved | None:
    """The missing rows that another table holds, one for one: whole, or under their key."""
    work, result = missing.work, missing.work.results[missing.name]
    columns = [column.name for column in missing.table.columns if not column.generated]
    if not stores(other, columns):
        return None
    rows = _added(work, other.name, columns)
    if rows is None:
        return None
    types = _types(other, columns)
    ours = comparable(missing.fields(columns) or [], types)
    pairs = work.temp("SELECT 0::BIGINT AS pair, true AS equal WHERE false")
    _pair(missing, _Side(ours, rows, numbered("c", len(columns))), pairs, "true")
    if result.key and _is_key(other, result.key):
        places = [columns.index(column) for column in result.key]
        own = [ours[place] for place in places]
        _pair(missing, _Side(own, rows, [f"c{place}" for place in places]), pairs, "false")
        _doubt(work, pairs)
    return Moved(other.name, pairs) if work.count(pairs) else None


def _doubt(work: Workspace, pairs: str) -> None:
    """Forget rows with other values under their key where most rows did not come whole.

    Each table of a family has keys of its own, and the same one may mean another row.
    """
    whole, others = work.one(
        f"SELECT count(*) FILTER (equal), count(*) FILTER (NOT equal) FROM {pairs}"
    )
    if others > whole:
        work.run(f"DELETE FROM {pairs} WHERE NOT equal")


def _is_key(table: Table, columns: Sequence[str]) -> bool:
    return any(set(key.columns) == set(columns) for key in table.keys)


def _added(work: Workspace, name: TableName, columns: Sequence[str]) -> str | None:
    """A relation (c0, …) of the rows that a table of live has and the backup's had not."""
    result = work.result(name)
    if result is None:
        return None
    types = _types(work.live.catalog.tables[name], columns)
    kept = work.kept("live", name)
    if kept is None:
        rows = work.read("live", name, columns)
        read = comparable(numbered("c", len(columns)), types)
        return f"(SELECT {renamed(read, 'c')} FROM {rows})"
    if not result.added:
        return None
    fields = work.fields("live", name, columns)
    if fields is None:
        return None
    return f"(SELECT {renamed(comparable(fields, types), 'c')} FROM {kept} WHERE state = 'added')"


def _types(table: Table, columns: Sequence[str]) -> list[str]:
    by_name = {column.name: column.type for column in table.columns}
    return [by_name[column] for column in columns]


@dataclass(frozen=True)
class _Side:
    """Fields of missing rows, and the fields of other rows that they are held against."""

    ours: Sequence[str]
    rows: str
    theirs: Sequence[str]


def _pair(missing: MissingRows, side: _Side, pairs: str, equal: str) -> None:
    """Put into `pairs` the rows that find an equal one, each of these once."""
    values = numbered("v", len(side.ours))
    on = alike(prefixed("b", values), prefixed("l", values))
    missing.work.run(
        f"""
        INSERT INTO {pairs}
        SELECT b.pair, {equal}
          FROM (SELECT *, row_number() OVER (PARTITION BY {listed(values)} ORDER BY pair) AS r
                  FROM (SELECT pair, {renamed(side.ours, "v")} FROM {missing.relation})) b
          JOIN (SELECT *, row_number() OVER (PARTITION BY {listed(values)}) AS r
                  FROM (SELECT {renamed(side.theirs, "v")} FROM {side.rows})) l
            ON b.r = l.r AND {on}
         WHERE b.pair NOT IN (SELECT pair FROM {pairs})
        """
    )
