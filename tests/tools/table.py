"""The table tool by column: what the matrix measures, and docs/tools.md shows.

`table.json` has a row for each tool: its version where it is run, null where it is read by its
published format alone. The matrix holds what it measures to it.
"""

from __future__ import annotations

import json
from pathlib import Path

COLUMNS = (
    "history",
    "order",
    "applied at",
    "edited",
    "failed",
    "rolled back",
    "baselined",
    "replay",
)
ROWS: dict[str, dict[str, str | None]] = json.loads(
    Path(__file__).with_name("table.json").read_text(encoding="utf-8")
)
RAN: dict[str, dict[str, str]] = {}
_NOT_RUN = "not run"


def wanted(name: str) -> dict[str, str | None]:
    """What a tool's row says of the columns."""
    return {column: ROWS[name][column] for column in COLUMNS}


def markdown() -> str:
    """The table of docs/tools.md."""
    lines = [_line(["tool", "version run", *COLUMNS]), _line(["---"] * (len(COLUMNS) + 2))]
    for name, row in ROWS.items():
        version = row["version"] or _NOT_RUN
        lines.append(_line([name, version, *(row[column] or "" for column in COLUMNS)]))
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def printed() -> list[str]:
    """What was run now, beside what was not, in columns."""
    rows = [["tool", "version", *COLUMNS]]
    for name, row in ROWS.items():
        found = RAN.get(name)
        if found is None:
            why = "not run now" if row["version"] else _NOT_RUN
            rows.append([name, row["version"] or "", why, *[""] * (len(COLUMNS) - 1)])
        else:
            rows.append([name, row["version"] or "", *(found[column] for column in COLUMNS)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
