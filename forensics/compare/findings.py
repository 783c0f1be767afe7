"""What the counts alone do not say: tables, columns and keys under new names, sequences behind their data, what no dump holds.

They are offered with their evidence, so many rows equal, and change no count: a dropped table stays dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
from psycopg import sql

from forensics.compare.canonical import Writer
from forensics.compare.rows import Engine, Side
from forensics.errors import EvidenceError
from forensics.evidence.ddl import split_qualified
from forensics.evidence.live.source import LiveSource
from forensics.evidence.source import Block, Segment, Source
from forensics.model import ColumnChange, Table, TableName, TableResult
from forensics.store import Store

_LEAST_SHARE = 0.5  # of the smaller side's rows that have to be equal
_ENGINE_NUMBER = 90
_MOST_CANDIDATES = 3  # new tables that a dropped one is held against: each is read whole
_MOST_PAIRS = 12  # of dropped and added columns, of one table
_IDS_SHOWN = 5
_DRAWN_FROM = re.compile(r"nextval\('((?:[^']|'')+)'")


@dataclass(frozen=True)
class Finding:
    """Something worth knowing about a table, or, with a schema of "", about the whole database.

    `kind` is "renamed table", "renamed column", "rewritten key", "enum label gone", "sequence behind", "gone without rows" or
    "large objects gone". `text` says it in a sentence. `rows` is the evidence: rows that are equal, of `of` rows; None where
    it does not apply.
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
    matcher = _Matcher(backup, live, Engine(cursor, _ENGINE_NUMBER))
    try:
        found = _renamed_tables(matcher, results)
        found += _renamed_columns(matcher, results, store.changes())
        found += _rewritten_keys(matcher, results)
    finally:
        matcher.engine.clean()
        matcher.engine.close()
        cursor.close()
    return (
        found
        + _enum_labels_gone(backup, live)
        + _gone_without_rows(backup, live)
        + _large_objects_gone(backup, live)
        + _behind(live)
    )


class _Matcher:
    """Counts rows that are equal in some columns, whatever tables and columns are called."""

    def __init__(self, backup: Source, live: Source, engine: Engine) -> None:
        self.backup, self.live, self.engine = backup, live, engine
        self._writers = Writer.of(backup), Writer.of(live)

    def equal_rows(self, ours: Table, theirs: Table, names: Mapping[str, str]) -> int | None:
        """How many rows agree in the columns `names` (the backup's to live's), or None where a side cannot be read."""
        columns, wanted = tuple(names), tuple(names.values())
        stored = tuple(c.name for c in ours.columns if not c.generated)
        back = {v: k for k, v in names.items()}
        segments: list[Segment] = [
            _Renamed(s, back) for s in self.live.segments(theirs.name, wanted)
        ]
        canonical = {
            c.name: change
            for c in ours.columns
            if c.name in columns and (change := self._writers[0].canonical(c.type))
        }
        also = {
            back[c.name]: change
            for c in theirs.columns
            if c.name in back and (change := self._writers[1].canonical(c.type))
        }
        try:
            found = self.engine.compare(
                Side(self.backup.segments(ours.name, stored), stored, canonical),
                Side(segments, columns, also),
                columns,
                (),
                lambda rows: None,
            )
        except (EvidenceError, duckdb.Error):
            return None
        finally:
            self.engine.clean()
        return found.counts.unchanged


def _renamed_tables(matcher: _Matcher, results: Sequence[TableResult]) -> list[Finding]:
    fresh = [r for r in results if r.state == "new" and r.live_rows]
    found = []
    for result in results:
        if result.state != "dropped" or not result.backup_rows:
            continue
        ours = matcher.backup.catalog.tables[result.name]
        best: Finding | None = None
        for other in _candidates(ours, fresh, matcher.live):
            theirs = matcher.live.catalog.tables[other.name]
            common = _alike(ours, theirs)
            equal = matcher.equal_rows(ours, theirs, {c: c for c in common})
            fewest = min(result.backup_rows, other.live_rows or 0)
            if (
                equal is not None
                and equal >= _LEAST_SHARE * fewest
                and (best is None or equal > (best.rows or 0))
            ):
                best = Finding(
                    "renamed table",
                    result.name,
                    f"{result.name} is probably {other.name} now: {equal:,} of its {result.backup_rows:,} rows are there, equal in "
                    f"{len(common)} columns.",
                    str(other.name),
                    equal,
                    result.backup_rows,
                )
        if best:
            found.append(best)
    return found


