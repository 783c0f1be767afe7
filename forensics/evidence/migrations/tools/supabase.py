"""Supabase: plain files, known by their number; its table lies apart and keeps their statements."""

from __future__ import annotations

import re
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import sha256
from forensics.evidence.migrations.tool import HistoryTable, Tool

_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.S)
_COMMENT = re.compile(rb"--[^\n]*|/\*.*?\*/", re.S)
_BETWEEN = re.compile(rb"[\s;]+")


def checksum(text: bytes, path: Path) -> str:
    """Of what runs: its table keeps statements without the blanks and semicolons between them."""
    without = _COMMENT.sub(b"", text.removeprefix(b"\xef\xbb\xbf"))
    return sha256(_BETWEEN.sub(b"", without), path)


def entry(row: Row) -> HistoryEntry:
    ran = []
    for quoted, plain in _ITEM.findall(row.text("statements")):
        ran.append(re.sub(r"\\(.)", r"\1", quoted, flags=re.S) or plain)
    kept = None
    if ran:
        kept = checksum("\n".join(ran).encode("utf-8"), Path())
    sql = "".join(f"{one}\n;\n" for one in ran)
    return HistoryEntry(row.tool, row.table, row.text("version"), kept, sql=sql or None)


TOOL = Tool(
    name="Supabase",
    history=HistoryTable(
        "schema_migrations",
        ("version", "statements"),
        entry,
        also=("name", "created_by", "idempotency_key", "rollback"),
        apart=True,
    ),
    checksum=checksum,
)
