"""What a matrix found, as text: a line for each of one kind, a column for each of the other."""

from __future__ import annotations

from collections.abc import Sequence


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
