"""What one reads aloud of a backup: one function each, in the order in which it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from forensics.evidence.inspection.result import Finding, Inspection
from forensics.evidence.source import Source

STOP, MIND, NOTE = "stop", "mind", "note"


def findings(found: Inspection, source: Source) -> Iterator[Finding]:
    """Yield what is to be said of a backup.

    Args:
        found: what inspecting it found.
        source: the backup.
    """
    for say in _SAID:
        yield from say(found, source)


def _damage(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.damage:
        yield STOP, f"The file is damaged: {found.damage}."


def _problems(found: Inspection, source: Source) -> Iterator[Finding]:
    for held in found.tables:
        if held.problem and held.unread:
            yield STOP, f"Table {held.table.name} was not read to its end: {held.problem}."
        elif held.problem:
            yield STOP, f"Table {held.table.name} cannot be relied on: {held.problem}."


def _without_rows(found: Inspection, source: Source) -> Iterator[Finding]:
    without = [str(t.table.name) for t in found.tables if not t.data and not t.problem]
    if not without:
        return
    if len(without) == len(found.tables):
        yield (
            STOP,
            "It holds no rows at all, only definitions (--schema-only?):"
            " it cannot say what was lost.",
        )
    else:
        yield (
            MIND,
            f"Rows of {len(without)} tables were never dumped, so nothing can be said of them:"
            f" {', '.join(without)}.",
        )


def _lacking_partitions(found: Inspection, source: Source) -> Iterator[Finding]:
    lacking: list[str] = []
    for contents in source.contents().values():
        lacking += map(str, contents.lacking)
    if lacking and not found.damage:
        yield (
            MIND,
            f"Rows of {len(lacking)} partitions were never dumped,"
            f" so their tables cannot be compared: {', '.join(lacking)}.",
        )


def _edits(found: Inspection, source: Source) -> Iterator[Finding]:
    if source.edits:
        yield (
            MIND,
            "Somebody's statements in it change rows that it brought in,"
            f" and are not taken into account: {source.edits[0]} …",
        )


def _remarks(found: Inspection, source: Source) -> Iterator[Finding]:
    for text in source.remarks:
        yield MIND, text


def _row_security(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.hidden:
        yield (
            MIND,
            "Its rows were read with row_security = on: the policies of these tables may have"
            f" hidden rows from it, so their numbers are lower bounds: {', '.join(found.hidden)}.",
        )


def _garbled(found: Inspection, source: Source) -> Iterator[Finding]:
    whole = found.garbled
    if whole is None or not (whole.throughout or whole.in_part):
        return
    shares: list[str] = []
    for held in found.tables:
        if held.garbled and held.garbled.page == whole.page:
            shares.append(f"{held.table.name} {held.garbled.rows:,} of {held.garbled.of:,}")
    said = (
        f"{whole} are garbled: UTF-8 that was likely taken for {whole.page} ({', '.join(shares)})"
    )
    if found.garbled_on_its_way:
        yield (
            MIND,
            f"{said}. Was it redirected by PowerShell, or converted twice? Make it anew with"
            " pg_dump --file, or undo the conversion, before anything is written from it.",
        )
    else:
        yield MIND, f"{said}. They probably were so in the database already."


def _nothing(found: Inspection, source: Source) -> Iterator[Finding]:
    if not found.tables:
        yield STOP, "It defines no table and holds no rows."


def _last_migration(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.unread_history:
        yield MIND, f"Which migrations ran is not known: {found.unread_history}"
    if last := found.last_migration:
        applied = f"{last.applied_at:%Y-%m-%d %H:%M} UTC"
        yield NOTE, f"The last migration it knows is {last.name}, applied {applied}."


def _no_time(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.provenance.dumped_at is not None or found.provenance.kind == "database":
        return
    said = "It does not say when it was taken: give --backup-at when comparing."
    if found.newest:
        said += f" Its newest row was written {found.newest}."
    yield MIND, said


def _large_objects(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.large_objects:
        yield (
            MIND,
            f"It holds {found.large_objects:,} large objects;"
            " compare looks for them by their ids, not at what they hold.",
        )


def _unlogged(found: Inspection, source: Source) -> Iterator[Finding]:
    names = [str(t.table.name) for t in found.tables if t.table.persistence == "unlogged"]
    if names:
        yield NOTE, f"Unlogged tables, which a crash of live empties: {', '.join(names)}."


def _never_dumped(found: Inspection, source: Source) -> Iterator[Finding]:
    names: list[str] = []
    for table in source.catalog.tables.values():
        if table.kind in ("materialized view", "foreign"):
            names.append(str(table.name))
    if names:
        yield (
            NOTE,
            "No dump holds rows of foreign tables and materialised views:"
            f" {', '.join(sorted(names))}.",
        )


def _extensions(found: Inspection, source: Source) -> Iterator[Finding]:
    if found.extensions:
        yield NOTE, f"It needs extensions: {', '.join(found.extensions)}."


def _unparsed(found: Inspection, source: Source) -> Iterator[Finding]:
    number = len(source.catalog.unparsed)
    if number:
        yield (
            MIND,
            f"{number} statements of its schema could not be parsed and are left out.",
        )


_SAID: tuple[Callable[[Inspection, Source], Iterator[Finding]], ...] = (
    _damage,
    _problems,
    _without_rows,
    _lacking_partitions,
    _edits,
    _remarks,
    _row_security,
    _garbled,
    _nothing,
    _last_migration,
    _no_time,
    _large_objects,
    _unlogged,
    _never_dumped,
    _extensions,
    _unparsed,
)
