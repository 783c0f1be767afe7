"""Rows through the session that holds the snapshot, of a server that has no other.

PGlite is PostgreSQL in one process with one session: whoever else connects waits until the
transaction that holds the snapshot has ended.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from typing import IO

import psycopg

from forensics.evidence.live.readers import LOST, Answer, Copying, Failure, Reader
from forensics.evidence.live.refusals import failure_of
from forensics.evidence.live.snapshot import HeldSnapshot

_IN_MEMORY = 8 << 20


class HeldReader(Reader):
    """Copies rows out within the transaction that holds the snapshot.

    An answer is taken whole before it is read: questions may be asked meanwhile.
    """

    def __init__(self, held: HeldSnapshot) -> None:
        self._held = held

    def copy_out(self, task: Copying) -> Answer:
        return _HeldAnswer(self._held, task)

    def close(self) -> None:
        self.usable = False


class _HeldAnswer(Answer):
    def __init__(self, held: HeldSnapshot, task: Copying) -> None:
        self._rows: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="forensics-rows-")
        try:
            held.copy(task.statement, self._rows)
        except psycopg.Error as error:
            self._fail(failure_of(error))
        self._rows.seek(0)

    def _fail(self, why: Failure) -> None:
        self.failure = Failure(why.words, why.state or LOST)
        with suppress(OSError):
            self._rows.truncate(0)

    def read(self, size: int) -> bytes:
        return self._rows.read(size)
