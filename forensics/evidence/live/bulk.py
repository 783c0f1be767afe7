"""Many small tables out of one session, in one transaction and without waiting for each.

Their COPYs go to the server together. After each stands a line that no row can begin like, so
that the answers can be told apart. Nothing of an answer counts that did not come whole: those
tables are then read one by one, and it is said there what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from psycopg import sql

from forensics.evidence.encodings import transcoder
from forensics.evidence.live.pace import Read
from forensics.evidence.live.readers import Answer
from forensics.evidence.live.sql_files import query
from forensics.evidence.source import Block, Segment, Snapshot
from forensics.model import TableName

_READ_BYTES = 1 << 20
_MOST_BYTES = 16 << 20  # of all answers, held in memory
# A backslash stands in COPY text before another one, a point, N or a letter; in CSV for itself.
_END = "COPY (SELECT pg_catalog.chr(92) || ': {}') TO STDOUT CSV"
_ENDS = re.compile(rb"(?m)^\\: (\d+)\n")


class HeldSegment(Segment):
    """The rows of a small table, in memory."""

    def __init__(
        self, table: TableName, columns: Sequence[str], snapshot: Snapshot, rows: bytes
    ) -> None:
        super().__init__(table, columns)
        self.snapshot: Snapshot = snapshot
        self.held = True
        self._rows = rows

    def blocks(self) -> Iterator[Block]:
        if self._rows:
            yield self._rows


def statement_of(copies: Sequence[str]) -> str:
    """What psql is told, so that it sends all COPYs at once."""
    said = []
    for number, copy in enumerate(copies):
        said += [copy, _END.format(number)]
    return " \\; ".join(said)


def check_of(tables: Sequence[TableName]) -> str:
    """The SELECT that says whether rows of the snapshot are gone from any of some tables."""
    listed = [f"{sql.Literal(name.sql).as_string(None)}::pg_catalog.regclass" for name in tables]
    text = query("rewritten_any").replace("{tables}", ", ".join(listed))
    return text.replace("{number}", str(len(tables)))


def answers_of(answer: Answer, read: Read, number: int, encoding: str) -> list[bytes] | None:
    """Read the answers to so many COPYs; None where one did not come, or they are no small ones.

    Args:
        read: reads the answer, at whatever pace.
    """
    pieces, size = [], 0
    while piece := read(_READ_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_BYTES:
            return None
    if answer.failure:
        return None
    whole = b"".join(pieces)
    found: list[bytes] = []
    start = 0
    for end in _ENDS.finditer(whole):
        if int(end[1]) != len(found):
            return None
        found.append(whole[start : end.start()])
        start = end.end()
    if len(found) != number or start != len(whole):
        return None
    convert = None
    if encoding == "SQL_ASCII":
        convert = transcoder(encoding)  # it is no encoding: see LiveSegment
    if convert is None:
        return found
    return [bytes(convert(rows)) for rows in found]
