"""pgroll: operations as JSON or YAML, which its history keeps.

Source: `pkg/state/init.sql` of pgroll. A migration that is begun and not completed has both
versions of the schema beside each other. Only those that are SQL by themselves are read.
"""

from __future__ import annotations

import json

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, Tool

_BASELINES = ("baseline", "inferred")


def entry(row: Row) -> HistoryEntry:
    return HistoryEntry(
        row.tool,
        row.table,
        row.text("name"),
        applied_at=row.time("created_at"),
        steps=0 if row.text("migration_type") in _BASELINES else None,
        failed=not row.true("done"),
        sql=_sql(row.text("migration")),
    )


def _sql(migration: str) -> str | None:
    """What its operations run, where each of them is SQL; else None."""
    found = ""
    for operation in json.loads(migration or "{}").get("operations") or ():
        said = operation.get("sql")
        if not isinstance(said, dict) or not said.get("up"):
            return None
        found += f"{said['up'].rstrip().rstrip(';')};\n"
    return found or None


TOOL = Tool(
    name="pgroll",
    history=HistoryTable(
        "migrations",
        ("schema", "name", "migration", "created_at", "done"),
        entry,
        apart=True,
        schema="pgroll",
        optional=("migration_type",),
    ),
)
