"""Table by table: what is asked, what is likely, and what is counted."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from forensics.compare.canonical import Writer
from forensics.compare.failures import reason as reason_of
from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.loss.concentration.axes import Axis, axes, shared
from forensics.loss.concentration.chosen import Chosen, chosen
from forensics.loss.concentration.conditions import Condition
from forensics.loss.concentration.counts import Counts
from forensics.loss.concentration.evidence import FEWEST
from forensics.loss.concentration.likely import Column, likely
from forensics.loss.concentration.named import named
from forensics.loss.concentration.reading import UnfitError, ask, ask_table, kept, sample
from forensics.loss.concentration.values import Values, columns_of
from forensics.loss.workspace import SideName, Workspace
from forensics.model import TableResult
from forensics.store.casefile import tables_of

_SAID = (
    "of",
    "rows",
    "of_rows",
    "column",
    "test",
    "value",
    "low",
    "high",
    "rounded",
    "parent",
    "also",
    "share",
    "table_rows",
    "of_table_rows",
    "table_share",
    "lift",
)
_SAMPLE = 100_000  # rows
_CELLS = 2_000_000  # of a sample, in memory
_MOSTLY = 0.9  # of a table; where more is lost, it is lost nearly everywhere


@dataclass(frozen=True)
class _Loss:
    """Rows of a table that were lost in one way: `condition` tells them among the kept ones."""

    of: str
    side: SideName
    condition: str
    rows: int
    of_rows: int


def concentrated(work: Workspace) -> list[dict[str, Any]]:
    """Say of every table that differs which conditions most of its lost rows meet.

    Args:
        work: the run's workspace.

    Returns:
        Entries by table, the largest slice first: `of` ("missing", "added", "changed" or
        "overwritten"), the condition (`column`, `test`, `value`, `low`, `high`, and a second one as
        `also`), how many of how many lost rows meet it (`rows`, `of_rows`) and of all rows
        (`table_rows`, `of_table_rows`), with both shares and the `lift`. An entry with a `reason`
        says that it is not known of a table.
    """
    found: list[dict[str, Any]] = []
    there = tables_of(work.db)
    writer = Writer.of(work.backup)
    for name, result in sorted(work.results.items()):
        if result.state != "compared" or result.history or result.repeated:
            continue
        try:
            losses = _losses(work, result, there)
            if losses:
                found += _Table(work, result, losses, writer).run()
        except (EvidenceError, duckdb.Error, MemoryError) as error:
            if is_lost(error):
                raise
            found.append({**plain(name), **dict.fromkeys(_SAID), "reason": reason_of(error)})
    return found


def _losses(work: Workspace, result: TableResult, there: Container[str]) -> list[_Loss]:
    """The losses of a table that are large enough to have a pattern, and leave enough besides."""
    backup_rows, live_rows = result.backup_rows or 0, result.live_rows or 0
    listed = [
        _Loss("missing", "backup", "state = 'missing'", result.missing or 0, backup_rows),
        _changed(work, result, there),
        _Loss("added", "live", "state = 'added'", result.added or 0, live_rows),
    ]
    found = []
    for one in listed:
        if FEWEST <= one.rows <= _MOSTLY * one.of_rows:
            found.append(one)
    return found


def _changed(work: Workspace, result: TableResult, there: Container[str]) -> _Loss:
    """Rows whose values were destroyed by a pattern; where there is none, all that changed."""
    overwritten = f"rows.overwritten_{work.number(result.name)}"
    backup_rows = result.backup_rows or 0
    if result.changed and overwritten in there:
        (rows,) = work.one(f"SELECT count(DISTINCT pair) FROM {overwritten} WHERE lost")
        if rows:
            condition = f"pair IN (SELECT pair FROM {overwritten} WHERE lost)"
            condition += " AND state = 'changed'"
            return _Loss("overwritten", "backup", condition, rows, backup_rows)
    return _Loss("changed", "backup", "state = 'changed'", result.changed or 0, backup_rows)


class _Table:
    """One table that differs."""

    def __init__(
        self, work: Workspace, result: TableResult, losses: Sequence[_Loss], writer: Writer
    ) -> None:
        self._work = work
        self._writer = writer
        self._name = result.name
        self._losses = losses
        self._backup_rows = result.backup_rows or 0

    def run(self) -> list[dict[str, Any]]:
        found = axes(self._work, self._name, self._writer)
        while found:
            try:
                return self._look(found)
            except UnfitError as error:
                found = [axis for axis in found if axis.column != error.column]
        return []

    def _look(self, every: Sequence[Axis]) -> list[dict[str, Any]]:
        most = min(_SAMPLE, _CELLS // len(every))
        part = 1.0
        if self._backup_rows > 2 * most:
            part = most / self._backup_rows
        rows = sample(self._work, self._name, every, part)
        values = columns_of(rows, every)
        by_loss = []
        conditions: dict[Condition, None] = {}
        for loss in self._losses:
            found = self._likely(loss, dict(zip(every, values, strict=True)), most)
            by_loss.append((loss, found))
            conditions.update(dict.fromkeys(found))
        if not conditions:
            return []
        asked = {condition.axis for condition in conditions}
        used = [axis for axis in every if axis in asked]
        counts = Counts(self._work, self._name, used, list(conditions))
        if part < 1:
            counted = ask(self._work, self._name, used, counts.select())
        else:
            counted = ask_table(self._work, rows, counts.select(every))
        counts.take(counted, self._backup_rows)
        entries = []
        for loss, found in by_loss:
            if found:
                entries += self._entries(loss, found, counts, len(every))
        return entries

    def _likely(self, loss: _Loss, rows: Mapping[Axis, Values], most: int) -> list[Condition]:
        """What may be said of one loss."""
        there = shared(self._work, self._name, loss.side, list(rows))
        relation = kept(self._work, loss.side, self._name, there)
        if relation is None or not there:
            return []
        every_so_many = -(-loss.rows // most)
        lost = self._work.db.sql(
            f"SELECT * FROM {relation} WHERE {loss.condition} AND hash(pair) % {every_so_many} = 0"
        ).to_arrow_table()
        if not len(lost):
            return []
        columns = []
        for axis, theirs in zip(there, columns_of(lost, there), strict=True):
            columns.append(Column(axis, theirs, rows[axis]))
        return likely(columns, loss.rows / loss.of_rows, references_only=loss.of == "added")

    def _entries(
        self, loss: _Loss, those: Sequence[Condition], counts: Counts, columns: int
    ) -> list[dict[str, Any]]:
        rows = counts.base
        if loss.side == "live":
            rows = counts.of_live()
        lost = counts.of_kept(loss.side, loss.condition)
        found = []
        lost, rows = counts.only(those, lost, rows)
        for one in chosen(those, lost, rows, columns):
            found.append(self._entry(loss, one, counts))
        return found

    def _entry(self, loss: _Loss, one: Chosen, counts: Counts) -> dict[str, Any]:
        tally = one.tally
        also = None
        if one.also is not None:
            also = one.also.plain(*counts.beyond(one.also, one.condition))
            also["parent"] = named(self._work, one.also, self._writer)
        return {
            **plain(self._name),
            "of": loss.of,
            "rows": tally.lost,
            "of_rows": tally.of_lost,
            **one.condition.plain(*counts.beyond(one.condition, one.also)),
            "parent": named(self._work, one.condition, self._writer),
            "also": also,
            "share": round(tally.share, 6),
            "table_rows": tally.rows,
            "of_table_rows": tally.of_rows,
            "table_share": round(tally.table_share, 6),
            "lift": round(tally.lift, 3),
            "reason": None,
        }
