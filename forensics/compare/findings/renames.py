"""Tables, columns and keys whose rows are there under other names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from forensics.compare.findings.finding import Finding
from forensics.compare.findings.matcher import Matcher
from forensics.compare.schema import stored_columns
from forensics.model import ColumnChange, Table, TableName, TableResult
from forensics.text import plural

_LEAST_SHARE = 0.5  # of the smaller side's rows that have to be equal
_MOST_CANDIDATES = 3  # new tables that a dropped one is held against: each is read whole
_MOST_PAIRS = 12  # of dropped and added columns, of one table


def renamed_tables(matcher: Matcher, results: Sequence[TableResult]) -> list[Finding]:
    """Find dropped tables whose rows are in a new one."""
    fresh = [r for r in results if r.state == "new" and r.live_rows]
    found = []
    for result in results:
        if result.state != "dropped" or not result.backup_rows:
            continue
        best = _best_match(matcher, result, fresh)
        if best:
            found.append(best)
    return found


def _best_match(
    matcher: Matcher, gone: TableResult, fresh: Sequence[TableResult]
) -> Finding | None:
    best: Finding | None = None
    most = -1
    for other in _candidates(matcher, gone.name, fresh):
        finding = _renamed_table(matcher, gone, other)
        if finding and finding.rows is not None and finding.rows > most:
            best, most = finding, finding.rows
    return best


def _renamed_table(matcher: Matcher, gone: TableResult, new: TableResult) -> Finding | None:
    ours = matcher.backup.catalog.tables[gone.name]
    theirs = matcher.live.catalog.tables[new.name]
    columns = _alike(ours, theirs)
    equal = matcher.equal_rows(ours, theirs, _as_named(columns))
    whole = gone.backup_rows or 0
    if equal is None:
        return None
    least = _LEAST_SHARE * min(whole, new.live_rows or 0)
    there = f"{equal:,} of its {whole:,} rows are there, equal in {len(columns)} columns"
    if equal < least:
        keys = _keys_there(matcher, ours, theirs, columns)
        if keys is None or keys < least:
            return None
        number = f"{equal:,}" if equal else "none"
        verb = "are" if equal > 1 else "is"
        there = (
            f"{keys:,} of its {whole:,} keys are there, and {number} of these rows {verb} equal "
            f"in all {len(columns)} columns"
        )
    text = f"{gone.name} is probably {new.name} now: {there}."
    return Finding("renamed table", gone.name, text, str(new.name), equal, whole)


def _keys_there(matcher: Matcher, ours: Table, theirs: Table, alike: Sequence[str]) -> int | None:
    """How many keys of a dropped table stand in a new one that goes by its name elsewhere, or by
    the name of its key; None where neither is so: numbers from 1 on are the keys of any table."""
    one, other = ours.primary_key, theirs.primary_key
    if one is None or other is None or one.columns != other.columns:
        return None
    if ours.name.table != theirs.name.table and one.name != other.name:
        return None
    if not set(one.columns) <= set(alike):
        return None
    return matcher.equal_rows(ours, theirs, _as_named(one.columns))


def _candidates(
    matcher: Matcher, gone: TableName, fresh: Sequence[TableResult]
) -> list[TableResult]:
    """The new tables that a dropped one may be, the most alike first.

    They are those that have half of its columns or more.
    """
    ours = matcher.backup.catalog.tables[gone]
    width = len(stored_columns(ours))
    found = []
    for other in fresh:
        alike = len(_alike(ours, matcher.live.catalog.tables[other.name]))
        if 2 * alike >= width and (alike > 1 or width == 1):
            found.append((other.name.table != gone.table, -alike, other.name, other))
    return [other for *_, other in sorted(found)[:_MOST_CANDIDATES]]


def _alike(ours: Table, theirs: Table) -> tuple[str, ...]:
    """The stored columns that both tables have, of the same type."""
    types = {c.name: c.type for c in theirs.columns if not c.generated}
    return tuple(c.name for c in ours.columns if not c.generated and types.get(c.name) == c.type)


def _as_named(columns: Sequence[str]) -> dict[str, str]:
    """Columns that both sides call the same, as `Matcher.equal_rows` takes names."""
    return dict(zip(columns, columns, strict=True))


def renamed_columns(
    matcher: Matcher, results: Sequence[TableResult], changes: Sequence[ColumnChange]
) -> list[Finding]:
    """Find dropped columns whose values are in an added one."""
    found = []
    for result in results:
        if result.state != "compared" or not result.unchanged:
            continue
        here = [c for c in changes if c.name == result.name]
        for gone, new in islice(_pairs(here), _MOST_PAIRS):
            finding = _renamed_column(matcher, result, gone.column, new.column)
            if finding:
                found.append(finding)
    return found


def _pairs(changes: Sequence[ColumnChange]) -> Iterator[tuple[ColumnChange, ColumnChange]]:
    """Every dropped column that held values, with every added one of its type."""
    for gone in changes:
        if gone.change != "dropped" or not gone.values_missing:
            continue
        for new in changes:
            if new.change == "added" and new.after == gone.before:
                yield gone, new


def _renamed_column(matcher: Matcher, result: TableResult, gone: str, new: str) -> Finding | None:
    # Where the key itself has a new name, there is no other: the value is held against the rest of
    # the row.
    beside, words = result.columns, "in a row that is equal in all else"
    if result.key:
        beside, words = result.key, "under the same key"
    names = _as_named(beside) | {gone: new}
    ours = matcher.backup.catalog.tables[result.name]
    theirs = matcher.live.catalog.tables[result.name]
    equal = matcher.equal_rows(ours, theirs, names)
    under_key = (result.unchanged or 0) + (result.changed or 0)
    if equal is None or equal < _LEAST_SHARE * under_key:
        return None
    text = (
        f"{result.name}.{gone} is probably {new} now: "
        f"in {equal:,} of {result.backup_rows:,} rows it holds the same value {words}."
    )
    return Finding("renamed column", result.name, text, new, equal, result.backup_rows)


def rewritten_keys(matcher: Matcher, results: Sequence[TableResult]) -> list[Finding]:
    """Find tables whose missing rows are there under other keys."""
    found = []
    for result in results:
        if result.state != "compared" or not result.key or result.history:
            continue
        if not result.missing or not result.added:
            continue
        if result.missing < _LEAST_SHARE * (result.backup_rows or 0):
            continue
        finding = _rewritten_key(matcher, result, result.missing, result.added)
        if finding:
            found.append(finding)
    return found


def _rewritten_key(
    matcher: Matcher, result: TableResult, missing: int, added: int
) -> Finding | None:
    ours = matcher.backup.catalog.tables[result.name]
    theirs = matcher.live.catalog.tables[result.name]
    alike = _alike(ours, theirs)
    same = [c for c in result.columns if c in alike and c not in result.key]
    if not same:
        return None
    equal = matcher.equal_rows(ours, theirs, _as_named(same))
    # Rows that kept their keys are equal in the rest as well, and say nothing of the others.
    if equal is None:
        return None
    rewritten = equal - (result.unchanged or 0)
    if rewritten < _LEAST_SHARE * min(missing, added):
        return None
    text = (
        f"The keys of {result.name} were probably rewritten: {rewritten:,} of its {missing:,} "
        f"missing rows are in live under another {', '.join(result.key)}, "
        f"equal in {len(same)} other {plural(len(same), 'column')}."
    )
    return Finding("rewritten key", result.name, text, None, rewritten, missing)
