"""When things happened, as far as the evidence says.

That is the backup, the migrations, the rows themselves, and the look at live.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from forensics.cause.history import History
from forensics.cause.placed import Placed
from forensics.model import Catalog, Table, TableName
from forensics.store import Store
from forensics.store.literals import literal

_WRITTEN = re.compile(r"creat|insert|added|logged|occurred", re.I)

# Of what `_times` finds: the time, and the table where two are the same.
_OLDEST, _NEWEST = itemgetter(0, 2), itemgetter(1, 2)

_Event = tuple[datetime | None, str, str]


def backup_at(store: Store) -> datetime | None:
    """When the backup was taken: as given, else as it says itself."""
    given = _given(store, "backup_at")
    return given or store.evidence()[0].dumped_at


def timeline(store: Store, history: History) -> list[dict[str, Any]]:
    """Return events in order, each with `time` (ISO 8601, UTC), `label` and `kind`.

    Kinds: backup; migration before, migration (between backup and live); evidence (the newest row
    that is missing, the oldest and the newest that only live has, by the time at which they say
    they were written); incident (as given); now.
    """
    known = []
    for at, label, kind in _events(store, history):
        if at is not None:
            known.append((at.astimezone(UTC), label, kind))
    found = []
    for time, label, kind in sorted(known):
        found.append({"time": time.isoformat(), "label": label, "kind": kind})
    return found


def _events(store: Store, history: History) -> Iterator[_Event]:
    _, live = store.evidence()
    began = backup_at(store)
    yield began, "the backup", "backup"
    for migration in history.migrations:
        if migration.in_live:
            yield migration.applied_at, migration.name, _kind(migration, began)
    yield from _evidence(store)
    yield _given(store, "incident_at"), "the incident", "incident"
    yield live.taken_at or live.dumped_at, "live was read", "now"


def _kind(migration: Placed, began: datetime | None) -> str:
    """Whether a migration ran before the backup: by its history, else by the times."""
    before = migration.in_backup
    if before is None and began and migration.applied_at:
        before = migration.applied_at <= began
    if before:
        return "migration before"
    return "migration"


def _given(store: Store, name: str) -> datetime | None:
    """A time that the user gave."""
    given = store.get(name)
    return datetime.fromisoformat(given) if given else None


def _evidence(store: Store) -> Iterator[_Event]:
    backup, live = store.catalogs()
    missing = _times(store, backup, "backup", "missing")
    added = _times(store, live, "live", "added")
    if missing:
        _, at, name = max(missing, key=_NEWEST)
        yield at, f"the newest missing row ({name})", "evidence"
    if added:
        at, _, name = min(added, key=_OLDEST)
        yield at, f"the oldest row that only live has ({name})", "evidence"
        _, at, name = max(added, key=_NEWEST)
        yield at, f"the newest row that only live has ({name})", "evidence"


def _times(
    store: Store, catalog: Catalog, side: str, state: str
) -> list[tuple[datetime, datetime, TableName]]:
    """By table, when its kept rows of a state say they were written: the oldest, the newest."""
    found = []
    with store.query() as cursor:
        for result in store.results():
            table = catalog.tables.get(result.name)
            column = _written(table) if table else None
            columns = store.columns(result.name, side)
            if column is None or column not in columns or not getattr(result, state):
                continue
            field, number = f"f{columns.index(column)}", store.number(result.name)
            [times] = cursor.execute(
                f"SELECT min({field}), max({field}) FROM rows.{side}_{number} "
                f"WHERE state = {literal(state)} AND {field} SIMILAR TO '[0-9]{{4}}-.*' "
                f"AND {field} NOT LIKE '%BC'"
            ).fetchall()
            if None not in times:
                oldest, newest = times
                found.append((_time(oldest), _time(newest), result.name))
    return found


def _written(table: Table) -> str | None:
    """The column that says when a row was written, where exactly one does."""
    named = []
    for column in table.columns:
        if column.type.startswith("timestamp") and _WRITTEN.search(column.name):
            named.append(column.name)
    return named[0] if len(named) == 1 else None


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
