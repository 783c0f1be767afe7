"""Drizzle: `meta/_journal.json` lists the files and when each was made.

Newer releases lay out a folder a migration and no journal: its name begins with the moment. The
history knows a migration by the SHA-256 of its file and by that moment, newer ones by its name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import (
    File,
    a_folder_each,
    moment,
    sha256,
    sql_files,
)
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool


def files(folder: Path) -> Sequence[File] | None:
    journal = folder / "meta" / "_journal.json"
    if not journal.is_file() or not sql_files(folder):
        return _folders(folder)
    found = []
    for tag, when in _listed(journal):
        path = folder / f"{tag}.sql"
        if not path.is_file():
            raise MigrationError(
                f"{journal} lists {tag}, and {path} is not there.",
                "Restore the file from version control.",
            )
        found.append(File(tag, path, when))
    return found


def _folders(folder: Path) -> Sequence[File] | None:
    """A folder a migration, told from Prisma's by the snapshots beside the files."""
    if not any(folder.glob("*/snapshot.json")):
        return None
    found = []
    for file in a_folder_each(folder, "migration.sql") or ():
        found.append(replace(file, created_at=moment(file.name)))
    return found or None


def _listed(journal: Path) -> list[tuple[str, int]]:
    """The names and times of a journal, in its order."""
    found = []
    try:
        for entry in json.loads(journal.read_text(encoding="utf-8"))["entries"]:
            found.append((int(entry["idx"]), str(entry["tag"]), int(entry["when"])))
    except (ValueError, KeyError, TypeError) as error:
        raise MigrationError(
            f"{journal} is not the journal that Drizzle writes.",
            "Is the file damaged, or half merged?",
        ) from error
    found.sort(key=itemgetter(0))
    return [(tag, when) for _, tag, when in found]


def entry(row: Row) -> HistoryEntry:
    created = int(row["created_at"] or 0)
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("name") or str(created or row["hash"]),
        row["hash"],
        applied_at=row.time("applied_at"),
    )


TOOL = Tool(
    name="Drizzle",
    folder=Folder("drizzle", files),
    history=HistoryTable(
        "__drizzle_migrations",
        ("hash", "created_at"),
        entry,
        apart=True,
        optional=("name", "applied_at"),
    ),
    checksum=sha256,
)
