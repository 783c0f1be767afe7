"""What the backup itself leaves open, said beside the counts."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.compare.findings.finding import Finding
from forensics.evidence.source import Source
from forensics.model import TableName, TableResult


def remarks(backup: Source) -> list[Finding]:
    """Return what is to be known of the backup's text besides damage."""
    nowhere = TableName("", "")
    return [Finding("about the backup", nowhere, text) for text in backup.remarks]


def rows_hidden(backup: Source, results: Sequence[TableResult]) -> list[Finding]:
    """Find tables of which row-level security may have hidden rows from the backup."""
    if not backup.row_security:
        return []
    found = []
    for result in results:
        table = backup.catalog.tables.get(result.name)
        if table is None or not table.row_security or result.backup_rows is None:
            continue
        text = (
            f"The backup's rows of {result.name} were read with row_security = on: its policies "
            f"may have hidden some. It holds {result.backup_rows:,}, and what is counted missing "
            "is at least so much."
        )
        found.append(Finding("rows hidden", result.name, text, None, None, result.backup_rows))
    return found
