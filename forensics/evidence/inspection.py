"""What a backup holds, whether it is whole, and whether it can answer the question at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow.compute as pc

from forensics.errors import EvidenceError
from forensics.evidence import copytext
from forensics.evidence.migrations import HistoryEntry, read_history
from forensics.evidence.source import Contents, LackingSegment, Source
from forensics.model import Catalog, Provenance, Sequence, Table, TableName

_WRITTEN_AT = re.compile(
    r"(created|updated|inserted|modified|changed|started|finished|logged)_?(at|on|date|time)?\Z",
    re.I,
)
_PLAUSIBLE = r"^[12]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d"


@dataclass(frozen=True)
class Held:
    """One table of a backup.

    `rows` counts what could be read; None where nothing was counted. `newest` is the latest of the table's own audit
    timestamps, as its text says it. `problem` says why its rows cannot be relied on, or None.
    """

    table: Table
    data: bool
    bytes: int | None
    rows: int | None
    newest: str | None
    problem: str | None


@dataclass(frozen=True)
class Inspection:
    """What inspecting a backup found.

    `findings` are what one reads aloud: a level ("stop", "mind", "note") and a sentence. `newest` is the latest audit
    timestamp in all tables: the backup was not taken before it.
    """

    provenance: Provenance
    damage: str | None
    tables: tuple[Held, ...]
    sequences: tuple[Sequence, ...]
    extensions: tuple[str, ...]
    large_objects: int | None
    history: tuple[HistoryEntry, ...]
    newest: str | None
    counted: bool
    findings: tuple[tuple[str, str], ...]

    @property
    def whole(self) -> bool:
        """Whether the backup is complete and every table's rows could be read, as far as was looked."""
        return self.damage is None and not any(t.problem for t in self.tables)

    @property
    def verdict(self) -> str:
        """Whether the backup is whole, in a sentence."""
        tables = sum(t.data for t in self.tables)
        rows = sum(t.rows or 0 for t in self.tables)
        said = (
            f"{tables} tables with data, {rows:,} rows"
            if self.counted
            else f"{tables} tables with data"
        )
        if not self.whole:
            return f"The backup is NOT whole: {self.damage or next(t.problem for t in self.tables if t.problem)}. It holds {said}."
        if not tables:
            return "The backup is whole, and holds no rows: it cannot say what was lost."
        return f"The backup is whole{'' if self.counted else ', as far as its table of contents says'}: {said}."

    @property
    def last_migration(self) -> HistoryEntry | None:
        """The newest migration that the backup says was applied to it."""
        applied = [e for e in self.history if e.in_force and e.applied_at]
        return max(
            applied, key=lambda e: e.applied_at or datetime.min.replace(tzinfo=UTC), default=None
        )


def inspect_backup(
    source: Source,
    *,
    read_rows: bool = True,
    progress: Callable[[TableName, int], None] | None = None,
) -> Inspection:
    """Look a backup through.

    Args:
        source: the backup.
        read_rows: read every row, so that damage within a compressed table is found and rows are counted; otherwise only
            what the table of contents says.
        progress: is told of each run of rows that was read.

    Raises:
        EvidenceError: the source cannot be read at all.
    """
    source.adopt(Catalog())
    contents = source.contents()
    held = tuple(
        _look(source, table, contents.get(table.name), read_rows, progress)
        for table in source.catalog.roots
    )
    history = _history(source)
    found = Inspection(
        source.provenance,
        source.damage or (source.damage_of_large_objects() if read_rows else None),
        held,
        source.catalog.sequences,
        source.catalog.extensions,
        None if source.large_objects is None else len(source.large_objects),
        history,
        max((t.newest for t in held if t.newest), default=None),
        read_rows,
        (),
    )
    return replace(found, findings=tuple(_findings(found, source)))


def _history(source: Source) -> tuple[HistoryEntry, ...]:
    try:
        return tuple(read_history(source))
    except EvidenceError:
        return ()  # its table is damaged or lacks its rows: that is said of the table


