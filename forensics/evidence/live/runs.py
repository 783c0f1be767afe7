"""Runs of a large table's pages, read by several sessions at once, and handed on in their order.

COPY writes a table's rows in the order of their ctid, so runs of pages, one behind the other, are
the same rows in the same order. The last one has no end: what stands behind the page that was the
last when it was asked for is in it. Each run is a transaction of its own under the one snapshot,
and is told by itself whether its rows are gone.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from forensics.errors import LiveError
from forensics.evidence.beside import cores
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.pages import OPEN_END, condition, step_of
from forensics.evidence.live.readers import Reader
from forensics.evidence.source import Block

_RUN_BYTES = 8 << 20
_LEAST_BYTES = 64 << 20  # of a table, of which runs are read by several
_HERE = ("localhost", "127.0.0.1", "::1")
_RESUME = "Go on with --resume."
_HELD_BYTES = 32 << 20  # of rows that came before their turn

ReadRun = Callable[[Reader, int], Iterator[Block]]


def most_sessions(jobs: int, host: str) -> int:
    """How many sessions may read one table at a time.

    A server on this machine leaves one of its cores to whoever looks at the rows; of two there is
    none to spare.

    Args:
        jobs: how many sessions may read at all.
        host: where the server is, or the folder of its socket.
    """
    is_here = host.startswith(("/", "@")) or host in _HERE
    return max(1, min(jobs, cores() - is_here))


@dataclass(frozen=True)
class Runs:
    """The runs of a table of so many pages, each of `step` pages but for the last."""

    pages: int
    step: int

    @classmethod
    def of(cls, pages: int, size: int) -> Runs | None:
        """The runs of a table, or None where it is not worth the while.

        Args:
            size: its bytes, with those of its long values.
        """
        if size < _LEAST_BYTES:
            return None
        found = cls(pages, step_of(pages, size, _RUN_BYTES))
        return found if found.number > 1 else None

    @property
    def number(self) -> int:
        """How many there are."""
        return -(-self.pages // self.step)

    def condition(self, run: int) -> str:
        """What holds of the rows of a run, in SQL."""
        behind = OPEN_END
        if run < self.number - 1:
            behind = (run + 1) * self.step
        return condition(run * self.step, behind)


class Crew:
    """The sessions that read rows of a database, of all tables together; and how many more may.

    Args:
        most: that may read at a time. Whoever has a table to read is let in all the same, and those
            who help with another's leave.
        lending: lends them.
    """

    def __init__(self, most: int, lending: Lending) -> None:
        self.most = most
        self._lending = lending
        self._number = 0
        self._busy = threading.Lock()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """One more table is read."""
        with self._busy:
            self._number += 1
        try:
            yield
        finally:
            self.leave()

    def help(self) -> bool:
        """Whether one more may help, who is then counted until it leaves."""
        with self._busy:
            if self._number >= self.most:
                return False
            self._number += 1
            return True

    def leave(self) -> None:
        """One who read reads no more."""
        with self._busy:
            self._number -= 1

    @property
    def is_full(self) -> bool:
        """Whether somebody who helps is to leave."""
        return self._number > self.most

    def together(self, number: int, read: ReadRun, *, alone: bool) -> Together:
        """What reads so many runs of a table; `alone` is whether nobody helps with the first."""
        return Together(number, read, self._lending, self, alone=alone)


class _StoppedError(Exception):
    """Nobody takes any more rows."""


class Together:
    """Reads the runs of one table; what comes before its turn is held, up to some bytes.

    Whoever reads has a session first, and takes the next run then: the run whose turn it is has
    somebody who reads it, however few sessions there are.

    Args:
        number: of runs.
        read: reads one of them, through a session.
        lending: lends sessions.
        crew: says how many may help.
        alone: whether nobody helps with the first one.
    """

    def __init__(
        self, number: int, read: ReadRun, lending: Lending, crew: Crew, *, alone: bool
    ) -> None:
        self._number, self._read = number, read
        self._lending, self._crew, self._alone = lending, crew, alone
        self._changed = threading.Condition()
        self._next = 0  # that nobody has taken yet
        self._turn = 0
        self._held: dict[int, deque[Block | None]] = {}  # a run ends with None
        self._bytes = 0
        self._error: BaseException | None = None
        self._stopped = False
        self._refused = False  # whether no more sessions were to be had
        self._readers: list[Reader] = []
        self._threads: list[threading.Thread] = []

    def blocks(self) -> Iterator[Block]:
        """Yield the rows of all runs in order.

        Raises:
            LiveError: the database refused, or was lost.
        """
        try:
            self._begin(self._lending.reader, helps=False)
            while self._turn < self._number:
                if self._turn or not self._alone:
                    self._ask_for_help()
                while (block := self._take()) is not None:
                    yield block
                with self._changed:
                    self._turn += 1
                    self._changed.notify_all()
        finally:
            self.abandon()
            for thread in self._threads:
                thread.join()

    def abandon(self) -> None:
        """Let go of what the sessions wait for."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            reading = list(self._readers)
        for reader in reading:
            reader.close()

    # --- who reads --------------------------------------------------------------------------------

    def _ask_for_help(self) -> None:
        while self._next < self._number and not self._refused and self._crew.help():
            self._begin(self._lending.spare, helps=True)

    def _begin(
        self, lend: Callable[[], contextlib.AbstractContextManager[Reader | None]], *, helps: bool
    ) -> None:
        thread = threading.Thread(target=self._work, args=(lend, helps), name="pages", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(
        self, lend: Callable[[], contextlib.AbstractContextManager[Reader | None]], helps: bool
    ) -> None:
        try:
            with lend() as reader:
                if reader is None:
                    self._refused = True
                else:
                    self._read_with(reader, helps)
        except _StoppedError:
            pass
        except BaseException as error:  # handed to the thread that waits for rows
            with self._changed:
                self._error = self._error or error
                self._changed.notify_all()
        finally:
            if helps:
                self._crew.leave()

    def _read_with(self, reader: Reader, helps: bool) -> None:
        run = self._run_for(reader, helps)
        while run is not None:
            for block in self._read(reader, run):
                self._put(run, block)
            self._put(run, None)
            run = self._run_for(reader, helps)

    def _run_for(self, reader: Reader, helps: bool) -> int | None:
        """The next run, or None where there is no more for this session."""
        with self._changed:
            if reader in self._readers:
                self._readers.remove(reader)
            if self._stopped or self._next == self._number or (helps and self._crew.is_full):
                return None
            self._readers.append(reader)
            run = self._next
            self._next += 1
            self._held[run] = deque()
            return run

    # --- rows -------------------------------------------------------------------------------------

    def _put(self, run: int, block: Block | None) -> None:
        with self._changed:
            held = self._held[run]
            while not self._stopped and self._bytes > _HELD_BYTES:
                if run == self._turn and not held:
                    break
                self._changed.wait()
            if self._stopped:
                raise _StoppedError
            held.append(block)
            self._bytes += len(block or b"")
            self._changed.notify_all()

    def _take(self) -> Block | None:
        """The next block of the run whose turn it is, or None at its end."""
        with self._changed:
            while not (self._error or self._stopped or self._held.get(self._turn)):
                self._changed.wait()
            if self._error:
                raise self._error
            if self._stopped:
                raise LiveError("The rows are not read any more: the run ends.", _RESUME)
            block = self._held[self._turn].popleft()
            self._bytes -= len(block or b"")
            self._changed.notify_all()
            return block
