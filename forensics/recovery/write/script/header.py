"""What a script says of itself before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.documents import plain
from forensics.model import Provenance
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.choose.targets import Target, some
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.script.work import Work
from forensics.recovery.write.sqltext import comment

_STAYING = ("moved", "superseded", "blocked", "conflicting")


def provenance(backup: Provenance, live: Provenance) -> list[str]:
    """Say in lines of SQL comments where a script's rows come from."""
    source = comment(backup.path or backup.dsn)
    if backup.dumped_at:
        source += comment(f", of {plain(backup.dumped_at)}")
    if backup.sha256:
        source += f", sha256 {backup.sha256}"
    other = comment(live.dsn or live.path)
    if live.taken_at:
        other += comment(f", snapshot of {plain(live.taken_at)}")
    return [f"-- Rows from the backup {source}.", f"-- Compared with {other}."]


def recovery_header(work: Work) -> Iterator[str]:
    """The lines above `recovery.sql`."""
    yield "-- recovery.sql: brings back rows that a migration took, in one transaction."
    yield from provenance(*work.selection.store.evidence())
    yield "--"
    yield "-- Run it with psql as the owner of the tables, after a fresh backup:"
    yield "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f recovery.sql"
    yield (
        "-- It stops and changes nothing where the database is not as it was when compared. "
        "It overwrites nothing that the"
    )
    yield (
        "-- application wrote. It can run twice: the second time it does nothing. "
        "undo.sql takes it back."
    )
    yield "--"
    if work.selection.narrowing is not None:
        said = "; ".join(work.selection.narrowing.said)
        yield f"-- Only what belongs to {comment(said)}, and the lost parents that it needs."
    for target in work.selection.targets:
        yield from _of_target(target)
    for part in work.partitions:
        yield (
            f"-- {comment(part.name)}, a partition of {comment(part.parent)}, "
            "is made again, for rows that no other takes"
        )
    for one in work.restored:
        yield (
            f"-- {comment(one.name)}: values of the dropped {comment(', '.join(one.names))} "
            f"return, {one.values:,} at the most"
        )
    for values in work.overwritten:
        yield from _of_values(values)
    yield from _of_definitions(work.definitions)
    yield ""


def _of_target(target: Target) -> Iterator[str]:
    how = "made again" if target.kind == "recreate" else "kept"
    staying = ""
    for kind in _STAYING:
        if target.counts[kind]:
            staying += f", {target.counts[kind]:,} {kind}"
    rows = f"{target.rows:,} of {target.missing:,} missing rows return"
    yield f"-- {comment(target.name)} ({how}): {rows}{staying}"
    for reason, number in some(target.reasons):
        yield f"--     {number:,} do not, because {comment(reason)}"


def _of_values(values: Values) -> Iterator[str]:
    for column in values.columns:
        place = comment(f"{values.name}.{column.column}")
        yield f"-- {place}: {column.rows:,} overwritten values return where they still stand so"
        for reason, number in column.reasons:
            yield f"--     {number:,} do not, because {comment(reason)}"


def _of_definitions(defined: Definitions) -> Iterator[str]:
    for incoming in defined.incoming:
        yield (
            f"-- foreign key {comment(incoming.constraint)} of {comment(incoming.table)} "
            "is restored where rows written since allow it"
        )
    for view in defined.views:
        yield f"-- view {comment(view)} stood on these tables; it is not made again"
    for lack in defined.lacks:
        yield f"-- {comment(lack)}"
    for extra in defined.extras:
        yield (
            f"-- {extra.kind.lower()} {comment(extra.name)} is made where it is not there: "
            "the definition of a dropped table names it"
        )


def undo_header(work: Work) -> Iterator[str]:
    """The lines above `undo.sql`."""
    yield "-- undo.sql: takes back what recovery.sql did, in one transaction."
    yield from provenance(*work.selection.store.evidence())
    yield (
        "-- It stops and changes nothing where the application uses what came back: "
        "rows written into the tables that were made"
    )
    yield (
        "-- again, recovered rows that were changed, or rows that refer to them. "
        "It can run twice. Sequences step back where"
    )
    yield "-- they gave out nothing since; where they did, they stay, and it says so."
    yield "--     psql -X -v ON_ERROR_STOP=1 -d YOUR_DATABASE -f undo.sql"
    yield ""
