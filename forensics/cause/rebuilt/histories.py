"""What became of the migration history: gone, empty, written anew within seconds, or as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from forensics.cause.rebuilt.facts import Facts
from forensics.evidence.migrations import HistoryEntry
from forensics.model import TableName
from forensics.text import counted, duration, moment

WITHIN = timedelta(minutes=10)  # in which a tool applies its migrations again


@dataclass(frozen=True)
class Reapplied:
    """Migrations that the backup's history holds and live's holds as of later.

    Attributes:
        tables: where live notes them.
        names: which.
        first, last: when live's first and last migration ran.
    """

    tables: frozenset[TableName]
    names: frozenset[str]
    first: datetime
    last: datetime


def reapplied(facts: Facts) -> Reapplied | None:
    """Return the migrations that ran again, all of them since the backup, one upon another."""
    before, after = _moments(facts, "backup"), _moments(facts, "live")
    names = before.keys() & after.keys()
    if not names or not before.keys() <= after.keys():
        return None
    since = max(before.values())
    if facts.certain and facts.backup_at:
        since = max(since, facts.backup_at)
    first, last = min(after.values()), max(after[name] for name in names)
    if first <= since or last - first > WITHIN:
        return None
    tables = frozenset(entry.table for entry in facts.entries["live"])
    return Reapplied(tables, frozenset(names), first, last)


def is_as_it_was(facts: Facts, tables: set[TableName]) -> bool:
    """Whether tables made anew hold entries of the backup's history with their times.

    Then the history was restored, and rows with it.
    """
    before = _moments(facts, "backup")
    for entry in facts.entries["live"]:
        if entry.table in tables and entry.moment and before.get(entry.name) == entry.moment:
            return True
    return False


def went(facts: Facts, tables: set[TableName]) -> bool:
    """Whether a history is gone, is empty in its first file, or was written anew.

    Args:
        tables: that were made anew.
    """
    holds = _by_table(facts.entries["live"])
    for name in _by_table(facts.entries["backup"]):
        made = facts.made.get(name)
        if made is None or (name in tables and name not in holds and made.first_file):
            return True
    return reapplied(facts) is not None


def said(facts: Facts, tables: set[TableName]) -> Iterator[str]:
    """Say what speaks for it that a history went with the tables.

    Args:
        tables: that were made anew, or are gone.
    """
    held = _by_table(facts.entries["backup"])
    holds = _by_table(facts.entries["live"])
    for name in sorted(held.keys() & tables):
        entries = counted(held[name], "migration")
        if name not in facts.made:
            yield f"The migration history {name}, which noted {entries}, is gone."
        elif name not in holds:
            yield f"The migration history {name}, which noted {entries}, is empty."
    again = reapplied(facts)
    if again:
        length = duration(again.last - again.first)
        if again.last - again.first < timedelta(seconds=1):
            length = "a second"
        yield (
            f"{counted(len(again.names), 'migration')} of the backup's history ran again, "
            f"within {length}, from {moment(again.first)} on."
        )


def _moments(facts: Facts, side: str) -> dict[str, datetime]:
    """By migration, when it last ran, as far as the tool noted it."""
    found: dict[str, datetime] = {}
    for entry in facts.entries[side]:
        if entry.ran and entry.moment:
            found[entry.name] = max(entry.moment, found.get(entry.name, entry.moment))
    return found


def _by_table(entries: list[HistoryEntry]) -> dict[TableName, int]:
    found: dict[TableName, int] = {}
    for entry in entries:
        found[entry.table] = found.get(entry.table, 0) + 1
    return found
