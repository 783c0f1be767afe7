"""Piccolo: Python files, known by the moment that stands in them and in their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import Part, parts_from
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool

_MOMENT = re.compile(r"\d{4}(?:_\d\d){2}t(?:\d\d_){3}\d{6}", re.I)

_ID = re.compile(rb"^ID\s*=\s*['\"](?P<name>[^'\"]+)['\"]", re.M)


def version(name: str, path: Path) -> str | None:
    match = _MOMENT.search(name)
    return re.sub(r"\D", "", match[0]) if match else None


def of_code(text: bytes, path: Path) -> Sequence[Part]:
    if b"MigrationManager" not in text:
        return ()
    return parts_from(text, _ID.finditer(text))


def entry(row: Row) -> HistoryEntry:
    said = row.named("name", "ran_on")
    return replace(said, version=re.sub(r"\D", "", said.name))


TOOL = Tool(
    name="Piccolo",
    history=HistoryTable("migration", ("name", "app_name", "ran_on"), entry, also=("id",)),
    in_code=InCode((".py",), "piccolo migrations forwards APP --preview", of_code),
    version=version,
)
