"""Segments whose rows are held against what their columns can be before they are handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.evidence.columns import Check
from forensics.evidence.flaws import Judge
from forensics.evidence.source import Segment
from forensics.model import TableName


class JudgedSegment(Segment):
    """Rows of a dump, each of which is looked at before it is handed on.

    Args:
        table: whose rows.
        columns: what stands in a row, in order.
        checks: by column, the name of its type and what tells values that this cannot hold.
    """

    def __init__(
        self,
        table: TableName,
        columns: Sequence[str],
        checks: Mapping[str, tuple[str, Check]],
    ) -> None:
        super().__init__(table, columns)
        self._checks = {c: checks[c] for c in self.columns if c in checks}

    def judge(self, lines: Sequence[bytes]) -> None:
        if not self._checks or not lines:
            return
        judge = Judge(self.columns, self._checks)
        for _ in judge.sound([b"\n".join(lines) + b"\n"]):
            pass
        if judge.flaws.first is None:
            return
        self.thorough = True
        for _ in self.blocks():
            pass  # what it raises names the place
