"""Attributes what is missing in a case, and writes it there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from forensics.cause.attribution.answer import answer, rows_taken
from forensics.cause.attribution.rebuilding import (
    add_rebuild,
    explainable,
    lay_rest,
)
from forensics.cause.attribution.replaying import not_replayed, replay_incident
from forensics.cause.attribution.unreplayed import count_from_backup, list_harmless
from forensics.cause.history import History, place
from forensics.cause.rebuilt import Rebuilt, judge, renewal_of
from forensics.cause.timeline import backup_at
from forensics.evidence.migrations import HistoryEntry, MigrationFolder, history_of
from forensics.model import TableName
from forensics.scratch import Scratch
from forensics.store import Store

Listener = Callable[[str], None]


@dataclass(frozen=True)
class Ask:
    """What to attribute by.

    Attributes:
        folder: the migration files; None attributes nothing and only places what the histories say.
        ran: shell patterns of migrations that ran between backup and live, where no history says
            so.
        scratch: a running server to use; None starts one.
    """

    folder: MigrationFolder | None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None


@dataclass(frozen=True)
class Attribution:
    """What was worked out.

    Attributes:
        found: as `cause.json` has it.
        taken: by table, the missing rows that a statement took: `pair`, as the case numbers them,
            and `statement`, the place in `found["statements"]`.
        left: by table, the statement that took the missing rows which `taken` does not have, where
            one did without having been replayed.
    """

    found: dict[str, Any]
    taken: Mapping[TableName, pa.Table]
    left: Mapping[TableName, int]

    def write(self, store: Store) -> None:
        """Write it into a case.

        That is the fact `cause`, and tables `cause.rows_N` (pair, statement), N being the table's
        number.
        """
        store.put("cause", self.found)
        db = store.connection
        db.execute("DROP SCHEMA IF EXISTS cause CASCADE")
        db.execute("CREATE SCHEMA cause")
        for name in sorted({*self.taken, *self.left}):
            number = store.number(name)
            target = f"cause.rows_{number}"
            db.execute(f"CREATE TABLE {target} (pair BIGINT, statement INTEGER)")
            if name in self.taken:
                db.register("taken", self.taken[name])
                db.execute(f"INSERT INTO {target} SELECT pair, statement FROM taken ORDER BY pair")
                db.unregister("taken")
            if name in self.left:
                db.execute(
                    f"INSERT INTO {target} SELECT pair, ? FROM rows.backup_{number} "
                    f"WHERE state = 'missing' AND pair NOT IN (SELECT pair FROM {target}) "
                    "ORDER BY pair",
                    [self.left[name]],
                )


def attribute(store: Store, ask: Ask, listener: Listener | None = None) -> Attribution:
    """Work out which migration statement took what.

    Args:
        store: the case, compared to its end; only read.
        ask: what to attribute by.
        listener: is told what is going on.

    Raises:
        UsageError: a pattern of `ask.ran` fits no migration.
        MigrationError: a migration that ran between backup and live does not parse.
        CaseError: the case was written before histories were kept.
    """
    entries = _entries(store)
    rebuilt = judge(store, entries)
    history = _history(store, ask, entries, rebuilt)
    incident = explainable(store, history, rebuilt)
    found = not_replayed(incident)
    if incident.steps and incident.differs:
        found = replay_incident(incident, ask.scratch, listener or _ignore)
        count_from_backup(incident, found)
    list_harmless(incident, found.accounts)
    accounts = list(found.accounts)
    left = {}
    for number, account in enumerate(accounts):
        if account.left_over and account.name:
            left[account.name] = number
    laid = lay_rest(rebuilt, store, found, accounts)
    said = answer(incident, found, accounts)
    add_rebuild(said, rebuilt, laid)
    for number, entry in enumerate(laid, len(accounts)):
        if entry["column"] is None and entry["rows"]:
            left[TableName(entry["schema"], entry["table"])] = number
    return Attribution(said, rows_taken(found, accounts), left)


def _entries(store: Store) -> dict[str, list[HistoryEntry]]:
    kept = store.get("history") or {"backup": [], "live": []}
    return {side: history_of(kept[side]) for side in ("backup", "live")}


def _history(
    store: Store,
    ask: Ask,
    entries: Mapping[str, list[HistoryEntry]],
    rebuilt: Rebuilt | None,
) -> History:
    kept = store.get("history") or {"errors": {}}
    backup, live = store.catalogs()
    return place(
        entries,
        kept["errors"],
        ask.folder,
        backup_at(store),
        ask.ran,
        {**backup.tables, **live.tables},
        renewal_of(rebuilt),
    )


def _ignore(_: str) -> None:
    """Nobody wants to be told."""
