"""yoyo: Python or SQL files, known by their names; the hash in its history is of the name.

Its log says what was taken back, and what was only marked as applied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import Part
from forensics.evidence.migrations.tool import HistoryTable, InCode, Kept, Log, Tool

_STEPS = re.compile(rb"^(?:from|import)\s+yoyo\b.*^\s*(?:steps\s*=|step\()", re.M | re.S)


def of_code(text: bytes, path: Path) -> Sequence[Part]:
    if _STEPS.search(text) is None:
        return ()
    return [Part(path.stem, 0, len(text))]


def entry(row: Row) -> HistoryEntry:
    return row.named("migration_id", "applied_at_utc")


def tell(entries: list[HistoryEntry], log: list[Row]) -> list[HistoryEntry]:
    found = []
    last: dict[str, Row] = {}
    for row in sorted(log, key=_when):
        name, before = row.text("migration_id"), last.get(row.text("migration_id"))
        if row["operation"] == "rollback" and before and before["operation"] == "apply":
            said = before.named("migration_id", "created_at_utc")
            at = row.time("created_at_utc")
            found.append(replace(said, rolled_back_at=at, rolled_back=True))
        last[name] = row
    for said in entries:
        noted = last.get(said.name)
        marked = noted is not None and noted["operation"] == "mark"
        found.append(replace(said, steps=0) if marked else said)
    return found


def _when(row: Row) -> str:
    return row.text("created_at_utc")


TOOL = Tool(
    name="yoyo",
    history=HistoryTable(
        "_yoyo_migration",
        ("migration_hash", "migration_id", "applied_at_utc"),
        entry,
        log=Log("_yoyo_log", ("migration_id", "operation", "created_at_utc"), tell),
    ),
    in_code=InCode((".py",), "the SQL of its steps", of_code),
    keeps=(
        Kept(
            "_yoyo_log",
            (
                "id",
                "migration_hash",
                "migration_id",
                "operation",
                "username",
                "hostname",
                "comment",
                "created_at_utc",
            ),
        ),
        Kept("_yoyo_version", ("version", "installed_at_utc")),
        Kept("yoyo_lock", ("locked", "ctime", "pid")),
    ),
)
