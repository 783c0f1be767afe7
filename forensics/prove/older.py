"""What live had before the backup was taken, and the backup lacks: rows, and whole tables.

A row that live has and the backup lacks was mostly written since. Two things tell one that was
not: when it says it was made, and a serial number that the backup's own sequence had given out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forensics.loss.columns import made_column
from forensics.model import Catalog, Sequence, Table, TableName, TableResult, quote_literal
from forensics.store import Store, has_table

# No clock is further from UTC: for times of which nobody says in which zone they are.
_ZONES = timedelta(hours=14)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """When a backup was taken.

    Attributes:
        at: the time; None where nothing says it.
        basis: what says it, in words.
        certain: whether its zone is known.
    """

    at: datetime | None
    basis: str
    certain: bool


@dataclass(frozen=True)
class Older:
    """Live's rows of a table that the backup lacks although they were there before it.

    Attributes:
        rows: how many there are.
        basis: what tells, in words.
        twice: whether both things tell.
    """

    rows: int
    basis: str
    twice: bool


def older_rows(store: Store, taken: Taken, result: TableResult) -> Older | None:
    """Count live's rows that are older than the backup and not in it; None where nothing tells.

    Args:
        store: the case.
        taken: when the backup was taken.
        result: of a table that both sides have, with added rows.
    """
    backup, live = store.catalogs()
    table = live.tables.get(result.name)
    number = store.number(result.name)
    columns = store.columns(result.name, "live")
    if table is None or number is None:
        return None
    told = {**_by_time(table, columns, taken), **_by_serial(backup, result.name, columns)}
    if not told:
        return None
    with store.query() as cursor:
        if not has_table(cursor, f"rows.live_{number}"):
            return None
        [found] = cursor.execute(
            f"SELECT count(*) FROM rows.live_{number} "
            f"WHERE state = 'added' AND {' AND '.join(told.values())}"
        ).fetchall()
    # A row whose key was changed is missing under the old one and added under the new.
    rows = max(0, found[0] - (result.missing or 0))
    return Older(rows, " and ".join(told), len(told) > 1)


def _by_time(table: Table, columns: tuple[str, ...], taken: Taken) -> dict[str, str]:
    """What tells rows that were made before the backup, by the words for it."""
    name = made_column(table)
    if taken.at is None or name is None or name not in columns:
        return {}
    column = table.column(name)
    assert column
    margin = _margin(column.type)
    if margin is None:
        return {}
    if not taken.certain:
        margin += _ZONES
    before = (taken.at.astimezone(UTC) - margin).replace(tzinfo=None)
    field = f"f{columns.index(name)}"
    at = quote_literal(before.isoformat(sep=" "))
    return {f"by {name}": f"TRY_CAST({field} AS TIMESTAMP) < CAST({at} AS TIMESTAMP)"}


def _margin(kind: str) -> timedelta | None:
    """How far a time of a type may be off; None of a type that holds no time."""
    if kind == "date":
        return _ZONES + _DAY
    if not kind.startswith("timestamp"):
        return None
    if kind.endswith("with time zone") or kind.startswith("timestamptz"):
        return timedelta(0)
    return _ZONES


def _by_serial(backup: Catalog, name: TableName, columns: tuple[str, ...]) -> dict[str, str]:
    """What tells rows whose number was given out before the backup, by the words for it."""
    for sequence in backup.sequences:
        column = _column_of(backup, sequence, name)
        if column not in columns or not sequence.is_called or (sequence.last_value or 0) <= 0:
            continue
        field = f"f{columns.index(column)}"
        last = int(sequence.last_value or 0)
        return {f"by {column}": f"TRY_CAST({field} AS HUGEINT) BETWEEN 1 AND {last}"}
    return {}


def _column_of(backup: Catalog, sequence: Sequence, name: TableName) -> str:
    """The column of a table that a sequence numbers, or "".

    Of an identity column's a dump says no owner; it bears the name that the server gave it.
    """
    if sequence.owner is not None:
        owner, column = sequence.owner
        return column if owner == name else ""
    table = backup.tables.get(name)
    if table is None or sequence.name.schema != name.schema:
        return ""
    for one in table.columns:
        if one.identity and sequence.name.table == f"{name.table}_{one.name}_seq":
            return one.name
    return ""


# --- tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """What the ids of both sides' objects tell of when live's tables were made.

    Attributes:
        highest: the highest id in the backup; 0 where nothing can be told.
        ids: of live's tables.
    """

    highest: int
    ids: Mapping[TableName, int]

    def is_newer(self, name: TableName) -> bool:
        """Whether a table of live was certainly made after whatever the backup holds."""
        return bool(self.highest) and self.ids.get(name, 0) > self.highest


def made(making: Mapping[str, Any] | None) -> Made:
    """Return what can be told, of what a case kept of both sides' objects.

    Ids are given out in order, and tell where both sides are of one server's database: where the
    tables that both have bear the same ones.
    """
    nothing = Made(0, {})
    ours, theirs = (making or {}).get("backup"), (making or {}).get("live")
    if not ours or not theirs:
        return nothing
    live = dict(_ids(theirs["relations"], "name"))
    same = other = 0
    for name, oid in _ids(ours["tables"], "table"):
        if name in live and live[name] == oid:
            same += 1
        elif name in live:
            other += 1
    if same <= other:
        return nothing
    return Made(int(ours["highest"]), live)


def _ids(entries: list[dict[str, Any]], named: str) -> Iterator[tuple[TableName, int]]:
    for entry in entries:
        yield TableName(entry["schema"], entry[named]), int(entry["oid"])
