"""What was found, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.loss.others import Others
from forensics.model import ColumnChange, TableResult
from forensics.text import listed, plural

_NAMED = 3


def nothing_missing(
    results: Sequence[TableResult], changes: Sequence[ColumnChange], others: Others
) -> bool:
    """Whether all that was compared is there: no row is gone, and no other under its key."""
    if others.tables or any(result.missing for result in results):
        return False
    return not any(change.values_missing for change in changes)


def verdict(
    results: Sequence[TableResult],
    changes: Sequence[ColumnChange],
    damage: str | None,
    others: Others,
    may_lack_rows: Sequence[str] = (),
) -> str:
    """Say what a comparison found.

    Args:
        results: what was found of each table.
        changes: schema drift, with the values that dropped columns took.
        damage: why the backup is not whole, or None.
        others: what is gone though no row is missing.
        may_lack_rows: tables of which it may hold less than there was.
    """
    values = 0
    for change in changes:
        values += change.values_missing or 0
    said = []
    missing = _missing(results)
    if missing:
        said.append(missing)
    if values:
        said.append(f"Dropped columns took {values:,} values.")
    said += others.sentences
    if not said:
        said.append("Nothing that was compared is missing from live.")
    failed = [result for result in results if result.state == "failed"]
    if failed:
        said.append(_failed(failed))
    if damage:
        said.append(f"The backup is not whole: {damage}.")
    if may_lack_rows:
        said.append(
            f"The backup may lack rows of {listed(may_lack_rows)}: the counts are lower bounds."
        )
    return " ".join(said)


def _missing(results: Sequence[TableResult]) -> str:
    dropped = surviving = missing = links = 0
    for result in results:
        if result.state == "dropped":
            dropped += 1
        elif result.state == "compared" and result.missing:
            surviving += 1
        else:
            continue
        missing += result.missing or 0
        if result.junction:
            links += result.missing or 0
    if not missing:
        return ""
    places = []
    if dropped:
        places.append(f"{dropped} dropped {plural(dropped, 'table')}")
    if surviving:
        places.append(f"{surviving} surviving {plural(surviving, 'table')}")
    return (
        f"{missing:,} backup rows are missing from live, in {listed(places)}; "
        f"{links:,} of them are links of junction tables."
    )


def _failed(failed: Sequence[TableResult]) -> str:
    names = listed([str(result.name) for result in failed[:_NAMED]])
    if len(failed) > _NAMED:
        names += " and others"
    return f"{len(failed)} {plural(len(failed), 'table')} could not be compared: {names}."
