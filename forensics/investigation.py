"""Makes a case: both sides in, the stages in order, resumable."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from forensics.case.facade import Case
from forensics.case.waiting import waiting
from forensics.compare.cluster.choice import spark
from forensics.compare.early import telling_early
from forensics.compare.failures import is_foreseen
from forensics.compare.failures import reason as reason_of
from forensics.compare.feeding import single_handed
from forensics.compare.findings import find as find_findings
from forensics.compare.options import Listener, Options
from forensics.compare.overwritten import find_overwritten
from forensics.compare.overwritten.rule import Rule
from forensics.compare.tables import compare_sources
from forensics.documents import plain
from forensics.errors import CaseError, EvidenceError, LiveError, OutdatedError, UsageError
from forensics.evidence import Source, open_both, open_source, sides_of
from forensics.evidence.beside import beside, cores
from forensics.evidence.migrations import histories
from forensics.evidence.unread import unread
from forensics.loss import assess, not_assessed
from forensics.model import Catalog, TableName
from forensics.store import Store, catalogs_text, exists, interruptible, remove
from forensics.text import counted, listed

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_TRIES = 4
# Of both sides, and of a dump: up to so much one thread is quicker.
_FEW_ROWS, _FEW_BYTES = 1_000_000, 64 << 20
_MOST_THREADS = 2  # that conclude
_ANEW = "Table {} of live is not what it was when it was compared: it is compared anew."
_EDITS = "The backup holds statements that change its rows and are not taken into account: {} …"

_Answer = TypeVar("_Answer")


def compare(
    backup: str | Path | Engine | URL,
    live: str | Path | Engine | URL | Sequence[str | Engine | URL],
    case: str | Path,
    *,
    options: Options | None = None,
    times: Mapping[str, datetime | None] | None = None,
    listener: Listener | None = None,
    force: bool = False,
    stages: Collection[str] | None = None,
    wire: str | None = None,
) -> Case:
    """Compare a backup with a live database, table by table, into a case.

    Args:
        backup, live: paths to dumps, or anything that libpq takes; or an engine or URL of
            SQLAlchemy's. Of live also several databases, shards whose rows are taken together.
        case: the folder to write; it must not hold a case yet, unless `options.resume` or `force`.
        options: which tables, by which keys, how many at a time, and whether to go on where a run
            ended.
        times: "backup_at" and "incident_at", where the evidence does not say.
        listener: is told how far it is; a notebook's cell shows it where nobody else is told.
        force: replace a case that is there.
        stages: which of `STAGES` follow the comparison of the tables; None is all of them.
        wire: "auto", "full" or "low", in place of what the options say of it.

    Returns:
        The case, open for reading. `case.complete` says whether every table of the backup was
        compared.

    Raises:
        UsageError, EvidenceError, CaseError, ClusterError: the question, a side, the case, or Spark
            is at fault.
    """
    options = options or Options()
    if wire is not None:
        options = replace(options, wire=wire)
    times = times or {}
    databases = sides_of(live)
    folder = Path(case)
    _expect_room(folder, options, force)
    _expect_order(times)
    limits: dict[str, Any] = {
        "lock_timeout": options.lock_timeout,
        "statement_timeout": options.statement_timeout,
        "max_row": options.longest_row,
        "rate": options.rate,
        "jobs": options.sessions,
    }
    with (
        interruptible(),
        spark(options) as session,
        waiting() as cell,
        telling_early(backup, databases[0], options, listener or cell, limits) as is_open,
        open_both(backup, databases, database=options.database, **limits) as (ours, theirs),
    ):
        is_open()
        listener = listener or cell or Listener()
        if exists(folder) and force and not options.resume:
            remove(folder)
        ours.adopt(theirs.catalog)
        # Opening the case takes its lock: a second process is refused before it has asked live
        # anything.
        store = Store(folder, write=True, memory=options.memory)
        try:
            little = _is_little(ours, theirs)
            with single_handed(store.connection, little=little):
                for name in _begin(store, ours, theirs, options, times):
                    listener.minds(_ANEW.format(name))
                _say_what_is_unread(ours, theirs, listener)
                compare_sources(ours, theirs, store, options, listener, session)
                rule = Rule(options.overwritten_rows, options.overwritten_share)
                threads = _threads(options, little=little)
                _Conclusion(store, ours, theirs, listener, rule, threads).run(stages)
            known = store.known()  # of thousands of tables it takes long to read again
        finally:
            store.close()
    found = Case(folder, known)
    found.catalogs = ours.catalog, theirs.catalog
    found.write_summary()
    if _is_wanted("loss", stages):
        found.write_loss()
    return found


def _is_wanted(stage: str, stages: Collection[str] | None) -> bool:
    return stages is None or stage in stages


def _is_little(backup: Source, live: Source) -> bool:
    """Whether both sides seem to be small. It is a guess, and only time depends on it."""
    rows = 0
    for side in (backup, live):
        for table in side.catalog.roots:
            rows += max(table.rows_estimate, 0)
    return rows <= _FEW_ROWS and (backup.identify().bytes or 0) <= _FEW_BYTES


def _threads(options: Options, *, little: bool) -> int:
    """How many threads conclude. Of much, each statement of DuckDB's takes every core by itself."""
    return min(_MOST_THREADS, cores()) if little and not options.nice else 1


