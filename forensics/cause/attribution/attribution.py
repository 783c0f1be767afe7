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
from forensics.cause.attribution.replaying import Written, not_replayed, replay_incident
from forensics.cause.attribution.unreplayed import (
    count_from_backup,
    leave_unknown,
    list_harmless,
    list_not_understood,
)
from forensics.cause.placing import place_in_case, rebuilt_in_case
from forensics.evidence.migrations import MigrationFolder
from forensics.model import TableName
from forensics.scratch import Ahead, Scratch
from forensics.store import Store
from forensics.store.lending import lend

Listener = Callable[[str], None]


@dataclass(frozen=True)
class Ask:
    """What to attribute by.

    Attributes:
        folder: the migration files; None attributes nothing and only places what the histories say.
        ran: shell patterns of migrations that ran between backup and live, where no history says
            so.
        scratch: a running server to use; None starts one.
        ahead: the one to start, where it was begun before.
    """

    folder: MigrationFolder | None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None
    ahead: Ahead | None = None


@dataclass(frozen=True)
class Attribution:
    """What was worked out.

    Attributes:
        found: as `cause.json` has it.
        taken: by table, the missing rows that a statement took: `pair`, as the case numbers them,
            and `statement`, the place in `found["statements"]`.
        left: by table, the statement that took the missing rows which `taken` does not have, where
            one did without having been replayed.
        written: by table, rows that statements wrote.
    """

    found: dict[str, Any]
    taken: Mapping[TableName, pa.Table]
    left: Mapping[TableName, int]
    written: Mapping[TableName, Written]

    def write(self, store: Store) -> None:
        """Write it into a case.

        That is the fact `cause`, and tables `cause.rows_N` (pair, statement), N being the table's
        number; and the fact `written`, which names tables of rows that statements wrote.
        """
        store.put("cause", self.found)
        db = store.connection
        db.execute("DROP SCHEMA IF EXISTS cause CASCADE")
        db.execute("CREATE SCHEMA cause")
        facts = []
        for place, (name, one) in enumerate(self.written.items()):
            target = f"cause.written_{place}"
            lend(db, "written", one.rows)
            db.execute(f"CREATE TABLE {target} AS SELECT * FROM written")
            db.unregister("written")
            facts.append({"name": name, "table": target, "columns": one.columns})
        store.put("written", facts)
        for name in sorted({*self.taken, *self.left}):
            number = store.number(name)
            target = f"cause.rows_{number}"
            db.execute(f"CREATE TABLE {target} (pair BIGINT, statement INTEGER)")
            if name in self.taken:
                lend(db, "taken", self.taken[name])
                db.execute(f"INSERT INTO {target} SELECT pair, statement FROM taken ORDER BY pair")
                db.unregister("taken")
            if name in self.left:
                left = self.left[name]
                db.execute(
                    f"INSERT INTO {target} SELECT pair, {left} FROM rows.backup_{number} "
                    f"WHERE state = 'missing' AND pair NOT IN (SELECT pair FROM {target}) "
                    "ORDER BY pair"
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
    rebuilt = rebuilt_in_case(store)
    history = place_in_case(store, ask.folder, ask.ran, rebuilt)
    incident = explainable(store, history, rebuilt)
    found = not_replayed(incident)
    if incident.steps and incident.differs:
        found = replay_incident(incident, ask.scratch, ask.ahead, listener or _ignore)
        count_from_backup(incident, found)
    list_harmless(incident, found.accounts)
    list_not_understood(incident, found)
    leave_unknown(incident, found)
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
    return Attribution(said, rows_taken(found, accounts), left, found.written)


def _ignore(_: str) -> None:
    """Nobody wants to be told."""
