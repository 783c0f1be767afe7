"""Migration histories that are gone from live, or empty there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.compare.findings.finding import Finding
from forensics.model import TableResult
from forensics.text import counted

KIND = "migration history gone"


def histories_gone(results: Sequence[TableResult], renamed: Sequence[Finding]) -> Iterator[Finding]:
    """Find the histories of which live has no row.

    Their rows count in no sum, and their tool would run every migration again.

    Args:
        renamed: tables that go on under another name.
    """
    on_elsewhere = {finding.name for finding in renamed}
    for result in results:
        if not result.history or not result.backup_rows or result.name in on_elsewhere:
            continue
        if result.state == "dropped":
            became = "is gone from live"
        elif result.live_rows == 0:
            became = "is empty in live"
        else:
            continue
        rows = counted(result.backup_rows, "row")
        text = (
            f"The migration history {result.name}, {rows} in the backup, {became}: its tool would "
            "run every migration again. It counts in no sum; cause says whether the schema was "
            "rebuilt."
        )
        yield Finding(KIND, result.name, text, None, result.missing, result.backup_rows)
