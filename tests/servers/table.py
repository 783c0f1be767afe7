"""What a matrix found, as text: a line for each of one kind, a column for each of the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

_KEPT = Path(__file__).with_name("table.json")


class Table:
    """Marks by line and column.

    Args:
        corner: what stands above the lines' names.
        columns: in order.
    """

    def __init__(self, corner: str, columns: Sequence[str]) -> None:
        self._corner = corner
        self._columns = list(columns)
        self._lines: dict[str, dict[str, str]] = {}

    @classmethod
    def kept(cls, name: str) -> Table:
        """What docs/tools.md shows: the table of that name in `table.json`."""
        kept = json.loads(_KEPT.read_text(encoding="utf-8"))[name]
        found = cls(kept["corner"], kept["columns"])
        found._lines = kept["lines"]
        return found

    @property
    def marks(self) -> Mapping[str, Mapping[str, str]]:
        """By line, its marks."""
        return self._lines

    def differing(self, kept: Table) -> list[str]:
        """What was run now and is kept otherwise."""
        found = []
        for line, marks in self._lines.items():
            for column, text in marks.items():
                known = kept.marks.get(line, {}).get(column)
                if known not in (None, text, f"{text}, inserts"):
                    found.append(f"{line}, {column}: {text} and not {known}")
        return found

    def mark(self, line: str, column: str, text: str) -> None:
        """Set one mark; what is never set was not run."""
        self._lines.setdefault(line, {})[column] = text

    def text(self) -> str:
        """The table, as Markdown has it."""
        rows = [[self._corner, *self._columns], ["---"] * (1 + len(self._columns))]
        for name, marks in self._lines.items():
            rows.append([name, *(marks.get(c, "not run") for c in self._columns)])
        widths = []
        for at in range(len(rows[0])):
            widths.append(max(len(row[at]) for row in rows))
        lines = []
        for row in rows:
            cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)
