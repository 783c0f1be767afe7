"""Several databases as one side: shards, each of which holds a part of every table's rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from forensics.errors import EvidenceError, OutdatedError, UsageError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.source import Contents, Segment, Snapshot, Source
from forensics.model import Catalog, Provenance, Table, TableName

_MOMENTS = (
    "The {number} databases of live are each read as of a moment of their own: what was written to "
    "them in between can seem to differ."
)


class ShardedSource(Source):
    """Databases whose rows are taken together. Each has a snapshot of its own.

    No question is asked of it, as none is of a dump.

    Args:
        shards: the databases, open; they are closed with it.

    Raises:
        UsageError: a table has other columns in one than in another.
    """

    pinned = True

    def __init__(self, shards: Sequence[LiveSource]) -> None:
        self._shards = tuple(shards)
        self._news = [_MOMENTS.format(number=len(shards))]
        first, *others = self._shards
        for other in others:
            _expect_alike(first, other)

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        first, *others = (shard.catalog for shard in self._shards)
        tables = dict(first.tables)
        for name, table in first.tables.items():
            known = [catalog.tables[name].rows_estimate for catalog in others]
            if all(rows >= 0 for rows in (table.rows_estimate, *known)):
                rows = table.rows_estimate + sum(known)
                tables[name] = replace(table, rows_estimate=rows)
        return replace(first, tables=tables)

    @property
    def provenance(self) -> Provenance:  # type: ignore[override]
        found = [shard.provenance for shard in self._shards]
        return replace(
            found[0],
            dsn=", ".join(str(one.dsn) for one in found),
            database=", ".join(str(one.database) for one in found),
            snapshot=", ".join(str(one.snapshot) for one in found),
        )

    @property
    def snapshot(self) -> Snapshot:
        return self._shards[0].snapshot

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for shard in self._shards:
            found += shard.segments(name, columns)
        return found

    def contents(self) -> Mapping[TableName, Contents]:
        return self._shards[0].contents()

    def count(self, name: TableName) -> int:
        return sum(shard.count(name) for shard in self._shards)

    def counts(self, names: Sequence[TableName], seconds: float) -> dict[TableName, int]:
        share = seconds / len(self._shards)
        found = [shard.counts(names, share) for shard in self._shards]
        counted = {}
        for name in names:
            if all(name in one for one in found):
                counted[name] = sum(one[name] for one in found)
        return counted

    def unreadable(self) -> dict[TableName, str]:
        found: dict[TableName, str] = {}
        for shard in self._shards:
            found |= shard.unreadable()
        return found

    @property
    def large_objects(self) -> frozenset[int] | None:
        return frozenset().union(*(shard.large_objects or () for shard in self._shards))

    def statements(self) -> Iterator[str]:
        return self._shards[0].statements()

    # --- snapshots that do not last ---------------------------------------------------------------

    def recovers(self, error: EvidenceError) -> bool:
        recovered = False
        for shard in self._shards:  # every one that lost its snapshot takes another
            recovered |= shard.recovers(error)
        return recovered

    def unsettled(self) -> OutdatedError | None:
        found = [shard.unsettled() for shard in self._shards]
        return next((error for error in found if error), None)

    def definition_changed(self, name: TableName) -> bool:
        return any(shard.definition_changed(name) for shard in self._shards)

    def news(self) -> list[str]:
        said, self._news = self._news, []
        for shard in self._shards:
            said += shard.news()
        return said

    def close(self) -> None:
        for shard in self._shards:
            shard.close()


def _expect_alike(first: LiveSource, other: LiveSource) -> None:
    for name in sorted({*first.catalog.tables, *other.catalog.tables}):
        ours, theirs = first.catalog.tables.get(name), other.catalog.tables.get(name)
        if _shape(ours) != _shape(theirs):
            raise UsageError(
                f"Table {name} is not the same in {first.shown_dsn} and in {other.shown_dsn}.",
                "Several databases are one side where each has the same tables, of the same"
                " columns; compare others by themselves.",
            )


def _shape(table: Table | None) -> object:
    """What has to be alike: columns, wherever they stand, and keys."""
    if table is None:
        return None
    columns = sorted((column.name, column.type) for column in table.columns)
    keys = sorted(str((key.columns, key.primary)) for key in table.keys)
    return table.kind == "foreign", columns, keys