def _candidates(ours: Table, fresh: Sequence[TableResult], live: Source) -> list[TableResult]:
    """The new tables that a dropped one may be: those that have half of its columns or more, the most alike first."""
    held = [c for c in ours.columns if not c.generated]
    alike = {r.name: len(_alike(ours, live.catalog.tables[r.name])) for r in fresh}
    found = [
        r for r in fresh if 2 * alike[r.name] >= len(held) and (alike[r.name] > 1 or len(held) == 1)
    ]
    return sorted(found, key=lambda r: (r.name.table != ours.name.table, -alike[r.name], r.name))[
        :_MOST_CANDIDATES
    ]


def _alike(ours: Table, theirs: Table) -> tuple[str, ...]:
    types = {c.name: c.type for c in theirs.columns if not c.generated}
    return tuple(c.name for c in ours.columns if not c.generated and types.get(c.name) == c.type)


def _renamed_columns(
    matcher: _Matcher, results: Sequence[TableResult], changes: Sequence[ColumnChange]
) -> list[Finding]:
    found = []
    for result in results:
        if result.state != "compared" or not result.unchanged:
            continue
        ours, theirs = (
            matcher.backup.catalog.tables[result.name],
            matcher.live.catalog.tables[result.name],
        )
        here = [c for c in changes if c.name == result.name]
        # Where the key itself has a new name, there is no other: the value is held against the rest of the row.
        beside, words = (
            (result.key, "under the same key")
            if result.key
            else (result.columns, "in a row that is equal in all else")
        )
        dropped = [c for c in here if c.change == "dropped" and c.values_missing]
        pairs = [
            (gone, new)
            for gone in dropped
            for new in here
            if new.change == "added" and new.after == gone.before
        ]
        for gone, new in pairs[:_MOST_PAIRS]:
            equal = matcher.equal_rows(
                ours, theirs, {**{k: k for k in beside}, gone.column: new.column}
            )
            if equal is not None and equal >= _LEAST_SHARE * (
                result.unchanged + (result.changed or 0)
            ):
                text = (
                    f"{result.name}.{gone.column} is probably {new.column} now: in {equal:,} of {result.backup_rows:,} rows it "
                    f"holds the same value {words}."
                )
                found.append(
                    Finding(
                        "renamed column", result.name, text, new.column, equal, result.backup_rows
                    )
                )
    return found


def _rewritten_keys(matcher: _Matcher, results: Sequence[TableResult]) -> list[Finding]:
    """Tables of which no row is found under its key, though the rows are there under other keys."""
    found = []
    for result in results:
        rest = tuple(c for c in result.columns if c not in result.key)
        if (
            result.state != "compared"
            or not result.key
            or not rest
            or not result.missing
            or not result.added
        ):
            continue
        if result.missing < _LEAST_SHARE * (result.backup_rows or 0):
            continue
        ours, theirs = (
            matcher.backup.catalog.tables[result.name],
            matcher.live.catalog.tables[result.name],
        )
        same = [c for c in rest if c in _alike(ours, theirs)]
        equal = matcher.equal_rows(ours, theirs, {c: c for c in same}) if same else None
        # Rows that kept their keys are equal in the rest as well, and say nothing of the others.
        rewritten = (equal or 0) - (result.unchanged or 0)
        if rewritten >= _LEAST_SHARE * min(result.missing, result.added):
            text = (
                f"The keys of {result.name} were probably rewritten: {rewritten:,} of its {result.missing:,} missing rows are in live "
                f"under another {', '.join(result.key)}, equal in {len(same)} other {'column' if len(same) == 1 else 'columns'}."
            )
            found.append(
                Finding("rewritten key", result.name, text, None, rewritten, result.missing)
            )
    return found