def _expect_room(folder: Path, options: Options, force: bool) -> None:
    if exists(folder) and not options.resume and not force:
        raise CaseError(
            f"There is a case in {folder} already.",
            "Go on with it by --resume, replace it with --force, or choose another folder.",
        )


def _expect_order(times: Mapping[str, datetime | None]) -> None:
    backup_at, incident_at = times.get("backup_at"), times.get("incident_at")
    if backup_at and incident_at and incident_at < backup_at:
        raise UsageError(
            f"The incident ({incident_at}) is said to be before the backup ({backup_at}).",
            "Check --backup-at and --incident-at.",
        )


def _say_what_is_unread(backup: Source, live: Source, listener: Listener) -> None:
    for side in (backup, live):
        for sentence in unread(side.unreadable()):
            listener.minds(sentence)
    if backup.edits:
        listener.minds(_EDITS.format(backup.edits[0]))


# --- begin: where a case comes from ---------------------------------------------------------------


def _begin(
    store: Store,
    backup: Source,
    live: Source,
    options: Options,
    times: Mapping[str, datetime | None],
) -> list[TableName]:
    """Record where a case comes from; return the tables whose results are to be found again."""
    before = store.get("evidence")
    outdated: list[TableName] = []
    if options.resume and before:
        _expect_same(store, before, backup, live)
        outdated = _outdated(store, live.catalog)
    asked = beside(lambda: (live.activity(), live.making()), "facts")
    facts: dict[str, Any] = {
        "evidence": {"backup": plain(backup.identify()), "live": plain(live.identify())},
        "ddl": list(backup.statements()),
        "damage": backup.damage,
        "begun_at": datetime.now(UTC),
        "ended_at": None,
        "wishes": {"are": options.junctions, "are_not": options.not_junctions},
    }
    for name, at in times.items():
        if at is not None:
            facts[name] = at
    catalogs = catalogs_text(backup.catalog, live.catalog)
    facts["activity"], making = asked.result()
    facts["making"] = {"backup": backup.object_ids(), "live": making}
    with store.transaction():  # a case that says where it came from says the rest too
        store.put_text("catalogs", catalogs)
        for name, value in facts.items():
            store.put(name, value)
        for table in outdated:
            store.forget(table)
    return outdated


def _expect_same(store: Store, before: Mapping[str, Any], backup: Source, live: Source) -> None:
    if not _is_the_same(before["backup"], plain(backup.provenance)):
        raise _another(store, "backup")
    if not _is_the_same(before["live"], plain(live.provenance)):
        is_database = before["live"]["kind"] == "database"
        raise _another(store, "live database" if is_database else "live side")


