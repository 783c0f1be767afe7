"""What a case kept of how live's tables were made, beside what the backup says of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from forensics.cause.timeline import backup_at
from forensics.evidence.migrations import HistoryEntry
from forensics.model import Catalog, Sequence, Table, TableName, TableResult
from forensics.store import Store

_GONE = 0.9  # a table lost its rows where so much of them is missing or changed
_ANCIENT = 2**31 - 1


@dataclass(frozen=True)
class Made:
    """A table or a sequence of live, by how it was made.

    Attributes:
        oid: its object id.
        transaction: the one that made it.
        age: how many transactions ago that was.
        first_file: whether it still has its first file; None where it has none.
        never_used: whether it is known to have never held a row.
        blank: whether the same is known since its primary key was made, which was later.
        committed: when that transaction was committed.
        modified: when the oldest of its files was last written to.
        tended: when it was first vacuumed or analyzed, of what the statistics remember.
        inserted, deleted: rows that the statistics counted.
        subscribed: whether a subscription fills it.
        step, last_value: of a sequence; `known` where the role may see it.
    """

    name: TableName
    oid: int
    transaction: str
    age: int
    first_file: bool | None
    never_used: bool = False
    blank: bool = False
    committed: datetime | None = None
    modified: datetime | None = None
    tended: datetime | None = None
    inserted: int | None = None
    deleted: int | None = None
    subscribed: bool = False
    step: int | None = None
    last_value: int | None = None

    @property
    def known(self) -> bool:
        """Whether a sequence's value could be seen."""
        return self.step is not None


@dataclass(frozen=True)
class Facts:
    """All that a judgement rests on.

    Attributes:
        results: what was found of the backup's tables, without partitions.
        histories: those of them in which a tool notes its migrations.
        made: live's tables and sequences, by name.
        oids: by table, the id it had in the backup; None where the backup does not say.
        highest: the highest id that the backup holds.
        sequences: the backup's, with where they stood.
        entries: both histories.
        backup_at: when the backup was taken; `certain` where its time zone is known.
        read_at: when live was read.
        counted_since: when live's statistics were reset.
        refused: by question to live, why it was not answered.
    """

    results: Mapping[TableName, TableResult]
    histories: Set[TableName]
    made: Mapping[TableName, Made]
    oids: Mapping[TableName, int] | None
    highest: int
    sequences: Mapping[TableName, Sequence]
    entries: Mapping[str, list[HistoryEntry]]
    backup_at: datetime | None
    certain: bool
    read_at: datetime | None
    counted_since: datetime | None
    refused: Mapping[str, str] = field(default_factory=dict)

    def emptied(self, name: TableName) -> bool | None:
        """Whether a table's rows are gone, all but few; None where it had none to lose."""
        result = self.results[name]
        if not result.backup_rows or result.missing is None:
            return None
        gone = result.missing + (result.changed or 0)
        return gone >= _GONE * result.backup_rows

    def counted_deletion(self, name: TableName) -> bool:
        """Whether the statistics counted the deletion of as many rows as a table misses."""
        made, missing = self.made.get(name), self.results[name].missing or 0
        return bool(made and missing and made.deleted and made.deleted >= missing)

    def counts_every_row(self, name: TableName) -> bool:
        """Whether a table has rows, the statistics know each, and no deletion of the missing.

        It has its first file, so that nothing but a deletion takes a row from it.
        """
        made, result = self.made.get(name), self.results[name]
        if made is None or not made.first_file or made.inserted is None or not result.live_rows:
            return False
        return made.inserted >= result.live_rows and not self.counted_deletion(name)

    def made_of(self, names: Iterable[TableName]) -> list[Made]:
        """How some tables were made, in order; without those that live has not."""
        return [self.made[name] for name in sorted(names) if name in self.made]

    def draws(self) -> list[tuple[Sequence, Made]]:
        """The backup's sequences that had been called, beside live's of the same name."""
        found = []
        for name, sequence in sorted(self.sequences.items()):
            made = self.made.get(name)
            if sequence.is_called and sequence.last_value is not None and made and made.known:
                found.append((sequence, made))
        return found


def fell_back(sequence: Sequence, made: Made) -> bool:
    """Whether a sequence stands before where it stood in the backup."""
    assert sequence.last_value is not None
    if made.last_value is None:
        return True
    if (made.step or 1) < 0:
        return made.last_value > sequence.last_value
    return made.last_value < sequence.last_value


def facts_of(store: Store, entries: Mapping[str, list[HistoryEntry]]) -> Facts | None:
    """Read a case.

    Args:
        store: the case, compared to its end; only read.
        entries: by side, "backup" and "live", its migration history.

    Returns:
        The facts; None where live is no database, or did not say how its tables were made.
    """
    making = store.get("making") or {}
    live = making.get("live")
    if not live:
        return None
    ids = making.get("backup")
    backup = store.catalogs()[0]
    results = _results(store, backup)
    evidence = store.evidence()
    told = evidence[0]
    given = bool(store.get("backup_at"))
    at = None
    if given or told.kind != "database":  # when that is read says nothing of when it was made
        at = backup_at(store)
    return Facts(
        results,
        frozenset(name for name, result in results.items() if result.history),
        {made.name: made for made in map(_made, live["relations"])},
        _oids(ids),
        ids["highest"] if ids else 0,
        {sequence.name: sequence for sequence in backup.sequences},
        entries,
        at,
        told.kind == "plain" or given,
        evidence[1].taken_at,
        _time(live["counted_since"]),
        live["refused"],
    )


def _results(store: Store, backup: Catalog) -> dict[TableName, TableResult]:
    found = {}
    for result in store.results():
        table = backup.tables.get(result.name)
        if table and _counts(table):
            found[result.name] = result
    return found


def _counts(table: Table) -> bool:
    return table.kind in ("table", "partitioned") and not table.parent and not table.extension


def _oids(ids: Mapping[str, Any] | None) -> dict[TableName, int] | None:
    if not ids:
        return None
    return {TableName(each["schema"], each["table"]): each["oid"] for each in ids["tables"]}


def _made(relation: Mapping[str, Any]) -> Made:
    age = relation["age"]
    if age < 0:  # of a transaction so long ago that its number was used again
        age = _ANCIENT
    return Made(
        TableName(relation["schema"], relation["name"]),
        relation["oid"],
        relation["transaction"],
        age,
        relation["first_file"],
        relation.get("together") is True,
        relation.get("together") is False,
        _time(relation.get("committed")),
        _time(relation.get("modified")),
        _time(relation.get("tended")),
        relation.get("inserted"),
        relation.get("deleted"),
        relation.get("subscribed", False),
        relation.get("step"),
        relation.get("last_value"),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
