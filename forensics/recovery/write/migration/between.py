"""Which migrations of a folder ran between backup and live."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from forensics.cause.history import History, place
from forensics.cause.rebuilt import judge, renewal_of
from forensics.evidence.migrations import MigrationFolder, history_of
from forensics.store import Store

_NONE_READ: dict[str, Any] = {"backup": [], "live": [], "errors": {}}


def history_between(store: Store, folder: MigrationFolder, ran: Sequence[str] = ()) -> History:
    """Place the migrations of a folder between backup and live.

    By what the case holds of both histories.

    Raises:
        UsageError: a pattern of `ran` fits no migration.
    """
    found = store.get("history") or _NONE_READ
    entries = {side: history_of(found[side]) for side in ("backup", "live")}
    patterns = ran or _told_to_cause(store, folder)
    backup, live = store.catalogs()
    return place(
        entries,
        found["errors"],
        folder,
        _backup_at(store),
        patterns,
        {**backup.tables, **live.tables},
        renewal_of(judge(store, entries)),
    )


def _told_to_cause(store: Store, folder: MigrationFolder) -> list[str]:
    """What `cause` was told holds here too, as far as it is about this folder."""
    patterns: list[str] = []
    for pattern in store.get("ran") or ():
        if any(fnmatchcase(m.name, pattern) for m in folder.migrations):
            patterns.append(pattern)
    return patterns


def _backup_at(store: Store) -> datetime | None:
    given = store.get("backup_at")
    if given:
        return datetime.fromisoformat(given)
    return store.evidence()[0].dumped_at
