"""Where the migrations of a case stand, by what the case holds of both histories."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.cause.history import History, place
from forensics.cause.timeline import backup_at
from forensics.evidence.migrations import MigrationFolder, history_of
from forensics.store import Store

_SIDES = ("backup", "live")


def place_in_case(store: Store, folder: MigrationFolder | None, ran: Sequence[str] = ()) -> History:
    """Place every migration of a folder between backup and live.

    Args:
        store: the case, compared to its end.
        folder: the migration files.
        ran: shell patterns of migrations that ran, where no history says so.

    Raises:
        UsageError: a pattern of `ran` fits no migration of the folder.
    """
    kept = store.get("history")
    if kept is None:
        why = (store.get("unknown") or {}).get("history", "the comparison did not come to it.")
        kept = {"errors": dict.fromkeys(_SIDES, why)}
    entries = {side: history_of(kept.get(side)) for side in _SIDES}
    backup, live = store.catalogs()
    tables = {**backup.tables, **live.tables}
    return place(entries, kept["errors"], folder, backup_at(store), ran, tables)
