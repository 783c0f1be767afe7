"""What is known of a loss before any row is compared: within seconds, and so not of every table.

Definitions tell which tables and columns are gone. Rows are counted as far as a moment's time
allows, the smallest tables first; of the others there are sizes, and live's own statistics, which
may be wrong: nothing is concluded from them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from forensics.compare import schema
from forensics.compare.comparison import Job
from forensics.errors import ForensicsError
from forensics.evidence.bytewise import count_lines
from forensics.evidence.source import Contents, Source
from forensics.model import ColumnChange, TableName
from forensics.text import counted, short_size

_SECONDS = 1.5  # for counting, both sides at once
_PACE, _PACKED_PACE = 2_000_000_000, 50_000_000  # bytes a second that may well be counted
_SHOWN = 10
_BYTES_A_ROW = 100


@dataclass(frozen=True)
class Glance:
    """One table that the backup has, before its rows are compared.

    Attributes:
        name: the table.
        gone: whether live has no such table.
        columns: those of its columns that live has dropped.
        backup_rows, live_rows: as they were counted, or None.
        about_rows: of live's, as its statistics have it, or None. They may be wrong.
        bytes: the size of the backup's rows as they are stored, or None.
    """

    name: TableName
    gone: bool
    columns: tuple[str, ...]
    backup_rows: int | None
    live_rows: int | None
    about_rows: int | None
    bytes: int | None

    @property
    def fewer(self) -> int | None:
        """How many rows fewer live has, where both were counted."""
        if self.gone:
            return self.backup_rows
        if self.backup_rows is None or self.live_rows is None:
            return None
        return self.backup_rows - self.live_rows

    @property
    def expected(self) -> int:
        """About how many rows it has lost: only the order of work depends on it."""
        if self.fewer is not None:
            return self.fewer
        if self.gone:
            return max((self.bytes or 0) // _BYTES_A_ROW, 1)
        if self.backup_rows is None or self.about_rows is None:
            return 0
        return self.backup_rows - self.about_rows

    @property
    def is_compared(self) -> bool:
        """Whether something is still to be said of how many rows it has: it holds some."""
        return not self.gone and self.bytes != 0


@dataclass(frozen=True)
class Triage:
    """What is known before any row is compared, of every table of the backup that is compared."""

    tables: tuple[Glance, ...]

    @property
    def words(self) -> list[str]:
        """It in sentences, what is worst first."""
        return [*self._of_tables(), *self._of_columns(), *self._of_rows(), *self._of_sizes()]

    def _of_tables(self) -> Iterator[str]:
        gone = sorted([t for t in self.tables if t.gone], key=_by_size)
        if gone:
            verb = "is" if len(gone) == 1 else "are"
            said = [f"{t.name} ({_content(t)})" for t in gone]
            yield f"{counted(len(gone), 'table')} {verb} gone: {_some(said)}."

    def _of_columns(self) -> Iterator[str]:
        gone = []
        for table in self.tables:
            gone += [f"{table.name}.{column}" for column in table.columns]
        if gone:
            verb = "is" if len(gone) == 1 else "are"
            yield f"{counted(len(gone), 'column')} {verb} gone: {_some(gone)}."

    def _of_rows(self) -> Iterator[str]:
        differing = [t for t in self.tables if not t.gone and t.fewer]
        differing.sort(key=lambda t: (-(t.fewer or 0), t.name))
        if differing:
            said = [_change(table) for table in differing]
            yield f"Row counts differ: {_some(said)}."
        same = [t for t in self.tables if not t.gone and t.fewer == 0]
        if same:
            verb = "has" if len(same) == 1 else "have"
            yield (
                f"{counted(len(same), 'table')} {verb} as many rows as in the backup; "
                "whether they are the same rows is what is compared now."
            )

    def _of_sizes(self) -> Iterator[str]:
        unknown = [t for t in self.tables if t.is_compared and t.fewer is None]
        unknown.sort(key=_by_size)
        if unknown:
            said = [_about(table) for table in unknown]
            yield f"Not counted in so short a time: {_some(said)}."


def look(
    jobs: Sequence[Job], backup: Source, live: Source, contents: Mapping[TableName, Contents]
) -> Triage:
    """Look at both sides for as long as nobody minds waiting.

    Args:
        jobs: the tables that are to be compared.
        backup, live: both sides.
        contents: what the backup holds of each table.
    """
    held = [job for job in jobs if job.backup is not None]
    held.sort(key=lambda job: (_bytes(contents.get(job.name)) or 0, job.name))
    pace = _PACE if backup.identify().compression is None else _PACKED_PACE
    told = [job for job in held if _can_be_counted(contents.get(job.name), pace)]
    with ThreadPoolExecutor(1, thread_name_prefix="triage") as pool:
        asked = [job.name for job in told if job.live]
        theirs = pool.submit(live.counts, asked, _SECONDS)
        ours = _counts(backup, told, contents, time.monotonic() + _SECONDS)
    found = []
    for job in sorted(held, key=lambda job: job.name):
        found.append(_glance(job, ours, theirs.result(), contents.get(job.name)))
    return Triage(tuple(found))


def in_order_of_loss(jobs: Sequence[Job], triage: Triage) -> list[Job]:
    """Put those first that seem to have lost most; then those that were counted, which are small;
    then the others, the largest first."""
    known = {table.name: table for table in triage.tables}

    def place(job: Job) -> tuple[int, int, TableName]:
        table = known.get(job.name)
        if table is None:
            return 1, 0, job.name
        expected = table.expected
        if expected > 0:
            return 0, -expected, job.name
        if table.fewer is None:
            return 2, -(table.bytes or 0), job.name
        return 1, 0, job.name

    return sorted(jobs, key=place)


def _glance(
    job: Job,
    ours: Mapping[TableName, int],
    theirs: Mapping[TableName, int],
    held: Contents | None,
) -> Glance:
    assert job.backup is not None
    changes: list[ColumnChange] = []
    about = None
    if job.live is not None:
        changes = schema.drift(job.backup, job.live)
        about = job.live.rows_estimate if job.live.rows_estimate >= 0 else None
    return Glance(
        name=job.name,
        gone=job.live is None,
        columns=tuple(c.column for c in changes if c.change == "dropped"),
        backup_rows=ours.get(job.name),
        live_rows=theirs.get(job.name),
        about_rows=about,
        bytes=_bytes(held),
    )


# --- counting -------------------------------------------------------------------------------------


def _can_be_counted(held: Contents | None, pace: int) -> bool:
    """Whether a backup's rows of a table may be counted at all in so short a time."""
    if held is None or not held.data or not held.complete or held.lacking:
        return False
    return (held.bytes or 0) <= pace * _SECONDS