def _look(
    source: Source,
    table: Table,
    contents: Contents | None,
    read_rows: bool,
    progress: Callable[[TableName, int], None] | None,
) -> Held:
    if contents is None or not contents.data:
        problem = "its rows are cut off" if source.damage else None
        return Held(table, False, None, None, None, problem)
    cut = (
        f"the rows of {', '.join(map(str, contents.lacking))} are cut off"
        if contents.lacking and source.damage
        else None
    )
    if not read_rows:
        problem = cut or (None if contents.complete else "its rows are cut off or corrupt")
        return Held(table, True, contents.bytes, contents.rows, None, problem)
    rows, newest, problem = 0, None, cut
    try:
        for segment in source.segments(
            table.name, [c.name for c in table.columns if not c.generated]
        ):
            if isinstance(segment, LackingSegment):
                continue  # partitions without rows are said of the backup as a whole
            at = [i for i, c in enumerate(segment.columns) if _is_written_at(table, c)]
            for batch in copytext.line_batches(segment.blocks()):
                rows += len(batch)
                if at:
                    newest = max(
                        filter(None, (newest, _newest(batch["line"], len(segment.columns), at))),
                        default=None,
                    )
                if progress:
                    progress(table.name, len(batch))
    except EvidenceError as error:
        problem = f"after {rows:,} rows: {error.message.rstrip('.')}"
    return Held(table, True, contents.bytes, rows, newest, problem)


def _is_written_at(table: Table, name: str) -> bool:
    column = table.column(name)
    return (
        column is not None and column.type.startswith("timestamp") and bool(_WRITTEN_AT.match(name))
    )


def _newest(lines: object, width: int, at: list[int]) -> str | None:
    fields = copytext.field_columns(lines, width)
    found = []
    for i in at:
        # Text of four-digit years sorts as the time does; infinity and BC are no time that anything was written at.
        plausible = fields[i].filter(pc.match_substring_regex(fields[i], _PLAUSIBLE))
        found.append(pc.max(pc.utf8_slice_codeunits(plausible, 0, 19)).as_py())
    return max(filter(None, found), default=None)


def _findings(found: Inspection, source: Source) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    if found.damage:
        said.append(("stop", f"The file is damaged: {found.damage}."))
    for t in found.tables:
        if t.problem:
            said.append(("stop", f"Table {t.table.name} cannot be relied on: {t.problem}."))
    without = [str(t.table.name) for t in found.tables if not t.data and not t.problem]
    if without and len(without) == len(found.tables):
        said.append(
            (
                "stop",
                "It holds no rows at all, only definitions (--schema-only?): it cannot say what was lost.",
            )
        )
    elif without:
        said.append(
            (
                "mind",
                f"Rows of {len(without)} tables were never dumped, so nothing can be said of them: {', '.join(without)}.",
            )
        )
    lacking = [str(n) for c in source.contents().values() for n in c.lacking]
    if lacking and not found.damage:
        said.append(
            (
                "mind",
                f"Rows of {len(lacking)} partitions were never dumped, so their tables cannot be compared: {', '.join(lacking)}.",
            )
        )
    if source.edits:
        said.append(
            (
                "mind",
                f"Somebody's statements in it change rows that it brought in, and are not taken into account: {source.edits[0]} …",
            )
        )
    if not found.tables:
        said.append(("stop", "It defines no table and holds no rows."))
    if last := found.last_migration:
        said.append(
            (
                "note",
                f"The last migration it knows is {last.name}, applied {last.applied_at:%Y-%m-%d %H:%M} UTC.",
            )
        )
    if found.provenance.dumped_at is None and found.provenance.kind != "database":
        since = f" Its newest row was written {found.newest}." if found.newest else ""
        said.append(
            ("mind", f"It does not say when it was taken: give --backup-at when comparing.{since}")
        )
    if found.large_objects:
        said.append(
            (
                "mind",
                f"It holds {found.large_objects:,} large objects; compare looks for them by their ids, not at what they hold.",
            )
        )
    if unlogged := [str(t.table.name) for t in found.tables if t.table.persistence == "unlogged"]:
        said.append(
            ("note", f"Unlogged tables, which a crash of live empties: {', '.join(unlogged)}.")
        )
    if views := [
        str(t.name)
        for t in source.catalog.tables.values()
        if t.kind in ("materialized view", "foreign")
    ]:
        said.append(
            (
                "note",
                f"No dump holds rows of foreign tables and materialised views: {', '.join(sorted(views))}.",
            )
        )
    if found.extensions:
        said.append(("note", f"It needs extensions: {', '.join(found.extensions)}."))
    if source.catalog.unparsed:
        said.append(
            (
                "mind",
                f"{len(source.catalog.unparsed)} statements of its schema could not be parsed and are left out.",
            )
        )
    return said
