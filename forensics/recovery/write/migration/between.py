"""Which migrations of a folder ran between backup and live."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from forensics.cause.history import History
from forensics.cause.placing import place_in_case, rebuilt_in_case
from forensics.evidence.migrations import MigrationFolder
from forensics.store import Store


def history_between(store: Store, folder: MigrationFolder, ran: Sequence[str] = ()) -> History:
    """Place the migrations of a folder between backup and live.

    By what the case holds of both histories.

    Raises:
        UsageError: a pattern of `ran` fits no migration.
    """
    patterns = ran or _told_to_cause(store, folder)
    return place_in_case(store, folder, patterns, rebuilt_in_case(store))


def _told_to_cause(store: Store, folder: MigrationFolder) -> list[str]:
    """What `cause` was told holds here too, as far as it is about this folder."""
    patterns: list[str] = []
    for pattern in store.get("ran") or ():
        if any(fnmatchcase(m.name, pattern) for m in folder.migrations):
            patterns.append(pattern)
    return patterns
