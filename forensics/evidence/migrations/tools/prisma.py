"""Prisma: a folder a migration, `migration.sql` in it.

Source: Prisma's schema engine for `_prisma_migrations`. Its checksum is the SHA-256 of the file; a
row that `migrate resolve --applied` wrote has no applied step.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, a_folder_each, sha256
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool

HISTORY = "_prisma_migrations"


def files(folder: Path) -> Sequence[File] | None:
    return a_folder_each(folder, "migration.sql")


def entry(row: Row) -> HistoryEntry:
    finished = row.time("finished_at")
    rolled_back = row.time("rolled_back_at")
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("migration_name"),
        row["checksum"],
        row.time("started_at"),
        finished,
        rolled_back,
        int(row["applied_steps_count"] or 0),
        failed=finished is None,
        rolled_back=rolled_back is not None,
    )


TOOL = Tool(
    name="Prisma",
    folder=Folder("prisma", files),
    history=HistoryTable(
        HISTORY,
        (
            "migration_name",
            "checksum",
            "started_at",
            "finished_at",
            "rolled_back_at",
            "applied_steps_count",
        ),
        entry,
    ),
    checksum=sha256,
)
