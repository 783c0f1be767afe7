"""Rows of a database that another process reads: under the same snapshot, on the same server.

An exported snapshot can be imported for as long as the transaction that holds it stands, on the
server that exported it and on no other; past a pooler, whoever reads may meet another server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from forensics.errors import EvidenceError
from forensics.evidence import copytext
from forensics.evidence.encodings import transcoder
from forensics.evidence.live.connection import Connections
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.pages import condition, copy_of
from forensics.evidence.live.readers import Copying, Failure
from forensics.evidence.parts import Cut, Divisible
from forensics.evidence.source import Block, Segment
from forensics.model import TableName


def blocks_of(read: Callable[[int], bytes], encoding: str | None) -> Iterator[Block]:
    """Yield what a COPY answers, in blocks.

    Args:
        read: returns some of its bytes.
        encoding: the server's. SQL_ASCII is none: such a server hands out whatever bytes it holds.
    """
    convert = transcoder("SQL_ASCII") if encoding == "SQL_ASCII" else None
    for block in copytext.read_blocks(read):
        yield convert(block) if convert else block


class SentError(EvidenceError):
    """The database refused rows to whoever was sent them: `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


class Remote:
    """A database, as whoever was sent rows of it reaches it: by one session, for all of them.

    Args:
        connections: what the session is opened with.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lending: Lending | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_connections": self._connections, "_lending": None}

    @property
    def lending(self) -> Lending:
        """The session, lent."""
        if self._lending is None:
            self._lending = Lending(self._connections, _unheard)
        return self._lending

    def close(self) -> None:
        """End the session."""
        if self._lending:
            self._lending.close()
            self._lending = None


def _unheard(_: str) -> None:
    pass


@dataclass(frozen=True)
class Asked:
    """How rows are asked for.

    Attributes:
        tables: the tables that hold them, as SQL: one, or the leaves of a partitioned one.
        selected: the columns, as SQL.
        whole: how all of them are read.
        ranged: how those of a range of pages are; its statement is put in its place.
        encoding: the server's.
    """

    tables: tuple[str, ...]
    selected: str
    whole: Copying
    ranged: Copying
    encoding: str | None


class SentSegment(Segment, Divisible):
    """Rows of a table, or those on a range of its pages.

    Args:
        table: whose rows.
        columns: in order.
        remote: the database.
        asked: how they are asked for.
        cut: which of the tables, the first page, and the one behind the last; nothing for all.
    """

    def __init__(
        self,
        table: TableName,
        columns: Sequence[str],
        remote: Remote,
        asked: Asked,
        cut: Cut = (),
    ) -> None:
        super().__init__(table, columns)
        self._remote, self._asked, self._cut = remote, asked, cut

    def cuts(self, size: int) -> list[Cut]:
        return [self._cut]

    def part(self, cut: Cut) -> SentSegment:
        return SentSegment(self.table, self.columns, self._remote, self._asked, cut)

    def _task(self) -> Copying:
        if not self._cut:
            return self._asked.whole
        number, first, behind = self._cut
        where = condition(first, behind)
        how = self._asked.ranged if where else self._asked.whole
        table = self._asked.tables[number]
        return replace(how, statement=copy_of(self._asked.selected, table, where))

    def blocks(self) -> Iterator[Block]:
        with self._remote.lending.reader() as reader:
            answer = reader.copy_out(self._task())
            yield from blocks_of(answer.read, self._asked.encoding)
            if answer.failure:
                raise SentError(answer.failure)

    def abandon(self) -> None:
        self._remote.close()
