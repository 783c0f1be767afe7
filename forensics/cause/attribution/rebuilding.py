"""Lays at a rebuild of the schema what no statement accounts for.

Statements come first: what one took that ran before the rebuild, or whose order is not known, is
laid at it. What ran on the new tables took nothing of the backup's, and is not replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from forensics.cause.attribution.accounts import Account
from forensics.cause.attribution.incident import Incident, Unexplained, incident_of
from forensics.cause.attribution.replaying import Replayed
from forensics.cause.history import History
from forensics.cause.rebuilt import Rebuilt
from forensics.model import TableName, TableResult
from forensics.store import Store
from forensics.text import counted

HAZARD = "schema-rebuilt"
_BY_THEN = "the schema was rebuilt by then"
_when = itemgetter("time", "label")


def explainable(store: Store, history: History, rebuilt: Rebuilt | None) -> Incident:
    """Return the incident as far as statements may account for it.

    Where migrations ran on the new tables, and others that were not rebuilt miss rows, they are
    replayed for these alone.

    Raises:
        MigrationError: a migration does not parse.
    """
    incident = incident_of(store, history)
    if rebuilt is None or not history.afterwards:
        return incident
    spared = _without(incident, rebuilt)
    if not any(_differs(incident, result) for result in spared.results.values()):
        return incident
    names = [placed.name for placed in history.migrations]
    ran = {migration.name: migration for migration in (*history.between, *history.afterwards)}
    between = tuple(ran[name] for name in names if name in ran)
    return _without(incident_of(store, replace(history, between=between)), rebuilt)


def _without(incident: Incident, rebuilt: Rebuilt) -> Incident:
    """An incident without the tables that were rebuilt."""
    results = {}
    for name, result in incident.results.items():
        if name not in rebuilt.tables:
            results[name] = result
    changes = [change for change in incident.changes if change.name not in rebuilt.tables]
    return replace(incident, results=results, changes=changes)


def _differs(incident: Incident, result: TableResult) -> bool:
    """Whether there is anything to explain of a table, which is no migration history."""
    if result.history or result.name not in incident.backup.tables:
        return False
    return bool(result.missing or result.changed or incident.lost_columns(result.name))


def lay_rest(
    rebuilt: Rebuilt | None, store: Store, found: Replayed, accounts: Sequence[Account]
) -> list[dict[str, Any]]:
    """Take out of what is unexplained whatever went with a rebuild.

    Args:
        rebuilt: what became of the schemas.
        store: the case.
        found: what the replay left; what is laid is taken out of `found.unexplained`.
        accounts: what statements took.

    Returns:
        Entries as `cause.json` has them of statements, without a migration, a line and a text.
    """
    if rebuilt is None or rebuilt.when is None:
        return []
    rest = found.unexplained
    results = {result.name: result for result in store.results()}
    _add_rows(rest, results, rebuilt, accounts)
    _add_values(rest, store, rebuilt, accounts)
    entries = []
    for name in sorted(rebuilt.tables):
        rows = rest.rows.pop(name, 0)
        changed = _changed(results[name], accounts)
        if rows or changed:
            moved = _moved(store, accounts, name, rows)
            entry = _entry(name, None, rows, moved, changed)
            if results[name].history:
                entry["history"] = True
            entries.append(entry)
        for place in sorted(rest.values):
            if place[0] == name and rest.values[place]:
                entries.append(_entry(name, place[1], rest.values.pop(place), 0, 0))
    return entries


def _taken(accounts: Sequence[Account], name: TableName, column: str | None = None) -> int:
    """Missing rows of a table, or values of its column, that statements took."""
    return sum(a.rows or 0 for a in accounts if (a.name, a.column) == (name, column))


def _add_rows(
    rest: Unexplained,
    results: Mapping[TableName, TableResult],
    rebuilt: Rebuilt,
    accounts: Sequence[Account],
) -> None:
    for name in rebuilt.tables:
        left = (results[name].missing or 0) - _taken(accounts, name)
        if left > 0:
            rest.rows[name] = left


def _add_values(
    rest: Unexplained, store: Store, rebuilt: Rebuilt, accounts: Sequence[Account]
) -> None:
    for change in store.changes():
        if change.name not in rebuilt.tables or change.change != "dropped":
            continue
        left = (change.values_missing or 0) - _taken(accounts, change.name, change.column)
        if left > 0:
            rest.values[change.name, change.column] = left


def _changed(result: TableResult, accounts: Sequence[Account]) -> int:
    """Rows that stand under their keys and were written anew with the table."""
    if result.state != "compared":
        return 0
    changed = sum(account.changed or 0 for account in accounts if account.name == result.name)
    return max(0, (result.changed or 0) - changed)


def _moved(store: Store, accounts: Sequence[Account], name: TableName, rows: int) -> int | None:
    """Links of a junction table that live holds elsewhere, and that no statement moved.

    None where loss does not know it.

    Args:
        rows: how many missing rows are at most concerned.
    """
    loss = store.get("loss") or {"reason": "there is none"}
    if rows and (loss.get("reason") or _of_table(loss.get("failed") or (), name)):
        return None
    entry = _of_table(loss.get("junctions") or (), name)
    if entry is None:
        return 0
    elsewhere = [entry["moved"], entry["superseded"]]
    if None in elsewhere:
        return None
    told = sum(account.moved or 0 for account in accounts if account.name == name)
    return min(rows, max(0, int(sum(elsewhere)) - told))


def _of_table(entries: Iterable[dict[str, Any]], name: TableName) -> dict[str, Any] | None:
    for entry in entries:
        if (entry["schema"], entry["table"]) == tuple(name):
            return dict(entry)
    return None


def _entry(
    name: TableName, column: str | None, rows: int, moved: int | None, changed: int
) -> dict[str, Any]:
    return {
        "migration": None,
        "line": None,
        "sql": None,
        "hazard": HAZARD,
        "schema": name.schema,
        "table": name.table,
        "column": column,
        "rows": rows,
        "moved": moved,
        "moved_to": [],
        "changed": changed,
        "blanked": 0,
        "counted": "backup",
    }


def add_rebuild(
    said: dict[str, Any], rebuilt: Rebuilt | None, entries: Sequence[Mapping[str, Any]]
) -> None:
    """Write a rebuild into what `cause.json` has.

    Args:
        said: the answer; it is changed.
        rebuilt: what became of the schemas.
        entries: what was laid at it.
    """
    said["rebuild"] = None
    if rebuilt is None:
        return
    if rebuilt.when is None:
        notes = list(_emptied(said, rebuilt))
        said["notes"] += notes
        said["rebuild"] = rebuilt.json if notes else None
        return
    if not entries:
        return  # a migration did it, and accounts for all that is missing
    said["rebuild"] = rebuilt.json
    said["statements"] += entries
    at = said["rebuild"]["when"]["at"] or said["rebuild"]["when"]["before"]
    if at:
        said["timeline"].append({"time": at, "label": _BY_THEN, "kind": "evidence"})
        said["timeline"].sort(key=_when)
    kept = []
    for rest in said["unexplained_overwritten"] or ():
        if TableName(rest["schema"], rest["table"]) not in rebuilt.tables:
            kept.append(rest)
    if said["unexplained_overwritten"]:
        said["unexplained_overwritten"] = kept


def _emptied(said: Mapping[str, Any], rebuilt: Rebuilt) -> Iterator[str]:
    """What there is to say of tables that were emptied, where no statement accounts for it."""
    rest = {TableName(entry["schema"], entry["table"]) for entry in said["unexplained"]}
    left = rest & rebuilt.tables
    if 2 * len(left) < len(rebuilt.tables):
        return
    how = " ".join(rebuilt.evidence)
    yield (
        f"{counted(len(left), 'table')} were emptied, by no statement that is known; nothing says "
        f"that the schema was rebuilt. {how}"
    )
