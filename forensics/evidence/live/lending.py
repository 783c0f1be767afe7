"""Sessions that copy rows out, lent to one thread at a time: as many as live gives."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from forensics.errors import LiveError
from forensics.evidence.live import readers
from forensics.evidence.live.connection import Connections
from forensics.evidence.live.readers import PsqlReader, PsycopgReader, Reader
from forensics.evidence.live.refusals import FULL
from forensics.text import plural

_WAITS_FOR_SLOT = (0.3, 1.0, 2.0)  # seconds


class Lending:
    """The readers of a database.

    Args:
        connections: what they are opened with.
        tell: takes a sentence that people should know.
        only: the reader there is, of a server that has no more sessions to give.
    """

    def __init__(
        self,
        connections: Connections,
        tell: Callable[[str], None],
        only: Reader | None = None,
    ) -> None:
        self._connections = connections
        self._tell = tell
        self._only = only
        self._readers: list[Reader] = []
        self._idle: list[Reader] = []
        # Readers that live has connections for, once it has refused one.
        self._most: int | None = 1 if only else None
        self._closed = False
        self._free = threading.Condition()
        self._making = threading.Lock()

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Lend a session to copy rows out with; it is kept for the next who asks.

        Raises:
            LiveError: there is none to be had.
        """
        lent = self._take()
        with self._lent(lent):
            yield lent

    @contextlib.contextmanager
    def spare(self) -> Iterator[Reader | None]:
        """Lend a session that is fast, where one is to be had at once; None where none is."""
        lent = self._take_spare()
        if lent is None:
            yield None
            return
        with self._lent(lent):
            yield lent if lent.takes_several else None

    @contextlib.contextmanager
    def _lent(self, lent: Reader) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # Whatever stands unread in its pipe belongs to a question that nobody waits for any
            # more.
            lent.close()
            raise
        finally:
            self._give_back(lent)

    def warm(self) -> None:
        """Open a session for whoever will ask first, if there is none yet and one can be had."""
        with self._making, contextlib.suppress(LiveError):
            if self._only or self._readers:
                return
            made = self._new_reader()
            if self._keep(made):
                self._give_back(made)

    def _give_back(self, lent: Reader) -> None:
        with self._free:
            if lent.usable:
                self._idle.append(lent)
            elif lent in self._readers:
                self._readers.remove(lent)
            self._free.notify()

    def _take(self) -> Reader:
        waits = iter(_WAITS_FOR_SLOT)
        while True:
            if idle := self._wait_for_idle():
                return idle
            try:
                with self._making:
                    if idle := self._idle_one():
                        return idle
                    made = self._new_reader()
            except LiveError as error:
                if error.sqlstate != FULL:
                    raise
                if self._make_do():
                    continue
                seconds = next(waits, None)
                if seconds is None:
                    raise
                time.sleep(seconds)
                continue
            if self._keep(made):
                return made

    def _take_spare(self) -> Reader | None:
        with self._free:
            if self._idle and not self._closed:
                return self._idle.pop()
        with self._making:
            with self._free:
                if self._must_wait() or self._closed:
                    return None
            with contextlib.suppress(LiveError):
                made = self._new_reader()
                return made if self._keep(made) else None
        return None

    def _wait_for_idle(self) -> Reader | None:
        """A reader that nobody uses, or None where one more may be made."""
        with self._free:
            while self._must_wait():
                self._free.wait(1)
            if self._closed:
                raise LiveError(
                    f"The {self._connections.role} database is not read any more: the run ends.",
                    "Go on with --resume.",
                )
            return self._idle.pop() if self._idle else None

    def _idle_one(self) -> Reader | None:
        with self._free:
            return self._idle.pop() if self._idle else None

    def _must_wait(self) -> bool:
        if self._idle or self._closed or self._most is None:
            return False
        return len(self._readers) >= self._most

    def _make_do(self) -> bool:
        """Whether there are readers to wait for, where live gives no more."""
        with self._free:
            number = len(self._readers)
            if not number:
                return False
            if self._most is None:
                verb = "is" if number == 1 else "are"
                self._tell(
                    f"The {self._connections.role} database gives no more than {number + 1} "
                    f"connections now; {number} {plural(number, 'table')} {verb} read at a time."
                )
            self._most = number
            return True

    def _keep(self, made: Reader) -> bool:
        """Whether a new reader can be used: not where all was closed meanwhile."""
        with self._free:
            if self._closed:
                made.close()
                return False
            self._readers.append(made)
            return True

    def _new_reader(self) -> Reader:
        if self._only:
            return self._only
        for program in readers.psql_programs():
            with contextlib.suppress(LiveError):
                return PsqlReader(program, self._connections.parameters, self._connections.role)
        return PsycopgReader(self._connections.connect())  # and where this fails too, it says why

    def close(self) -> None:
        """End all readers; whoever waits for one gets an error."""
        with self._free:
            self._closed = True
            ending, self._readers, self._idle = self._readers, [], []
            self._free.notify_all()
        for reader in ending:
            reader.close()
