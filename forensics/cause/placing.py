"""Where the migrations of a case stand, by what the case holds of both histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.cause.history import History, place
from forensics.cause.rebuilt import Rebuilt, judge, renewal_of
from forensics.cause.squashed import unsquashed
from forensics.cause.timeline import backup_at
from forensics.evidence.migrations import HistoryEntry, MigrationFolder, history_of
from forensics.store import Store

_SIDES = ("backup", "live")


def rebuilt_in_case(store: Store) -> Rebuilt | None:
    """Say what became of a case's schemas; a history that was not read says nothing of it."""
    entries, errors = _histories(store)
    if errors:
        entries = {side: [] for side in _SIDES}
    return judge(store, entries)


def place_in_case(
    store: Store,
    folder: MigrationFolder | None,
    ran: Sequence[str] = (),
    rebuilt: Rebuilt | None = None,
) -> History:
    """Place every migration of a folder between backup and live.

    Args:
        store: the case, compared to its end.
        folder: the migration files.
        ran: shell patterns of migrations that ran, where no history says so.
        rebuilt: what became of the schemas.

    Raises:
        UsageError: a pattern of `ran` fits no migration of the folder.
    """
    entries, errors = _histories(store)
    backup, live = store.catalogs()
    tables = {**backup.tables, **live.tables}
    return place(entries, errors, folder, backup_at(store), ran, tables, renewal_of(rebuilt))


def _histories(store: Store) -> tuple[dict[str, list[HistoryEntry]], Mapping[str, str]]:
    """Both histories, and by side why one could not be read."""
    kept = store.get("history")
    if kept is None:
        why = (store.get("unknown") or {}).get("history", "the comparison did not come to it.")
        kept = {"errors": dict.fromkeys(_SIDES, why)}
    entries = {side: history_of(kept.get(side)) for side in _SIDES}
    return unsquashed(entries), kept["errors"]