def _enum_labels_gone(backup: Source, live: Source) -> list[Finding]:
    """Labels of an enum that live has no more: rows that hold them cannot be put back as they are."""
    found = []
    for enum, labels in sorted(backup.catalog.enums.items()):
        now = live.catalog.enums.get(enum)
        gone = [label for label in labels if now is not None and label not in now]
        if not gone:
            continue
        new = [label for label in now or () if label not in labels]
        instead = (
            f" New in its place: {', '.join(new)}; where a label was renamed, every row that held it shows as changed."
            if new
            else ""
        )
        for table in backup.catalog.roots:
            for column in table.columns:
                if column.type.removesuffix("[]") == enum:
                    text = (
                        f"{table.name}.{column.name} may hold {', '.join(gone)}, and live's enum {enum} has no such label: such rows "
                        f"cannot come back as they are.{instead}"
                    )
                    found.append(Finding("enum label gone", table.name, text, enum))
    return found


def _gone_without_rows(backup: Source, live: Source) -> list[Finding]:
    """Materialised views and foreign tables that live has no more: no dump holds their rows, only how they are made."""
    gone = [
        t
        for _, t in sorted(backup.catalog.tables.items())
        if t.kind in ("materialized view", "foreign") and t.name not in live.catalog.tables
    ]
    made = {
        "materialized view": ("Materialised view", "make it again and refresh it"),
        "foreign": ("Foreign table", "its rows lie on another server"),
    }
    return [
        Finding(
            "gone without rows",
            t.name,
            f"{made[t.kind][0]} {t.name} is gone from live; no backup holds rows of it: {made[t.kind][1]}.",
        )
        for t in gone
    ]


def _large_objects_gone(backup: Source, live: Source) -> list[Finding]:
    ours = backup.large_objects
    try:
        theirs = live.large_objects if ours else None
    except EvidenceError:
        return []
    if not ours or theirs is None or not (gone := sorted(ours - theirs)):
        return []
    shown = ", ".join(map(str, gone[:_IDS_SHOWN])) + (", …" if len(gone) > _IDS_SHOWN else "")
    text = f"{len(gone):,} of the backup's {len(ours):,} large objects are gone from live (ids {shown}). What the others hold is not compared."
    return [Finding("large objects gone", TableName("", ""), text, None, len(gone), len(ours))]


def _behind(live: Source) -> list[Finding]:
    """Sequences whose next value a row holds already: the next insert would fail."""
    if not isinstance(live, LiveSource):
        return []
    found = []
    for sequence, table, column in _drawn_from(live):
        question = sql.SQL(
            "SELECT s.last_value, s.is_called, (SELECT max({}) FROM {})::bigint AS highest FROM {} s"
        ).format(sql.Identifier(column), sql.Identifier(*table), sql.Identifier(*sequence))
        try:
            [row] = live.ask(question)
        except EvidenceError:
            continue
        following = row["last_value"] + (1 if row["is_called"] else 0)
        if row["highest"] is not None and following <= row["highest"]:
            text = (
                f"The next value of {sequence} is {following:,}, and {table}.{column} goes up to {row['highest']:,}: "
                "inserts will fail until it is set past that."
            )
            found.append(Finding("sequence behind", table, text, str(sequence)))
    return found


def _drawn_from(live: Source) -> list[tuple[TableName, TableName, str]]:
    """(sequence, table, column) for every column that a sequence belongs to or whose default draws from one."""
    known = {s.name: s.owner for s in live.catalog.sequences}
    found = {
        (name, *owner) for name, owner in known.items() if owner and owner[0] in live.catalog.tables
    }
    for table in live.catalog.roots:
        for column in table.columns:
            if drawn := _DRAWN_FROM.search(column.default or ""):
                path = ["public", *split_qualified(drawn[1].replace("''", "'"))][-2:]
                if (name := TableName(*path)) in known:
                    found.add((name, table.name, column.name))
    return sorted(found)