def _is_the_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a side is the one that a case was begun with.

    A database may be reached by another host or role.
    """
    if "database" in (before["kind"], now["kind"]):
        return (before["kind"], before["database"]) == (now["kind"], now["database"])
    # A run that was killed early had not come to the hash yet: the size has to do then.
    told = "sha256" if before["sha256"] else "bytes"
    return bool(before[told] == now[told])


def _another(store: Store, side: str) -> CaseError:
    return CaseError(
        f"Case {store.folder} was begun with another {side}.",
        "Resume it with the same one, or choose another folder.",
    )


def _outdated(store: Store, live: Catalog) -> list[TableName]:
    """The compared tables that live has dropped, made or altered since."""
    _, before = store.catalogs()
    found = []
    for result in store.results():
        if _shape(before, result.name) != _shape(live, result.name):
            found.append(result.name)
    return found


def _shape(catalog: Catalog, name: TableName) -> object:
    table = catalog.tables.get(name)
    return table and (table.kind, table.columns, table.keys)


# --- conclude: what later stages need -------------------------------------------------------------


STAGES = {
    "findings": "looking at what counts do not say",
    "overwritten": "looking for overwritten values",
    "history": "reading the migrations' histories",
    "loss": "classifying the missing links",
}


class _Conclusion:
    """Keeps what later stages need of the two sides while they are open.

    What was overwritten is looked for in the case alone, and so beside what follows: only the end
    of the loss needs it.

    Args:
        store: the case, with every table compared.
        backup, live: both sides, open.
        listener: is told which stage begins.
        rule: what is a destruction of values.
        threads: how many may be at work.
    """

    def __init__(
        self,
        store: Store,
        backup: Source,
        live: Source,
        listener: Listener,
        rule: Rule,
        threads: int,
    ) -> None:
        self._store, self._backup, self._live = store, backup, live
        self._listener, self._rule, self._threads = listener, rule, threads
        self._overwritten: list[Future[str | None]] = []

    def run(self, wanted: Collection[str] | None) -> None:
        """Run the stages that are wanted, and say that it ended."""
        store = self._store
        reasons: dict[str, str | None] = {}
        with ThreadPoolExecutor(1, thread_name_prefix="conclude") as pool:
            for name, words in STAGES.items():
                if not _is_wanted(name, wanted):
                    continue
                self._listener.stage(words)
                reasons[name] = None
                if name != "overwritten":
                    reasons[name] = self._run(name, self._steady(name))
                    continue
                self._overwritten = [pool.submit(self._run, name, self._find_overwritten)]
                if self._threads == 1:
                    self._until_overwritten()
            for coming in self._overwritten:
                reasons["overwritten"] = coming.result()
        unknown = {name: reason for name, reason in reasons.items() if reason is not None}
        store.put("unknown", unknown)
        sides = {"backup": plain(self._backup.provenance), "live": plain(self._live.provenance)}
        store.put("evidence", sides)
        store.put("ended_at", datetime.now(UTC))

    def _run(self, name: str, work: Callable[[], Any]) -> str | None:
        """Run a stage; return why it came to no end, which is kept in place of its answer."""
        reason = _failure(work, _Stage(name, self._store.folder))
        if reason is not None:
            self._store.put(name, None)
            if name == "loss":
                not_assessed(self._store, reason)
        return reason

    def _steady(self, name: str) -> Callable[[], Any]:
        """The work of a stage that reads the sides."""
        stage = {"findings": self._find, "history": self._read_histories, "loss": self._assess}
        return lambda: _steadily((self._backup, self._live), self._listener, stage[name])

    def _find(self) -> None:
        found = find_findings(self._backup, self._live, self._store)
        self._store.put("findings", found)

    def _find_overwritten(self) -> None:
        find_overwritten(self._backup, self._live, self._store, self._rule)

    def _read_histories(self) -> None:
        self._store.put("history", histories(self._backup, self._live))

    def _assess(self) -> None:
        assess(
            self._backup,
            self._live,
            self._store,
            self._listener,
            threads=self._threads,
            until_overwritten=self._until_overwritten,
        )

    def _until_overwritten(self) -> None:
        wait(self._overwritten)


class _Stage(NamedTuple):
    """What a stage is called, and where its case lies."""

    name: str
    folder: Path


def _failure(work: Callable[[], Any], at: _Stage) -> str | None:
    """Run a stage; return why it came to no end, or None. The other stages go on without it.

    Raises:
        LiveError: a database was lost, or cancels the queries again and again: a later run goes on
            from here.
        UsageError: what was asked for cannot be: that is said at once, not beside an answer.
    """
    try:
        work()
    except LiveError as error:
        if not error.refused:
            raise
        return reason_of(error)
    except UsageError:
        raise
    except Exception as error:
        if os.environ.get("FORENSICS_DEBUG") and not is_foreseen(error):
            raise
        return reason_of(error, *at)
    return None


def _steadily(sides: Sequence[Source], listener: Listener, work: Callable[[], _Answer]) -> _Answer:
    """Do a stage's work from one snapshot of each side: anew where one is taken away meanwhile.

    Raises:
        LiveError: a database was lost, or cancels the queries again and again.
    """
    setback: OutdatedError | None = None
    for tries in range(_TRIES):
        if tries:
            time.sleep(2.0**tries / 4)
        before = [side.snapshot for side in sides]
        found: list[_Answer] = []
        refusals: list[OutdatedError] = []
        try:
            found = [_apart(work, sides)]
            refusals = _refusals(sides)
        except LiveError as error:
            if not _recover(sides, error):
                raise
            if isinstance(error, OutdatedError):
                setback = error
        for refusal in refusals:
            setback = refusal
            _recover(sides, refusal)
        _tell_news(sides, listener)
        steady = before == [side.snapshot for side in sides]
        if found and steady and not refusals:
            return found[0]
    raise setback or LiveError(
        "The database cannot be read from one snapshot for long enough.", "Go on with --resume."
    )


def _tell_news(sides: Sequence[Source], listener: Listener) -> None:
    for side in sides:
        for text in side.news():
            listener.minds(text)


def _refusals(sides: Sequence[Source]) -> list[OutdatedError]:
    """What each side has to say against what was read of it."""
    found = []
    for side in sides:
        refusal = side.unsettled()
        if refusal:
            found.append(refusal)
    return found


def _recover(sides: Sequence[Source], error: LiveError) -> bool:
    """Have every side look after itself; return whether any could."""
    recovered = [side.recovers(error) for side in sides]
    return any(recovered)


def _apart(work: Callable[[], _Answer], sides: Sequence[Source]) -> _Answer:
    """Do work in another thread, so that a Ctrl-C finds this one at once.

    What the work reads is then taken from it.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="conclude") as pool:
        try:
            return pool.submit(work).result()
        except KeyboardInterrupt:
            for side in sides:
                side.close()
            raise


