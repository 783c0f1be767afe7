"""Diesel: a folder a migration, `up.sql` and `down.sql` in it, named by the moment it was made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, a_folder_each
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool

_MADE_AT = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d{6})_")


def files(folder: Path) -> Sequence[File] | None:
    return a_folder_each(folder, "up.sql")


def version(name: str, path: Path) -> str | None:
    match = _MADE_AT.match(name)
    return "".join(match.groups()) if match else None


def entry(row: Row) -> HistoryEntry:
    return row.named("version", "run_on")


TOOL = Tool(
    name="Diesel",
    folder=Folder("up files", files),
    history=HistoryTable("__diesel_schema_migrations", ("version", "run_on"), entry),
    version=version,
)
