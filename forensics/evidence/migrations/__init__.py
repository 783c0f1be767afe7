"""Migrations: the files of a folder, and the history table that says which of them ran.

What is known of a tool stands in its file in `tools/`: how it lays out its folder, in which order
it runs its files, what its history table holds, which checksum it notes. Files are parsed with
PostgreSQL's own parser, and only when their statements are asked for. Nothing is executed.
"""

from forensics.evidence.migrations.code import Unread, in_force
from forensics.evidence.migrations.entries import HistoryEntry
from forensics.evidence.migrations.folders import MigrationFolder, read_folder
from forensics.evidence.migrations.history import (
    APART,
    histories,
    history_of,
    is_history,
    lies_with_tables,
    read_history,
)
from forensics.evidence.migrations.migration import Migration, kept_by
from forensics.evidence.migrations.shapes import moment, numbers
from forensics.evidence.migrations.statements import (
    NOT_UNDERSTOOD,
    Statement,
    parse_statements,
    read_statements,
)

__all__ = [
    "APART",
    "NOT_UNDERSTOOD",
    "HistoryEntry",
    "Migration",
    "MigrationFolder",
    "Statement",
    "Unread",
    "histories",
    "history_of",
    "in_force",
    "is_history",
    "kept_by",
    "lies_with_tables",
    "moment",
    "numbers",
    "parse_statements",
    "read_folder",
    "read_history",
    "read_statements",
]
