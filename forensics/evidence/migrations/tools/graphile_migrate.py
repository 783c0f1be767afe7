"""graphile-migrate: `committed/000001-name.sql`, which its history calls 000001.sql.

Above the SQL stand lines with the hash of the file before and of this one. `current.sql` and
`afterReset.sql` are no migrations.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, sql_files
from forensics.evidence.migrations.tool import Folder, HistoryTable, Kept, Tool

_COMMITTED = re.compile(r"\d{6}(?:-.*)?\.sql\Z")
_HEADS = re.compile(r"(?:--! [A-Z][A-Za-z0-9_]*(?::.*)?\n)+")
_BEFORE = re.compile(r"^--! Previous:[ \t]*(\S+)", re.M)


def files(folder: Path) -> Sequence[File] | None:
    below = folder if folder.name == "committed" else folder / "committed"
    found = []
    for path in sql_files(below):
        if _COMMITTED.match(path.name):
            found.append(File(path.stem, path))
    return found or None


def checksum(text: bytes, path: Path) -> str:
    """The hash of what stands below the heads, and of the hash of the file before."""
    said = text.decode("utf-8", "replace")
    heads = _HEADS.match(said)
    if heads is None:
        return ""
    before = _BEFORE.search(heads[0])
    previous = before[1] if before and before[1] != "-" else ""
    hashed = f"{previous}\n{said[heads.end() :].strip()}".strip() + "\n"
    return f"sha1:{hashlib.sha1(hashed.encode('utf-8'), usedforsecurity=False).hexdigest()}"


def entry(row: Row) -> HistoryEntry:
    said = row.named("filename", "date")
    return HistoryEntry(row.tool, row.table, said.name, row["hash"], applied_at=said.applied_at)


TOOL = Tool(
    name="graphile-migrate",
    folder=Folder("graphile-migrate", files),
    history=HistoryTable(
        "migrations",
        ("hash", "previous_hash", "filename", "date"),
        entry,
        also=(),
        apart=True,
        schema="graphile_migrate",
    ),
    checksum=checksum,
    keeps=(Kept("current", ("filename", "content", "date")),),
)
