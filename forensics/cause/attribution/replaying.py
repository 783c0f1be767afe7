"""The replay of an incident: the backup loaded, its rows followed, accounts settled by them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pyarrow as pa

from forensics.cause.attribution.accounts import Accounts
from forensics.cause.attribution.doubt import Doubt
from forensics.cause.attribution.incident import ColumnName, Incident, Unexplained
from forensics.cause.attribution.loading import Loading
from forensics.cause.attribution.settling import Settling
from forensics.cause.replay import Replay
from forensics.errors import ScratchError, redact
from forensics.model import Table, TableName
from forensics.scratch import Ahead, Scratch, taken
from forensics.store import Store

MOST_WRITTEN = 100_000  # rows of a table that are kept
_GIVEN = re.compile(r"\(|CURRENT_|LOCALTIME", re.I)  # a default that is no constant


@dataclass(frozen=True)
class Written:
    """Rows that statements wrote into a table: `rows` has f0, f1, …, of some of its columns."""

    columns: tuple[str, ...]
    rows: pa.Table


@dataclass
class Replayed:
    """What a replay showed; nothing, where there was none.

    Attributes:
        accounts: what statements did.
        unexplained: what they do not account for.
        said: the replay itself, as `cause.json` has it.
        failed: by step that did not run, why.
        unfollowed: the tables whose rows could not be followed.
        measured: the columns whose values were counted.
        taken: by table, the rows that a step took: `pair` and `step`.
        written: by table, rows that the statements wrote, beside what the columns are called.
        notes: what there is to say.
    """

    accounts: Accounts
    unexplained: Unexplained
    said: dict[str, Any]
    failed: dict[int, str] = field(default_factory=dict)
    unfollowed: set[TableName] = field(default_factory=set)
    measured: set[ColumnName] = field(default_factory=set)
    taken: dict[TableName, pa.Table] = field(default_factory=dict)
    written: dict[TableName, Written] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def not_replayed(incident: Incident) -> Replayed:
    """The state before a replay, and after one that broke."""
    accounts = Accounts(incident.steps, incident.backup)
    said = {"ran": False, "seconds": 0.0, "failed": []}
    return Replayed(accounts, incident.missing(), said)


def replay_incident(
    incident: Incident,
    scratch: Scratch | None,
    ahead: Ahead | None,
    tell: Callable[[str], None],
) -> Replayed:
    """Replay the statements between backup and live.

    Args:
        incident: what is explained.
        scratch: a running server to use; None starts one.
        ahead: the one to start, where it was begun before.
        tell: is told what is going on.
    """
    found = not_replayed(incident)
    started = time.monotonic()
    tell("starting a scratch PostgreSQL")
    try:
        with _lent(scratch, ahead, incident.store) as server, Replay(server) as replay:
            found.said |= {
                "server_version": server.version,
                "live_version": _live_version(incident.store),
            }
            _run(incident, replay, found, tell)
    except (ScratchError, psycopg.Error) as error:
        # What a broken replay had settled already is not half kept.
        broken = not_replayed(incident)
        broken.said |= found.said
        broken.failed = {step.number: "it was not replayed" for step in incident.steps}
        Doubt(incident, broken.failed, complete=False).lay(broken.unexplained, ())
        broken.notes = [
            *found.notes,
            "The replay could not run, and statements are counted from the backup alone: "
            f"{_words_of(error)}",
        ]
        return broken
    for step in replay.steps:
        if step.error:
            refused = {
                "migration": step.migration,
                "line": step.statement.line,
                "sql": step.statement.text,
                "error": step.error,
            }
            found.said["failed"].append(refused)
    found.said |= {"ran": True, "seconds": round(time.monotonic() - started, 3)}
    return found


def _run(incident: Incident, replay: Replay, found: Replayed, tell: Callable[[str], None]) -> None:
    loading = Loading(incident, replay, found.notes, tell)
    loading.load()
    watched = loading.watch()
    found.unfollowed = loading.unfollowed
    for one in watched:
        found.measured.update((one.name, column) for column in one.values)
    history = incident.history
    replay.run(history.between, history.schema, lambda name: tell(f"replaying {name}"))
    settling = Settling(incident, replay, found.accounts, found.unexplained)
    settling.settle(watched)
    found.taken = settling.taken
    for step in replay.steps:
        if step.error:
            found.failed[step.number] = step.error
    doubt = Doubt(incident, found.failed, complete=loading.complete and replay.committed)
    doubt.lay(found.unexplained, watched)
    if replay.committed:
        found.written = dict(_written(incident, replay))
    found.notes += [*settling.notes, *replay.notes]


def _written(incident: Incident, replay: Replay) -> Iterator[tuple[TableName, Written]]:
    """Yield what the statements wrote into tables to which rows came since the backup."""
    for name, result in sorted(incident.results.items()):
        table = incident.live.tables.get(name)
        if not result.added or table is None or not replay.has(name):
            continue
        columns = told_apart_by(table)
        rows = replay.written(name, columns, MOST_WRITTEN) if columns else None
        if rows is not None:
            yield name, Written(tuple(columns), rows)


def told_apart_by(table: Table) -> list[str]:
    """The columns of which a statement that runs again writes the same values.

    A number that is given out, a time and a random value are others each time.
    """
    found = []
    for column in table.columns:
        given = column.identity or _GIVEN.search(column.default or "")
        if not column.generated and not given:
            found.append(column.name)
    return found


def _lent(
    scratch: Scratch | None, ahead: Ahead | None, store: Store
) -> AbstractContextManager[Scratch]:
    """A server for the length of a `with` block: one that goes on, or one of its own."""
    if scratch:
        return nullcontext(scratch)
    return taken(ahead, store.evidence()[0].restored_bytes)


def _live_version(store: Store) -> str | None:
    backup, live = store.evidence()
    return live.server_version or backup.server_version


def _words_of(error: ScratchError | psycopg.Error) -> str:
    if isinstance(error, ScratchError):
        return error.message
    return redact(str(error).splitlines()[0])
