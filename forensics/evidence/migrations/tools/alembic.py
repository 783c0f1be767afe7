"""Alembic: Python files. Its history is the newest revision of each branch.

`upgrade FROM:TO --sql` writes several revisions into one file, each below a line that says so; what
`downgrade` writes takes them back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import Part, parts_from, parts_upto
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool

_RUNNING = re.compile(
    rb"^--[ \t]*Running (?P<way>upgrade|downgrade) (?P<after>[^\n]*?)->[ \t]*"
    rb"(?P<name>[^\s,]*)(?P<more>[^\n]*)",
    re.M,
)
_TABLE = rb"(?:[\w\"]+\.)?\"?alembic_version\"?\s"
_NOTED = re.compile(
    rb"^(?:UPDATE\s+" + _TABLE + rb"\s*SET\s+\"?version_num\"?\s*=|"
    rb"INSERT\s+INTO\s+" + _TABLE + rb"[^;']*?VALUES\s*\()\s*'(?P<name>[^']+)'[^;]*;[^\n]*\n?",
    re.M | re.I,
)
_REVISION = re.compile(rb"^revision\b[^=\n]*=\s*['\"](?P<name>[^'\"]+)['\"]", re.M)
_AFTER = re.compile(
    rb"^(?:down_revision|depends_on)\b[^=\n]*=\s*(?P<names>\([^)]*\)|\[[^\]]*\]|[^\n]*)", re.M
)


def parts(text: bytes) -> Sequence[Part]:
    marks = list(_RUNNING.finditer(text))
    if not marks:
        return parts_upto(text, _NOTED.finditer(text))
    found = []
    for part, mark in zip(parts_from(text, marks), marks, strict=True):
        before = _revisions(mark["after"])
        if mark["way"] == b"upgrade":
            found.append(replace(part, after=before))
            continue
        to = _revisions(mark["name"] + mark["more"])
        called = f"{', '.join(before)} -> {', '.join(to) or 'nothing'}"
        taken = ", ".join(before)
        found.append(replace(part, known_as=called, name=called, after=to, back=taken))
    return found


def _revisions(text: bytes) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s,]+", text.decode("utf-8", "replace")))


def of_code(text: bytes, path: Path) -> Sequence[Part]:
    revision = _REVISION.search(text)
    if revision is None:
        return ()
    after: list[str] = []
    for mark in _AFTER.finditer(text):
        after += re.findall(r"['\"]([^'\"]+)['\"]", mark["names"].decode("utf-8", "replace"))
    known_as = revision["name"].decode("utf-8", "replace")
    return [Part(known_as, 0, len(text), after=tuple(after))]


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool, row.table, row.text("version_num"), cumulative=True, replaced=True
    )


TOOL = Tool(
    name="Alembic",
    history=HistoryTable("alembic_version", ("version_num",), entry),
    in_code=InCode((".py",), "alembic upgrade FROM:TO --sql", of_code),
    parts=parts,
)
