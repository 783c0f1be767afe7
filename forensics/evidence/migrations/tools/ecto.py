"""Ecto: Elixir files, known by their number."""

from __future__ import annotations

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.tool import HistoryTable, InCode, Tool


def entry(row: Row) -> HistoryEntry:
    return row.named("version", "inserted_at")


TOOL = Tool(
    name="Ecto",
    history=HistoryTable("schema_migrations", ("version", "inserted_at"), entry, also=()),
    in_code=InCode((".exs",), "mix ecto.migrate --log-migrations-sql"),
)
