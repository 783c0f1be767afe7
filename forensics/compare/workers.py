"""The threads that compare tables: several at a time, patiently, and stopped at once."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from forensics.compare.batches import in_batches
from forensics.compare.comparison import Bench, Comparison, Job
from forensics.compare.engines.duckdb import DuckDB
from forensics.compare.engines.few import Few
from forensics.compare.failures import is_foreseen, reason
from forensics.compare.ledger import Ledger
from forensics.compare.options import Listener, Options
from forensics.compare.preparation import Preparation
from forensics.compare.wire.choice import Wire
from forensics.errors import ClusterError, DamagedBackupError, EmptyBackupError, LiveError
from forensics.evidence.beside import beside
from forensics.model import TableName, TableResult, Unsound
from forensics.store import Store

if TYPE_CHECKING:
    from forensics.compare.cluster.reduced import Ahead
    from forensics.compare.cluster.session import Session

# Seconds before a table is tried again whose query a standby cancelled.
_WAITS = (0.2, 1.0, 3.0)
_POLL = 0.5  # seconds


class _Lost(Exception):  # noqa: N818 - it is caught where it is raised for
    """A database is lost: `first` is what the table met, `error` what it means for all of them."""

    def __init__(self, first: LiveError, error: LiveError) -> None:
        super().__init__(str(error))
        self.first, self.error = first, error


class Workers:
    """Threads that compare tables, each with a bench of its own. Use it as a context manager.

    Args:
        ready: both sources.
        store: the case, open for writing.
        options: what is asked for.
        listener: is told how far they are.
        spark: a session of it, to reduce tables with.
    """

    def __init__(
        self,
        ready: Preparation,
        store: Store,
        options: Options,
        listener: Listener,
        spark: Session | None = None,
    ) -> None:
        self._ready, self._store = ready, store
        self._options, self._listener = options, listener
        self._free: SimpleQueue[Bench] = SimpleQueue()
        self._benches: list[Bench] = []
        self._stopped = threading.Event()
        self._coming: Future[None] | None = None
        self._ledger = Ledger(store.connection.cursor())
        self._ahead = self._on_spark(spark) if spark else None
        self._wire = Wire(
            options.wire,
            ready.live,
            store.folder,
            verify=options.verify,
            nice=options.nice,
            tell=listener.minds,
        )

    def _on_spark(self, session: Session) -> Ahead:
        from forensics.compare.cluster.reduced import Ahead
        from forensics.compare.cluster.reducer import Reducer

        folder, jobs = self._store.folder, self._options.sessions
        return Ahead(Reducer(session, folder, jobs, self._listener.minds))

    def __enter__(self) -> Workers:
        sessions = 1 if self._ahead else self._options.sessions
        for number in range(sessions):
            cursor = self._store.connection.cursor()
            engine = Few(DuckDB(cursor, number))
            bench = Bench(cursor, engine, self._ledger, self._wire, self._ahead)
            self._benches.append(bench)
            self._free.put(bench)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ledger.write()
        finally:
            self._store.look_again()
            self._ledger.close()
            for bench in self._benches:
                if not self._stopped.is_set():
                    bench.engine.close()
                bench.cursor.close()

    def run(self, jobs: Sequence[Job]) -> None:
        """Compare tables, and record each, until all are done or a database is lost.

        Raises:
            LiveError: a database was lost.
        """
        ended: SimpleQueue[Future[None]] = SimpleQueue()
        # Even one table at a time is compared in a thread: this one waits, and so a Ctrl-C finds it
        # at once.
        with ThreadPoolExecutor(len(self._benches), thread_name_prefix="compare") as pool:
            try:
                batches = in_batches(jobs, self._ready.contents)
                for batch, following in pairwise([*batches, []]):
                    pool.submit(self._run, batch, following).add_done_callback(ended.put)
                for _ in batches:
                    self._next(ended).result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    def _next(self, ended: SimpleQueue[Future[None]]) -> Future[None]:
        """What ends next; results do not wait for it to be recorded."""
        while True:
            try:
                return ended.get(timeout=_POLL)
            except Empty:
                if self._ledger.is_due:
                    self._ledger.write()

    def _stop(self) -> None:
        """Have the threads end at once, with nothing of theirs recorded.

        What they wait for is taken from them.
        """
        self._stopped.set()
        if self._ahead:
            self._ahead.stop()
        self._ready.live.close()
        self._ready.backup.close()
        for bench in self._benches:
            bench.cursor.interrupt()

    def _run(self, jobs: Sequence[Job], following: Sequence[Job]) -> None:
        """Compare some tables, one after another; have those that follow read meanwhile."""
        if self._stopped.is_set():
            return
        bench = self._free.get()
        try:
            if self._ahead:
                self._reduce(jobs, self._ahead)
            else:
                self._read_ahead(jobs, following)
            for job in jobs:
                if self._stopped.is_set():
                    return
                self._run_one(job, bench)
                self._ready.let_go(job.name)
                if self._ahead:
                    self._ahead.let_go(job.name)
                if self._ledger.is_due:
                    self._ledger.write()
        finally:
            self._free.put(bench)

    def _read_ahead(self, jobs: Sequence[Job], following: Sequence[Job]) -> None:
        """Have the rows of small tables at hand.

        While these are compared the next ones may come, where the session that reads has nothing
        else to do: no further one is opened for it.
        """
        coming, self._coming = self._coming, None
        if coming:
            coming.result()
        elif len(jobs) > 1:
            self._ready.read_ahead(_names(jobs))
        if self._options.sessions > 1 or self._options.nice or len(following) < 2:
            return
        if len(jobs) > 1 and self._ready.holds(_names(jobs)):
            names = _names(following)
            self._coming = beside(lambda: self._ready.read_ahead(names), "ahead")

    def _reduce(self, jobs: Sequence[Job], ahead: Ahead) -> None:
        """Have Spark reduce some tables together; who compares one meets again what is amiss."""
        from forensics.compare.cluster.reducer import Item

        items = {}
        for job in jobs:
            held = self._ready.contents.get(job.name)
            if not (job.backup and job.live and held and held.data):
                continue
            with suppress(Exception):
                _, columns = self._ready.plan(job.backup, job.live)
                key = self._ready.key(job.backup, job.live, columns).columns
                items[job.name] = Item(self._ready.sides(job.backup, job.live, columns), key)
        if not items:
            return
        try:
            ahead.reduce(items)
        except ClusterError:
            raise
        except Exception:  # noqa: S110 - each is reduced by itself then, and fails by itself
            pass

    def _run_one(self, job: Job, bench: Bench) -> None:
        comparison = Comparison(job, self._ready, bench, self._options, self._listener)
        lost: LiveError | ClusterError | None = None
        result: TableResult | None
        try:
            result = self._patiently(comparison, bench)
        except _Lost as loss:
            lost = loss.error
            result = self._failure(comparison, loss.first)
        except ClusterError as error:
            lost = error
            result = self._failure(comparison, error)
        except Exception as error:
            result = self._failure(comparison, error)
        finally:
            self._tidy(bench)
        if result is None:
            return
        self._tell(result)
        if lost:
            raise lost  # the other tables would only fail for the same reason

    def _failure(self, comparison: Comparison, error: Exception) -> TableResult | None:
        """Record that a table failed, unless the threads were told to end.

        It is said of this table only; the run as a whole then ends with 2.
        """
        if self._stopped.is_set():
            return None
        if not is_foreseen(error) and os.environ.get("FORENSICS_DEBUG"):
            raise error
        said = reason(error, "compare", self._store.folder)
        return comparison.failed(said, unsound=_unsound(error))

    def _tidy(self, bench: Bench) -> None:
        """Make a bench ready for the next table."""
        if not self._stopped.is_set():
            bench.engine.clean()

    def _tell(self, result: TableResult) -> None:
        for side in (self._ready.backup, self._ready.live):
            for text in side.news():
                self._listener.minds(text)
        self._listener.ends(result)

    def _patiently(self, comparison: Comparison, bench: Bench) -> TableResult:
        """Compare a table; begin again where a standby has to replay.

        It cancels the query then, or ends the snapshot.
        """
        for seconds in (*_WAITS, None):
            try:
                return comparison.run()
            except LiveError as error:
                if not self._may_recover(error):
                    raise
                if seconds is None or self._stopped.wait(seconds):
                    raise
                bench.engine.clean()
        raise AssertionError("not reached")

    def _may_recover(self, error: LiveError) -> bool:
        """Whether a table may be tried again.

        Raises:
            _Lost: a database is lost.
        """
        try:
            live = self._ready.live.recovers(error)
            backup = self._ready.backup.recovers(error)
        except LiveError as lost:
            raise _Lost(error, lost) from error
        return live or backup


def _names(jobs: Sequence[Job]) -> list[TableName]:
    return [job.name for job in jobs]


def _unsound(error: Exception) -> Unsound | None:
    """Why the backup's rows are to blame for an error; None where they are not."""
    if isinstance(error, DamagedBackupError):
        return "damaged"
    if isinstance(error, EmptyBackupError):
        return "left out"
    return None
