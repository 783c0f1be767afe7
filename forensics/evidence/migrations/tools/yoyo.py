"""yoyo: Python or SQL files, known by their names; the hash in its history is of the name."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Kept, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("migration_id", "applied_at_utc")


TOOL = Tool(
    name="yoyo",
    history=HistoryTable(
        "_yoyo_migration", ("migration_hash", "migration_id", "applied_at_utc"), entry
    ),
    in_code=InCode((".py",), "the SQL of its steps"),
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
