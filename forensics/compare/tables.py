"""What differs: both sides, table by table, into the case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from forensics.compare.comparison import Job
from forensics.compare.options import Listener, Options, matching
from forensics.compare.preparation import Preparation
from forensics.compare.triage import Triage, in_order_of_loss, look
from forensics.compare.workers import Workers
from forensics.errors import EmptyBackupError, UsageError
from forensics.evidence.source import Source
from forensics.model import Table, TableName
from forensics.store import Store, forget_rows, long_values, sweep_values

if TYPE_CHECKING:
    from forensics.compare.cluster.session import Session

__all__ = ["compare_sources"]

_Tables = Mapping[TableName, Table]


def compare_sources(
    backup: Source,
    live: Source,
    store: Store,
    options: Options,
    listener: Listener | None = None,
    spark: Session | None = None,
) -> None:
    """Compare every table of both sides and record what is found.

    Each is recorded in a transaction of its own. A table that cannot be compared is
    recorded as failed, with the reason; the others go on.

    Args:
        backup, live: both sides, open.
        store: the case, open for writing.
        options: what is asked for.
        listener: is told how far the comparison is.
        spark: a session of it, where it is to reduce both sides.

    Raises:
        ClusterError: Spark was lost, or does not reach a side. What was compared is kept.
        UsageError: the patterns choose no table, or a key names one that is not there.
        EvidenceError: a side's catalogue cannot be read.
        LiveError: a database was lost. The tables that were compared are kept; those
            that were not begun have no result.
    """
    listener = listener or Listener()
    ours = {t.name: t for t in backup.catalog.roots}
    if not ours:
        raise EmptyBackupError(
            "The backup defines no table and holds no rows: nothing can be compared with it.",
            "Was only a section of it dumped, or another database? inspect says what it holds.",
        )
    theirs = _tables_of_live(live, ours)
    if backup.is_partial:
        theirs = _spoken_of(theirs, ours, listener)
    names = _chosen(sorted({*ours, *theirs}), options)
    jobs = []
    for name, number in _numbers(names, store, options).items():
        jobs.append(Job(name, number, ours.get(name), theirs.get(name)))
    ready = Preparation(backup, live, options.keys, long_values(store))
    triage = look(jobs, backup, live, ready.contents)
    listener.knows(triage.words)
    jobs = in_order_of_loss(jobs, triage)
    listener.begins(len(jobs), _rows_estimate(jobs, triage))
    with Workers(ready, store, options, listener, spark) as workers:
        workers.run(jobs)
    sweep_values(store)


def _tables_of_live(live: Source, ours: _Tables) -> _Tables:
    """The tables that live's side of a comparison has.

    A backup of a partition alone (pg_dump --table=PARTITION) is held against that
    partition.
    """
    found = {}
    for table in live.catalog.roots:
        if table.name in ours or table.extension is None:
            found[table.name] = table
    for name in ours:
        table_or_leaf = live.catalog.tables.get(name)
        if name not in found and table_or_leaf and table_or_leaf.parent:
            found[name] = table_or_leaf
    return found


def _spoken_of(theirs: _Tables, ours: _Tables, listener: Listener) -> _Tables:
    """The tables of live that a backup of some tables says anything of."""
    left_out = sorted(str(name) for name in theirs if name not in ours)
    if left_out:
        listener.minds(
            f"The backup has no files of {len(left_out)} tables of live, and says nothing of them:"
            f" {', '.join(left_out)}."
        )
    return {name: table for name, table in theirs.items() if name in ours}


def _chosen(names: Sequence[TableName], options: Options) -> list[TableName]:
    """The tables that the options choose.

    Raises:
        UsageError: there are none, or a key names one that is not among them.
    """
    chosen = [name for name in names if options.choose(name)]
    if not names:
        raise UsageError("Neither side has a table.")
    if not chosen:
        raise UsageError(
            "No table is chosen.",
            "Check --schema, --table, --exclude-schema and --exclude-table.",
        )
    for pattern in options.keys:
        if not any(matching(name, (), (pattern,)) for name in names):
            raise UsageError(
                f"--key names {pattern}, and there is no such table.",
                "Write --key TABLE=COLUMN,COLUMN.",
            )
    return chosen


def _numbers(names: Sequence[TableName], store: Store, options: Options) -> dict[TableName, int]:
    """The tables that are to be compared, each with its number in the case: an old one or a new."""
    done, known, again = set(), {}, []
    for result in store.results():
        number = store.number(result.name)
        assert number is not None, result.name
        known[result.name] = number
        if options.resume and result.state != "failed":
            done.add(result.name)
        else:
            again.append(number)
    if again:
        forget_rows(store.connection, again)
    last = max(known.values(), default=0)
    found = {}
    for name in names:
        if name in done:
            continue
        if name not in known:
            last += 1
            known[name] = last
        found[name] = known[name]
    return found


def _rows_estimate(jobs: Sequence[Job], triage: Triage) -> int:
    """About how many rows there are on the live side."""
    counted = {table.name: table.live_rows for table in triage.tables}
    rows = 0
    for job in jobs:
        known = counted.get(job.name)
        if known is not None:
            rows += known
        elif job.live:
            rows += max(job.live.rows_estimate, 0)
    return rows
