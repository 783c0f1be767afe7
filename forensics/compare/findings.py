"""What the counts alone do not say: renamed tables and columns, sequences behind their data.

They are offered with their evidence, so many rows equal, and change no count: a dropped table stays dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from psycopg import sql

from forensics.compare.canonical import Writer
from forensics.compare.rows import Engine, Side
from forensics.errors import EvidenceError
from forensics.evidence.live import LiveSource
from forensics.evidence.source import Block, Segment, Source
from forensics.model import ColumnChange, Table, TableName, TableResult
from forensics.store import Store

_LEAST_SHARE = 0.5  # of the smaller side's rows that have to be equal
_ENGINE_NUMBER = 90


@dataclass(frozen=True)
class Finding:
    """Something worth knowing about a table.

    `kind` is "renamed table", "renamed column", "enum label gone" or "sequence behind". `text` says it in a sentence. `rows` is the
    evidence: rows that are equal, of `of` rows; None where it does not apply.
    """

    kind: str
    name: TableName
    text: str
    other: str | None = None
    rows: int | None = None
    of: int | None = None


class _Renamed(Segment):
    """A segment under other names of its columns."""

    def __init__(self, segment: Segment, names: Mapping[str, str]) -> None:
        super().__init__(segment.table, [names.get(c, c) for c in segment.columns])
        self._segment = segment

    def blocks(self) -> Iterator[Block]:
        return self._segment.blocks()


def find(backup: Source, live: Source, store: Store) -> list[Finding]:
    """Look for findings; what cannot be looked at is left out, for its failure is on record already.

    Args:
        backup, live: both sides, open.
        store: the case, with every table's result in it.
    """
    results = store.results()
    cursor = store.connection.cursor()
    engine = Engine(cursor, _ENGINE_NUMBER)
    try:
        found = _renamed_tables(backup, live, results, engine)
        found += _renamed_columns(backup, live, results, store.changes(), engine)
    finally:
        engine.clean()
        engine.close()
        cursor.close()
    return found + _enum_labels_gone(backup, live) + _sequences_behind(live)


def _renamed_tables(backup: Source, live: Source, results: Sequence[TableResult], engine: Engine) -> list[Finding]:
    fresh = [r for r in results if r.state == "new" and r.live_rows]
    found = []
    for result in results:
        if result.state != "dropped" or not result.backup_rows:
            continue
        ours = backup.catalog.tables[result.name]
        best: Finding | None = None
        for other in fresh:
            theirs = live.catalog.tables[other.name]
            common = _alike(ours, theirs)
            if len(common) < 2 and len(ours.columns) > 1:
                continue
            equal = _equal_rows(backup, ours, live, theirs, {c: c for c in common}, engine)
            fewest = min(result.backup_rows, other.live_rows or 0)
            if equal is not None and equal >= _LEAST_SHARE * fewest and (best is None or equal > (best.rows or 0)):
                best = Finding(
                    "renamed table", result.name,
                    f"{result.name} is probably {other.name} now: {equal:,} of its {result.backup_rows:,} rows are there, equal in "
                    f"{len(common)} columns.",
                    str(other.name), equal, result.backup_rows,
                )  # fmt: skip
        if best:
            found.append(best)
    return found


def _alike(ours: Table, theirs: Table) -> tuple[str, ...]:
    types = {c.name: c.type for c in theirs.columns if not c.generated}
    return tuple(c.name for c in ours.columns if not c.generated and types.get(c.name) == c.type)


def _renamed_columns(
    backup: Source, live: Source, results: Sequence[TableResult], changes: Sequence[ColumnChange], engine: Engine
) -> list[Finding]:
    found = []
    for result in results:
        if result.state != "compared" or not result.key or not result.unchanged:
            continue
        ours, theirs = backup.catalog.tables[result.name], live.catalog.tables[result.name]
        here = [c for c in changes if c.name == result.name]
        for gone in (c for c in here if c.change == "dropped" and c.values_missing):
            for new in (c for c in here if c.change == "added" and c.after == gone.before):
                names = {**{k: k for k in result.key}, gone.column: new.column}
                equal = _equal_rows(backup, ours, live, theirs, names, engine)
                if equal is not None and equal >= _LEAST_SHARE * (result.unchanged + (result.changed or 0)):
                    text = (
                        f"{result.name}.{gone.column} is probably {new.column} now: in {equal:,} of {result.backup_rows:,} rows it "
                        "holds the same value under the same key."
                    )
                    found.append(Finding("renamed column", result.name, text, new.column, equal, result.backup_rows))
    return found


def _equal_rows(backup: Source, ours: Table, live: Source, theirs: Table, names: Mapping[str, str], engine: Engine) -> int | None:
    """How many rows agree in the columns `names` (the backup's to live's), or None where a side cannot be read."""
    columns = tuple(names)
    stored = tuple(c.name for c in ours.columns if not c.generated)
    writers = [Writer.of(s) for s in (backup, live)]
    canonical = [
        {c.name: change for c in t.columns if c.name in wanted and (change := w.canonical(c.type))}
        for t, w, wanted in zip((ours, theirs), writers, (columns, names.values()), strict=True)
    ]
    back = {v: k for k, v in names.items()}
    segments: list[Segment] = [_Renamed(s, back) for s in live.segments(theirs.name, [names[c] for c in columns])]
    try:
        found = engine.compare(
            Side(backup.segments(ours.name, stored), stored, canonical[0]),
            Side(segments, columns, {back[c]: change for c, change in canonical[1].items()}),
            columns, (), lambda rows: None,
        )  # fmt: skip
    except (EvidenceError, duckdb.Error):
        return None
    finally:
        engine.clean()
    return found.counts.unchanged


def _enum_labels_gone(backup: Source, live: Source) -> list[Finding]:
    """Labels of an enum that live has no more: rows that hold them cannot be put back as they are."""
    found = []
    for enum, labels in sorted(backup.catalog.enums.items()):
        now = live.catalog.enums.get(enum)
        gone = [label for label in labels if now is not None and label not in now]
        if not gone:
            continue
        for table in backup.catalog.roots:
            for column in table.columns:
                if column.type.removesuffix("[]") == enum:
                    text = f"{table.name}.{column.name} may hold {', '.join(gone)}, and live's enum {enum} has no such label: such rows cannot come back as they are."
                    found.append(Finding("enum label gone", table.name, text, enum))
    return found


def _sequences_behind(live: Source) -> list[Finding]:
    """Sequences whose next value a row holds already: the next insert would fail."""
    if not isinstance(live, LiveSource):
        return []
    found = []
    for sequence in live.catalog.sequences:
        if sequence.owner is None or sequence.owner[0] not in live.catalog.tables:
            continue
        table, column = sequence.owner
        question = sql.SQL("SELECT s.last_value, s.is_called, (SELECT max({}) FROM {})::bigint AS highest FROM {} s").format(
            sql.Identifier(column), sql.Identifier(*table), sql.Identifier(*sequence.name)
        )
        try:
            [row] = live.ask(question)
        except EvidenceError:
            continue
        following = row["last_value"] + (1 if row["is_called"] else 0)
        if row["highest"] is not None and following <= row["highest"]:
            text = (
                f"The next value of {sequence.name} is {following:,}, and {table}.{column} goes up to {row['highest']:,}: "
                "inserts will fail until it is set past that."
            )
            found.append(Finding("sequence behind", table, text, str(sequence.name)))
    return found
