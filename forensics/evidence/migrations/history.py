"""The history tables of a side: which migrations ran on it, as their tools noted it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any

from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import natural
from forensics.evidence.migrations.tool import HistoryTable, Kept, Log
from forensics.evidence.migrations.tools import TOOLS
from forensics.evidence.source import Source
from forensics.model import Table, TableName

# Tools that keep their table in a schema of its own, in which no migration works.
APART = tuple(tool.name for tool in TOOLS if tool.history and tool.history.apart)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_TIMES = ("started_at", "applied_at", "rolled_back_at")


def _histories_of(table: Table) -> Iterator[tuple[str, HistoryTable]]:
    """The tools whose history a table may be, and how each reads it."""
    for tool, history in _by_table().get(table.name.table, ()):
        if history.is_in(table):
            yield tool, history
            if history.schema:
                return  # it is nobody else's


@cache
def _by_table() -> Mapping[str, Sequence[tuple[str, HistoryTable]]]:
    """By their tables' names, the tools and how they read them: of most tables none is asked."""
    found: dict[str, list[tuple[str, HistoryTable]]] = {}
    for tool in TOOLS:
        if tool.history:
            found.setdefault(tool.history.table, []).append((tool.name, tool.history))
    return found


@cache
def _kept_beside() -> Mapping[str, Sequence[Kept]]:
    """By their names, the tables that tools keep beside that."""
    found: dict[str, list[Kept]] = {}
    for one in chain.from_iterable(tool.keeps for tool in TOOLS):
        found.setdefault(one.table, []).append(one)
    return found


def is_history(table: Table) -> bool:
    """Whether a table is where a tool notes which migrations ran, or what it keeps beside that."""
    if any(_histories_of(table)):
        return True
    return any(one.is_in(table) for one in _kept_beside().get(table.name.table, ()))


def lies_with_tables(table: Table) -> bool:
    """Whether a table is such a one that its tool keeps where its migrations work."""
    return any(not history.apart for _, history in _histories_of(table))


def read_history(source: Source) -> list[HistoryEntry]:
    """Return what a side's migration history tables hold, tool by tool, in the order of time.

    A side without such a table has none.

    Raises:
        EvidenceError: a history table is there and cannot be read.
    """
    found: list[HistoryEntry] = []
    contents = source.contents()
    for name, table in sorted(source.catalog.tables.items()):
        for tool, history in _histories_of(table):
            held = contents.get(name)
            if held is None or not held.data:
                raise EvidenceError(
                    f"The rows of the migration history {name} were not dumped.",
                    "Give the time of the backup: --backup-at TIME.",
                )
            found += _entries(source, table, tool, history)
    return found


def _entries(source: Source, table: Table, tool: str, history: HistoryTable) -> list[HistoryEntry]:
    columns = [*history.columns]
    for column in history.optional:
        if table.column(column):
            columns.append(column)
    found: list[HistoryEntry] = []
    for values in source.rows_of(table.name, columns):
        row = Row(tool, table.name, dict(zip(columns, values, strict=True)))
        if history.lists:
            found += history.lists(row)
        elif entry := history.entry(row):
            found.append(entry)
    if history.together:
        found = history.together(found)
    if history.log:
        found = history.log.tell(found, _logged(source, table.name, tool, history.log))
    return sorted(found, key=_by_time)


def _logged(source: Source, history: TableName, tool: str, log: Log) -> list[Row]:
    """The rows of a log; none where it is not there, or nobody may read it."""
    name = TableName(history.schema, log.table)
    table, held = source.catalog.tables.get(name), source.contents().get(name)
    if table is None or held is None or not held.data:
        return []
    if not all(map(table.column, log.columns)):
        return []
    found = []
    try:
        for values in source.rows_of(name, [*log.columns]):
            found.append(Row(tool, history, dict(zip(log.columns, values, strict=True))))
    except EvidenceError as error:
        if is_lost(error):
            raise
        return []
    return found


def _by_time(entry: HistoryEntry) -> tuple[datetime, list[tuple[int, str]]]:
    began = entry.started_at or entry.applied_at or _LONG_AGO
    return began, natural(entry.name)


def histories(backup: Source, live: Source) -> dict[str, Any]:
    """Return both sides' histories as JSON-ready types, for the case: "backup" and "live".

    None where one could not be read; "errors" then says why.

    Raises:
        LiveError: a database was lost.
    """
    found: dict[str, Any] = {"errors": {}}
    for side, source in (("backup", backup), ("live", live)):
        try:
            found[side] = plain(read_history(source))
        except EvidenceError as error:
            if is_lost(error):
                raise
            found[side] = None
            found["errors"][side] = error.message
    return found


def history_of(values: Sequence[Mapping[str, Any]] | None) -> list[HistoryEntry]:
    """Return the entries that `histories` wrote of one side; none where it was not read."""
    found = []
    for value in values or ():
        entry = dict(value)
        entry["table"] = TableName(**value["table"])
        for time in _TIMES:
            if value[time]:
                entry[time] = datetime.fromisoformat(value[time])
        found.append(HistoryEntry(**entry))
    return found
