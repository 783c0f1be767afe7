"""Alembic: Python files. Its history is the newest revision of each branch.

`upgrade FROM:TO --sql` writes several revisions into one file, each below a line that says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import Part, parts_from, parts_upto
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool

_RUNNING = re.compile(
    rb"^--[ \t]*Running (?P<way>upgrade|downgrade) (?P<after>[^\n]*?)-> (?P<name>\S+)", re.M
)
_TABLE = rb"(?:[\w\"]+\.)?\"?alembic_version\"?\s"
_NOTED = re.compile(
    rb"^(?:UPDATE\s+" + _TABLE + rb"\s*SET\s+\"?version_num\"?\s*=|"
    rb"INSERT\s+INTO\s+" + _TABLE + rb"[^;']*?VALUES\s*\()\s*'(?P<name>[^']+)'[^;]*;[^\n]*\n?",
    re.M | re.I,
)


def parts(text: bytes) -> Sequence[Part]:
    marks = list(_RUNNING.finditer(text))
    if not marks:
        return parts_upto(text, _NOTED.finditer(text))
    if any(mark["way"] == b"downgrade" for mark in marks):
        return []  # what took a revision back is not the revision
    found = []
    for part, mark in zip(parts_from(text, marks), marks, strict=True):
        before = mark["after"].decode("utf-8", "replace")
        found.append(replace(part, after=tuple(re.findall(r"[^\s,]+", before))))
    return found


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool, row.table, row.text("version_num"), cumulative=True, replaced=True
    )


TOOL = Tool(
    name="Alembic",
    history=HistoryTable("alembic_version", ("version_num",), entry),
    in_code=InCode((".py",), "alembic upgrade FROM:TO --sql"),
    parts=parts,
)
