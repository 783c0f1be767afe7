"""When things happened, as far as the evidence says: the backup, the migrations, the rows themselves, the look at live."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from forensics.cause.history import History
from forensics.model import Catalog, Table, TableName
from forensics.store import Store

_WRITTEN = re.compile(r"creat|insert|added|logged|occurred", re.I)


def backup_at(store: Store) -> datetime | None:
    """When the backup was taken: as given, else as it says itself."""
    given = store.get("backup_at")
    return datetime.fromisoformat(given) if given else store.evidence()[0].dumped_at


def timeline(store: Store, history: History) -> list[dict[str, Any]]:
    """Return events in order, each with `time` (ISO 8601, UTC), `label` and `kind`.

    Kinds: backup; migration before, migration (between backup and live); evidence (the newest row that is missing, the
    oldest and the newest that only live has, by the time at which they say they were written); incident (as given); now.
    """
    _, live = store.evidence()
    given = store.get("incident_at")
    events: list[tuple[datetime | None, str, str]] = [(backup_at(store), "the backup", "backup")]
    for migration in history.migrations:
        if migration.in_live and migration.applied_at:
            events.append(
                (
                    migration.applied_at,
                    migration.name,
                    "migration before" if migration.in_backup else "migration",
                )
            )
    events += _evidence(store)
    events.append((datetime.fromisoformat(given) if given else None, "the incident", "incident"))
    events.append((live.taken_at or live.dumped_at, "live was read", "now"))
    known = sorted((t.astimezone(UTC), label, kind) for t, label, kind in events if t is not None)
    return [{"time": t.isoformat(), "label": label, "kind": kind} for t, label, kind in known]


def _evidence(store: Store) -> Iterator[tuple[datetime | None, str, str]]:
    backup, live = store.catalogs()
    missing = _times(store, backup, "backup", "missing")
    added = _times(store, live, "live", "added")
    if missing:
        at, name = max((high, name) for _, high, name in missing)
        yield at, f"the newest missing row ({name})", "evidence"
    if added:
        at, name = min((low, name) for low, _, name in added)
        yield at, f"the oldest row that only live has ({name})", "evidence"
        at, name = max((high, name) for _, high, name in added)
        yield at, f"the newest row that only live has ({name})", "evidence"


def _times(
    store: Store, catalog: Catalog, side: str, state: str
) -> list[tuple[datetime, datetime, TableName]]:
    """By table, the earliest and the latest time at which its kept rows of a state say they were written."""
    found = []
    with store.query() as cursor:
        for result in store.results():
            table = catalog.tables.get(result.name)
            column = _written(table) if table else None
            columns = store.columns(result.name, side)
            if column is None or column not in columns or not getattr(result, state):
                continue
            field, number = f"f{columns.index(column)}", store.number(result.name)
            low, high = cursor.execute(
                f"SELECT min({field}), max({field}) FROM rows.{side}_{number} WHERE state = ? AND {field} SIMILAR TO '[0-9]{{4}}-.*' "
                f"AND {field} NOT LIKE '%BC'",
                [state],
            ).fetchone() or (None, None)
            if low is not None and high is not None:
                found.append((_time(low), _time(high), result.name))
    return found


def _written(table: Table) -> str | None:
    """The column that says when a row was written, where exactly one does."""
    named = [
        c.name for c in table.columns if c.type.startswith("timestamp") and _WRITTEN.search(c.name)
    ]
    return named[0] if len(named) == 1 else None


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
