"""A backup looked through: its table of contents, and every row if that is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from forensics.errors import DamagedBackupError, EvidenceError, is_lost
from forensics.evidence import copytext
from forensics.evidence.bytewise import count_lines
from forensics.evidence.garbling import Tally, together
from forensics.evidence.inspection.findings import findings
from forensics.evidence.inspection.moments import latest_moment
from forensics.evidence.inspection.result import Held, Inspection
from forensics.evidence.migrations import HistoryEntry, read_history
from forensics.evidence.source import Contents, LackingSegment, Segment, Source
from forensics.model import Catalog, Table, TableName

Progress = Callable[[TableName, int], None]

_WRITTEN_AT = re.compile(
    r"(created|updated|inserted|modified|changed|started|finished|logged)_?(at|on|date|time)?\Z",
    re.I,
)


def inspect_backup(
    source: Source, *, read_rows: bool = True, progress: Progress | None = None
) -> Inspection:
    """Look a backup through.

    Args:
        source: the backup.
        read_rows: read every row, so that damage within a compressed table is found and rows are
            counted; otherwise only what the table of contents says.
        progress: is told of each run of rows that was read.

    Raises:
        EvidenceError: the source cannot be read at all.
    """
    defined = frozenset(source.catalog.tables)
    source.adopt(Catalog())
    contents = source.contents()
    tables: list[Held] = []
    tallies: list[Tally] = []
    for table in source.catalog.roots:
        held = _by_contents(source, table, contents.get(table.name))
        if read_rows and held.data:
            tallies.append(Tally())
            held = _by_rows(source, held, contents[table.name], progress, tallies[-1])
        tables.append(held)
    history, unread_history = _history(source)
    provenance = source.provenance
    damage = source.damage
    if damage is None and read_rows:
        damage = source.damage_of_large_objects()
    large_objects = source.large_objects
    found = Inspection(
        provenance=provenance,
        damage=damage,
        tables=tuple(tables),
        sequences=source.catalog.sequences,
        extensions=source.catalog.extensions,
        large_objects=None if large_objects is None else len(large_objects),
        history=history,
        unread_history=unread_history,
        newest=_latest(held.newest for held in tables),
        counted=read_rows,
        end_is_open=source.end_is_open,
        hidden=_hidden(source, defined),
        garbled=together(tallies).found,
        findings=(),
    )
    return replace(found, findings=tuple(findings(found, source)))


def _hidden(source: Source, defined: Collection[TableName]) -> tuple[str, ...]:
    """The tables that policies may have hidden rows of.

    Args:
        defined: the tables that the backup itself defines; others may have policies, too.
    """
    if not source.row_security:
        return ()
    roots = source.catalog.roots
    return tuple(str(t.name) for t in roots if t.row_security or t.name not in defined)


def _history(source: Source) -> tuple[tuple[HistoryEntry, ...] | None, str | None]:
    """The migrations that the backup says ran; None where that is not known, and why."""
    try:
        return tuple(read_history(source)), None
    except EvidenceError as error:
        if is_lost(error):
            raise
        return None, error.message


# --- one table ------------------------------------------------------------------------------------


def _by_contents(source: Source, table: Table, contents: Contents | None) -> Held:
    """What a backup says of a table before any row is read."""
    if contents is None or not contents.data:
        problem = None
        if source.damage:
            problem = "its rows are cut off"
        return Held(table, False, None, None, None, problem)
    problem = _lacking(source, contents)
    if problem is None and not contents.complete:
        problem = "its rows are cut off or corrupt"
    return Held(table, True, contents.bytes, contents.rows, None, problem)


def _lacking(source: Source, contents: Contents) -> str | None:
    """Which partitions are cut off; those that were left out are said of the whole backup."""
    if not contents.lacking or not source.damage:
        return None
    return f"the rows of {', '.join(map(str, contents.lacking))} are cut off"


def _by_rows(
    source: Source, held: Held, contents: Contents, progress: Progress | None, tally: Tally
) -> Held:
    """What a table's rows say of it, as far as they can be read; `tally` counts garbled ones."""
    table = held.table
    rows, newest, problem, unread = 0, None, _lacking(source, contents), False
    wanted = [column.name for column in table.columns if not column.generated]
    try:
        for segment in source.segments(table.name, wanted):
            if isinstance(segment, LackingSegment):
                continue
            segment.thorough = True
            places = _audit_places(table, segment)
            for block in segment.blocks():
                text = bytes(block)
                number = count_lines(text)
                rows += number
                if not text.isascii():
                    for batch in copytext.line_batches([text]):
                        tally.add(batch["line"])
                if places:
                    here = latest_moment(text, len(segment.columns), places)
                    newest = _latest((newest, here))
                if progress:
                    progress(table.name, number)
    except EvidenceError as error:
        problem = f"after {rows:,} rows: {error.message.rstrip('.')}"
        unread = contents.complete and not isinstance(error, DamagedBackupError)
    found = replace(held, rows=rows, newest=newest, problem=problem, unread=unread)
    return replace(found, garbled=tally.found)


# --- audit timestamps -----------------------------------------------------------------------------


def _audit_places(table: Table, segment: Segment) -> list[int]:
    """Where in a segment's rows stands when they were written."""
    places: list[int] = []
    for place, name in enumerate(segment.columns):
        column = table.column(name)
        if column is None or not column.type.startswith("timestamp"):
            continue
        if _WRITTEN_AT.match(name):
            places.append(place)
    return places


def _latest(times: Iterable[str | None]) -> str | None:
    return max(filter(None, times), default=None)
