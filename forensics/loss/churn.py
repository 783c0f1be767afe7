"""Loss or life: whether rows go missing from a surviving table as a rule.

A row may have gone with its parent by cascade, or alone. Of those that went alone some
had run out (`expires_at`), some held a NULL where live no longer allows one, which a
migration clears away and no application, and the rest are held against the table's own
past: how many rows went in a window of equal length, from the gaps in its serial
numbers, or, where it has none, how many rows it takes in.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.loss.columns import is_integer, made_column
from forensics.loss.links.blocked import gone_keys
from forensics.loss.missing import MissingRows, missing_rows
from forensics.loss.sql import numbered, prefixed, same
from forensics.loss.window import estimate
from forensics.loss.workspace import Workspace
from forensics.model import ForeignKey, Parent, Table, TableResult

_ENDS = re.compile(r"expir|valid_?(until|to)|ends?_?at$|until", re.I)
_MOST_ROWS = 20_000_000
_COUNTS = ("cascaded", "expired", "unfit", "alone", "usual")


def churn(work: Workspace, start: float | None, seconds: float | None) -> list[dict[str, Any]]:
    """Say of every surviving table that misses rows whether that is loss or life.

    Args:
        work: the run's workspace.
        start, seconds: the incident window's begin (since 1970) and length, None where
            it is not known.

    Returns:
        Per table: `missing`; of these `cascaded` (a parent that is gone took them by ON
        DELETE CASCADE), `unfit` (NULL where live is NOT NULL now), `expired`, and
        `alone`; `usual`, how many go in such a window as a rule, None where nothing
        says; `verdict`, "life", "out of line" or "unknown"; and its `basis` in words,
        with what cannot be read.
    """
    found = []
    for name, result in sorted(work.results.items()):
        missing = missing_rows(work, name)
        if missing is None or result.state != "compared" or result.history or not result.missing:
            continue
        try:
            said = _Churn(missing, result, start, seconds).run()
        except EvidenceError as error:
            if is_lost(error):
                raise
            said = {**dict.fromkeys(_COUNTS), "verdict": "unknown", "basis": str(error)}
        found.append({**plain(name), "missing": result.missing, **said})
    return found


@dataclass(frozen=True)
class _Accounted:
    """Missing rows by what accounts for them."""

    cascaded: int
    unfit: int
    expired: int
    alone: int


@dataclass(frozen=True)
class _Usual:
    """How many rows go in such a window as a rule, if anything says it, and what does."""

    rows: int | None
    basis: str


class _Churn:
    """Accounts for the missing rows of one table."""

    def __init__(
        self,
        missing: MissingRows,
        result: TableResult,
        start: float | None,
        seconds: float | None,
    ) -> None:
        self._missing = missing
        self._work = missing.work
        self._table = missing.table
        self._result = result
        self._start = start
        self._seconds = seconds
        self._ends = _end_column(self._table)
        self._banned = self._find_banned()

    def run(self) -> dict[str, Any]:
        found = self._account()
        usual = _Usual(None, "every missing row is accounted for")
        if found.alone:
            usual = self._usual()
        expired: int | None = found.expired
        alone: int | None = found.alone
        if alone and self._ends and None in (self._start, self._seconds):
            # Until when rows may have run out is not known: some of the others may have, too.
            expired = alone = None
        return {
            "cascaded": found.cascaded,
            "expired": expired,
            "unfit": found.unfit,
            "alone": alone,
            "usual": usual.rows,
            "verdict": _verdict(found, usual.rows),
            "basis": f"{', '.join(self._words(found))}; {usual.basis}",
        }

    def _words(self, found: _Accounted) -> list[str]:
        said = []
        if found.cascaded:
            said.append(f"{found.cascaded:,} went with their parent by cascade")
        if found.expired:
            said.append(f"{found.expired:,} had run out ({self._ends})")
        if found.unfit:
            columns = " or ".join(self._banned)
            said.append(f"{found.unfit:,} held NULL in {columns}, which live no longer allows")
        if found.alone:
            said.append(f"{found.alone:,} went alone")
            if self._ends and None in (self._start, self._seconds):
                said.append(f"how many of them had run out ({self._ends}) is not known")
        return said

    # --- what accounts for them -------------------------------------------------------------

    def _account(self) -> _Accounted:
        joins, cascaded = self._cascades()
        unfit = " OR ".join(f"m.{field} IS NULL" for field in self._banned.values()) or "false"
        counts = self._work.one(
            f"""
            SELECT count(*) FILTER (c),
                   count(*) FILTER (NOT c AND u),
                   count(*) FILTER (NOT c AND NOT u AND e),
                   count(*) FILTER (NOT c AND NOT u AND NOT e)
              FROM (SELECT coalesce({cascaded}, false) AS c,
                           coalesce({self._expired()}, false) AS e,
                           {unfit} AS u
                      FROM {self._missing.relation} m{joins})
            """
        )
        return _Accounted(*counts)

    def _cascades(self) -> tuple[str, str]:
        """Joins, and the condition under which a row `m` went with its parent."""
        joins = ""
        took = []
        cascading = [key for key in self._table.foreign_keys if key.deletes]
        for number, key in enumerate(cascading):
            gone = self._gone(key)
            if gone is None:
                continue
            alias = f"g{number}"
            ours = prefixed("m", self._missing.fields(key.columns) or [])
            on = same(ours, numbered(f"{alias}.k", len(ours)))
            joins += f" LEFT JOIN (SELECT DISTINCT * FROM {gone}) {alias} ON {on}"
            took.append(f"{alias}.k0 IS NOT NULL")
        return joins, " OR ".join(took) or "false"

    def _gone(self, key: ForeignKey) -> str | None:
        """A working table of keys that are gone from a surviving parent, or None."""
        if self._missing.fields(key.columns) is None:
            return None
        if not self._work.table("live", key.parent):
            return None
        parent = Parent(key.parent, key.columns, key.parent_columns)
        gone = gone_keys(self._missing, parent, [])
        return None if gone == "all" else gone

    def _expired(self) -> str:
        """The condition under which a row `m` had run out by the end of the window."""
        if self._ends is None:
            return "false"
        field = self._work.field("backup", self._table.name, self._ends)
        if not field or self._start is None:
            return "false"
        until = self._start + (self._seconds or 0)  # by its begin at least
        return f"epoch(TRY_CAST(m.{field} AS TIMESTAMP)) <= {until}"

    def _find_banned(self) -> dict[str, str]:
        """Columns that live made NOT NULL, each with its field in the kept rows."""
        found: dict[str, str] = {}
        live = self._work.table("live", self._table.name)
        if live is None:
            return found
        for column in self._table.columns:
            now = live.column(column.name)
            if not column.nullable or now is None or now.nullable:
                continue
            field = self._work.field("backup", self._table.name, column.name)
            if field:
                found[column.name] = field
        return found

    # --- what is usual ----------------------------------------------------------------------

    def _usual(self) -> _Usual:
        if self._start is None or not self._seconds or not self._readable():
            return _Usual(None, "nothing says what is usual")
        made = made_column(self._table)
        if made is None:
            return _Usual(None, "its rows have no time of their own, so nothing says what is usual")
        serial = _serial_column(self._table)
        columns = (made, serial) if serial else (made,)
        rows = self._work.read("backup", self._table.name, columns)
        if serial:
            usual = self._by_gaps(rows, serial, self._seconds)
            if usual is not None:
                return usual
        times = self._times(rows)
        found = estimate(times[times < self._start], self._start, self._seconds)
        if found is None:
            return _Usual(None, "its past is shorter than the window")
        return _Usual(
            found.high,
            f"it takes in up to {found.high:,} rows in such a window ({made}), and as many may go",
        )

    def _readable(self) -> bool:
        """Whether the backup's rows can be read once more, and are not too many."""
        if (self._result.backup_rows or 0) > _MOST_ROWS:
            return False
        return self._work.holds("backup", self._table.name)

    def _by_gaps(self, rows: str, serial: str, seconds: float) -> _Usual | None:
        first, last, low, high, count = self._work.one(
            f"""
            SELECT min(epoch(t)), max(epoch(t)), min(i), max(i), count(*)
              FROM (SELECT TRY_CAST(c0 AS TIMESTAMP) AS t, TRY_CAST(c1 AS BIGINT) AS i
                      FROM {rows})
             WHERE isfinite(t) AND i IS NOT NULL
            """
        )
        if not count or last - first <= seconds:
            return None
        gaps = high - low + 1 - count
        usual = math.ceil(gaps * seconds / (last - first))
        return _Usual(
            usual,
            f"the gaps in {serial} say that {gaps:,} rows went since its first, "
            f"so {usual:,} in such a window",
        )

    def _times(self, rows: str) -> np.ndarray:
        """When rows were made, in seconds since 1970, ascending."""
        time = "TRY_CAST(c0 AS TIMESTAMP)"
        found = self._work.db.execute(
            f"SELECT epoch({time}) AS s FROM {rows} WHERE isfinite({time}) ORDER BY s"
        )
        return np.asarray(found.fetchnumpy()["s"], dtype=float)


def _verdict(found: _Accounted, usual: int | None) -> str:
    if found.unfit:
        return "out of line"
    if not found.alone:
        return "life"
    if usual is None:
        return "unknown"
    if found.alone <= usual + 3 * math.sqrt(max(usual, 1)):
        return "life"
    return "out of line"


def _end_column(table: Table) -> str | None:
    """The column that says when a row runs out, or None."""
    for column in table.columns:
        if _ENDS.search(column.name) and column.type.startswith("timestamp"):
            return column.name
    return None


def _serial_column(table: Table) -> str | None:
    """The column of a primary key that counts, or None."""
    key = table.primary_key
    if key is None or len(key.columns) != 1:
        return None
    column = table.column(key.columns[0])
    if column is None or not is_integer(column):
        return None
    return column.name
