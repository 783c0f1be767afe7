"""Rows of a table that a statement of one's own copies out, and answers to questions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.evidence.live.source import LiveSegment, LiveSource
from forensics.evidence.source import Snapshot
from forensics.model import TableName


class AskedSegment(LiveSegment):
    """What a COPY statement answers with, read as a table is: read-only, under the snapshot.

    Args:
        source: the database.
        table: which it is about, for messages.
        columns: what its lines hold, in order.
        statement: the COPY.
        snapshot: that it is to be read under; where it is gone, reading fails.
        settings: of the transaction, beside those of all.
    """

    is_table = False

    def __init__(
        self,
        source: LiveSource,
        table: TableName,
        columns: Sequence[str],
        statement: str,
        snapshot: Snapshot,
        settings: Mapping[str, str],
    ) -> None:
        super().__init__(source, table, columns)
        self.snapshot = snapshot
        self.settings = settings
        self._statement = statement

    def statement(self) -> str:
        """The COPY that reads it."""
        return self._statement

    def answer(self) -> str:
        """All of it, as text.

        Raises:
            LiveError: the database refused, or was lost.
        """
        return b"".join(map(bytes, self.blocks())).decode("utf-8")
