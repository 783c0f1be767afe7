"""Migrations that are code and ran between backup and live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forensics.evidence.migrations import (
    HistoryEntry,
    Migration,
    MigrationFolder,
    Unread,
    in_force,
)


@dataclass(frozen=True)
class Code:
    """The migrations of a folder that are code, and which of them ran before the backup."""

    unread: Sequence[Unread]
    ran_before: Sequence[Unread]

    @classmethod
    def of(cls, folder: MigrationFolder | None, backup: Sequence[HistoryEntry]) -> Code:
        """Those of a folder, with what the backup says of them."""
        unread = folder.unread if folder else ()
        ran = {entry.name for entry in backup if entry.in_force}
        return cls(unread, in_force(unread, ran))

    def before(self, name: str, file: Migration | None) -> list[Unread]:
        """Those that ran with a migration, itself included: it may be the newest of several."""
        if not self.unread:
            return []
        names = {name}
        if file and file.part:
            names.update(file.part.after or ())
        ran = in_force(self.unread, names)
        return [one for one in self.unread if one in ran and one not in self.ran_before]


def is_code(name: str, unread: Unread) -> str:
    """What is said of one that ran with a migration of that name."""
    what = name if unread.is_of(name) else unread.name
    return (
        f"{what} ran between backup and live and is code: {unread.path.name} is not read. "
        f"Have its tool write it as SQL ({unread.as_sql})."
    )