# --- later: is live still what was compared? ------------------------------------------------------


def moved_on(case: Case, live: str) -> str:
    """Say whether live was written to since a case was made of it. Live is only read.

    Args:
        case: the case.
        live: how to reach live now.
    """
    try:
        with open_source(live, role="live") as source:
            now = plain(source.provenance)
            activity = plain(source.activity())
            altered = _outdated(case.store, source.catalog)
    except (EvidenceError, UsageError) as error:
        return f"Whether live has moved on since is not known: {error.message}"
    if not _is_the_same(plain(case.evidence.live), now):
        return "LIVE_DSN names another database than the case is about."
    said = []
    if altered:
        verb = "was" if len(altered) == 1 else "were"
        said.append(f"{counted(len(altered), 'table')} of it {verb} altered, dropped or made")
    written = _written(case.store.get("activity"), activity)
    if written is None:
        said.append("how many rows were written to it its statistics do not tell")
    elif written:
        verb = "was" if written == 1 else "were"
        said.append(f"{counted(written, 'row')} {verb} written to it, as its statistics tell")
    if not said:
        return "Live has not moved on since, as far as its statistics tell."
    return f"Live has moved on since: {listed(said)}."


def _written(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> int | None:
    """Rows that were written between two looks at statistics; None where these were reset."""
    if before is None or now is None or before["counted_since"] != now["counted_since"]:
        return None
    written = now["rows"] - before["rows"]
    if written < 0:
        return None
    return int(written)
