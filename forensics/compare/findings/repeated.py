"""Keys that a backup holds more than once."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.compare.findings.finding import Finding
from forensics.model import TableResult
from forensics.text import counted, listed


def repeated_keys(results: Sequence[TableResult]) -> list[Finding]:
    """Find tables whose backup cannot be restored as it is: its key would refuse it."""
    found = []
    for result in results:
        if not result.repeated:
            continue
        text = (
            f"The backup holds {counted(result.repeated, 'row')} of {result.name} under a key "
            f"({listed(result.key)}) that another of its rows has, as where an index was damaged: "
            "restoring it stops at that key. They count neither as missing nor as unchanged."
        )
        rows, of = result.repeated, result.backup_rows
        found.append(Finding("repeated key", result.name, text, rows=rows, of=of))
    return found
