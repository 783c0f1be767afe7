"""Hasura: a folder a migration, `up.sql` and `down.sql` in it, below a folder for each database.

Its history lies in `hdb_catalog`, a row for each version; of newer releases see `hasura_state`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, a_folder_each
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool

_SCHEMA = "hdb_catalog"


def files(folder: Path) -> Sequence[File] | None:
    below = [path.name for path in sorted(folder.iterdir()) if a_folder_each(path, "up.sql")]
    if not below:
        return None
    if len(below) > 1:
        raise MigrationError(
            f"{folder} holds the migrations of several databases: {', '.join(below)}.",
            "Give the folder of one.",
        )
    return a_folder_each(folder / below[0], "up.sql")


def entry(row: Row) -> HistoryEntry:
    version = row.text("version")
    return HistoryEntry(row.tool, row.table, version, failed=row.true("dirty"))


TOOL = Tool(
    name="Hasura",
    folder=Folder("up files", files),
    history=HistoryTable(
        "schema_migrations",
        ("version", "dirty"),
        entry,
        apart=True,
        schema=_SCHEMA,
    ),
)
