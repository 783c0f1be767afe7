"""Rows that are equal under other names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from forensics.compare import rows
from forensics.compare.canonical import Writer
from forensics.compare.fields import Canonical
from forensics.compare.findings.finding import Finding, not_known
from forensics.compare.lines import unheard
from forensics.compare.preparation import canonical_texts
from forensics.compare.rows import Engine
from forensics.compare.schema import stored_columns
from forensics.compare.sides import Side, Sides
from forensics.errors import EvidenceError
from forensics.evidence.source import Block, Segment, Source
from forensics.model import Table


class _Renamed(Segment):
    """A segment under other names of its columns."""

    def __init__(self, segment: Segment, names: Mapping[str, str]) -> None:
        columns = [names.get(c, c) for c in segment.columns]
        super().__init__(segment.table, columns)
        self._segment = segment

    def blocks(self) -> Iterator[Block]:
        return self._segment.blocks()


class Matcher:
    """Counts rows that are equal in some columns, whatever tables and columns are called.

    Args:
        backup, live: both sides, open.
        engine: to compare with.

    Attributes:
        failed: what could not be counted.
    """

    def __init__(self, backup: Source, live: Source, engine: Engine) -> None:
        self.backup, self.live = backup, live
        self._engine = engine
        self.failed: list[Finding] = []
        self._writer_of_backup = Writer.of(backup)
        self._writer_of_live = Writer.of(live)

    def equal_rows(self, ours: Table, theirs: Table, names: Mapping[str, str]) -> int | None:
        """Count the rows that agree in some columns.

        Args:
            ours, theirs: the backup's table and live's.
            names: the columns, the backup's names to live's.

        Returns:
            None where a side cannot be read: that is in `failed`.
        """
        columns = tuple(names)
        try:
            live = self._live(theirs, names)
            sides = Sides(self._backup(ours, columns), live, columns)
            found = rows.compare(self._engine, sides, (), unheard)
        except (EvidenceError, duckdb.Error) as error:
            what = f"Whether rows of {ours.name} stand in {theirs.name} under other names"
            self.failed.append(not_known(ours.name, what, error, str(theirs.name)))
            return None
        finally:
            self._engine.clean()
        return found.counts.unchanged

    def _backup(self, table: Table, columns: tuple[str, ...]) -> Side:
        stored = stored_columns(table)
        canonical = canonical_texts(self._writer_of_backup, table, columns)
        return Side(self.backup.segments(table.name, stored), stored, canonical)

    def _live(self, table: Table, names: Mapping[str, str]) -> Side:
        """Live's side of a table, under the backup's names of its columns."""
        columns = tuple(names.values())
        old_names = {new: old for old, new in names.items()}
        segments: list[Segment] = []
        for segment in self.live.segments(table.name, columns):
            segments.append(_Renamed(segment, old_names))
        canonical: dict[str, Canonical] = {}
        for name, change in canonical_texts(self._writer_of_live, table, columns).items():
            canonical[old_names[name]] = change
        return Side(segments, tuple(names), canonical)
