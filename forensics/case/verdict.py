"""What was found, in a sentence or two."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.loss.others import Others
from forensics.model import ColumnChange, TableResult, changes_that_count, that_count
from forensics.text import listed, plural

_NAMED = 3


def nothing_missing(
    results: Sequence[TableResult], changes: Sequence[ColumnChange], others: Others
) -> bool:
    """Whether all that was compared is there: no row is gone, and no other under its key."""
    if others.tables or any(result.missing for result in that_count(results)):
        return False
    return not any(change.values_missing for change in changes_that_count(changes, results))


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
    for change in changes_that_count(changes, results):
        values += change.values_missing or 0
    said = []
    failed = [result for result in results if result.state == "failed"]
    counting = that_count(results)
    unseen = that_count(failed)
    missing = _missing(counting, unseen)
    if missing:
        said.append(missing)
    if values:
        least = "at least " if unseen else ""
        said.append(f"Dropped columns took {least}{values:,} values.")
    said += others.sentences
    if not said:
        said.append("Nothing that was compared is missing from live.")
    if failed:
        said.append(_failed(failed))
    if damage:
        said.append(f"The backup is not whole: {damage}.")
    if may_lack_rows:
        said.append(
            f"The backup may lack rows of {listed(may_lack_rows)}: the counts are lower bounds."
        )
    return " ".join(said)


def _missing(results: Sequence[TableResult], failed: Sequence[TableResult]) -> str:
    hit = []
    for result in results:
        if result.state in ("dropped", "compared") and result.missing:
            hit.append(result)
    if not hit:
        return ""
    missing = sum(result.missing or 0 for result in hit)
    least = "At least " if failed else ""
    return (
        f"{least}{missing:,} backup rows are missing from live, in {_places(results, hit)}; "
        f"{_links(hit, failed)} of them are links of junction tables."
    )


def _places(results: Sequence[TableResult], hit: Sequence[TableResult]) -> str:
    dropped = sum(result.state == "dropped" for result in results)
    surviving = sum(result.state == "compared" for result in hit)
    places = []
    if dropped:
        places.append(f"{dropped} dropped {plural(dropped, 'table')}")
    if surviving:
        places.append(f"{surviving} surviving {plural(surviving, 'table')}")
    return listed(places)


def _links(hit: Sequence[TableResult], failed: Sequence[TableResult]) -> str:
    if any(result.junction for result in failed):
        return "it is not known how many"
    return f"{sum(result.missing or 0 for result in hit if result.junction):,}"


def _failed(failed: Sequence[TableResult]) -> str:
    names = listed([str(result.name) for result in failed[:_NAMED]])
    if len(failed) > _NAMED:
        names += " and others"
    return f"{len(failed)} {plural(len(failed), 'table')} could not be compared: {names}."
