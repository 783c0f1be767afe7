"""Django: Python files; what `sqlmigrate` wrote of them lies beside them, in `APP/migrations/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, Part, natural, sql_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, InCode, Tool

_SQUASHED = re.compile(r"(?P<app>[^.]*)\.\d+_(?:.*_)?squashed_(?P<last>.+)")
_CLASS = re.compile(rb"^class\s+Migration\([\w.]*Migration\)", re.M)


def files(folder: Path) -> Sequence[File] | None:
    if sql_files(folder) or (folder / "migrations").is_dir():
        return None  # these are the migrations, and no folder of apps
    paths = sorted(folder.glob("*/migrations/*.sql"), key=_by_name)
    # Its history names them so.
    found = [File(f"{path.parent.parent.name}.{path.stem}", path) for path in paths]
    return found or None


def _by_name(path: Path) -> tuple[list[tuple[int, str]], Path]:
    return natural(path.name), path


def of_code(text: bytes, path: Path) -> Sequence[Part]:
    if _CLASS.search(text) is None or path.parent.name != "migrations":
        return ()
    return [Part(f"{path.absolute().parent.parent.name}.{path.stem}", 0, len(text))]


def entry(row: Row) -> HistoryEntry:
    name = f"{row['app']}.{row['name']}"
    return HistoryEntry(row.tool, row.table, name, applied_at=row.time("applied"))


def together(entries: list[HistoryEntry]) -> list[HistoryEntry]:
    """One that replaces others is noted, and does not run, where these ran."""
    names = {entry.name for entry in entries}
    found = []
    for said in entries:
        replaced = _SQUASHED.match(said.name)
        if replaced and f"{replaced['app']}.{replaced['last']}" in names:
            said = replace(said, steps=0)
        found.append(said)
    return found


TOOL = Tool(
    name="Django",
    folder=Folder("plain files", files),
    history=HistoryTable("django_migrations", ("app", "name", "applied"), entry, together=together),
    in_code=InCode((".py",), "manage.py sqlmigrate APP NAME", of_code),
)