def _counts(
    source: Source,
    jobs: Sequence[Job],
    contents: Mapping[TableName, Contents],
    until: float,
) -> dict[TableName, int]:
    """The rows of a backup's tables, of those that there is time for."""
    if source.snapshot is not None:
        return source.counts([job.name for job in jobs], _SECONDS)
    found: dict[TableName, int] = {}
    for job in jobs:
        held = contents[job.name]
        rows = held.lines if held.rows is None else held.rows
        if rows is None:
            rows = _count(source, job, until)
        if rows is not None:
            found[job.name] = rows
    return found


def _count(source: Source, job: Job, until: float) -> int | None:
    """Count the rows of one table as they lie in a dump; None where that cannot be in time."""
    assert job.backup is not None
    rows = 0
    if time.monotonic() > until:
        return None
    try:
        for segment in source.segments(job.name, schema.stored_columns(job.backup)):
            blocks = segment.as_stored()
            if blocks is None:
                return None
            for block in blocks:
                rows += count_lines(block)
                if time.monotonic() > until:
                    return None
    except ForensicsError:
        return None  # who compares it says why
    return rows


def _bytes(held: Contents | None) -> int | None:
    return None if held is None else held.bytes


# --- in words -------------------------------------------------------------------------------------


def _by_size(table: Glance) -> tuple[int, int, TableName]:
    return -(table.backup_rows or 0), -(table.bytes or 0), table.name


def _content(table: Glance) -> str:
    if table.backup_rows is not None:
        return counted(table.backup_rows, "row")
    if table.bytes:
        return f"{short_size(table.bytes)} in the backup, not counted yet"
    return "not counted yet"


def _change(table: Glance) -> str:
    assert table.fewer is not None
    more_or_less = "fewer" if table.fewer > 0 else "more"
    return (
        f"{table.name} {table.backup_rows:,} → {table.live_rows:,}"
        f" ({abs(table.fewer):,} {more_or_less})"
    )


def _about(table: Glance) -> str:
    said = []
    if table.backup_rows is not None:
        said.append(f"{table.backup_rows:,} rows in the backup")
    elif table.bytes is not None:
        said.append(f"{short_size(table.bytes)} in the backup")
    if table.about_rows is not None:
        said.append(f"about {table.about_rows:,} rows in live by its statistics")
    return f"{table.name} ({', '.join(said)})" if said else str(table.name)


def _some(said: Iterable[str]) -> str:
    """The first of some words, and how many more there are."""
    words = list(said)
    more = len(words) - _SHOWN
    if more > 1:
        words = [*words[:_SHOWN], f"{more:,} more"]
    return ", ".join(words)
