"""The way back, seen from a case: options, scripts, and the rehearsal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import leftovers
from forensics.case import plans
from forensics.case.cause import at_hand
from forensics.case.held import Held
from forensics.case.showing import Said, escaped, heading
from forensics.case.waiting import waiting
from forensics.recovery import Plan, Scope, Tell, Wishes, make_plan, silent
from forensics.text import fact, listed, visible

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL, Engine

    from forensics.scratch import Ahead


class Recovery:
    """What can come back of a case, at what price.

    Calling it narrows or widens what comes back: `case.recovery(tables=["hotel_images"])`.
    """

    def __init__(self, case: Held, scope: Scope | None = None) -> None:
        self._case = case
        self._scope = scope or Scope()
        self._plan: Plan | None = None

    def __call__(
        self,
        *,
        tables: Sequence[str] = (),
        include_unexplained: bool = False,
        columns: bool = False,
        values: Sequence[str] = (),
        fire_triggers: bool = False,
        where: str | Sequence[str] = (),
        rows: str | Sequence[str] = (),
        into: str | None = None,
    ) -> Recovery:
        """Return the recovery of another choice of rows.

        Args:
            tables: shell patterns; empty means all.
            include_unexplained: also rows that no statement is known to have taken.
            columns: also the values of dropped columns.
            values: of overwritten values only those of these columns, TABLE.COLUMN.
            fire_triggers: the application's triggers fire when overwritten values return.
            where, rows: only what belongs to some rows, as in `select`.
            into: a schema that the rows are laid into, beside the tables.
        """
        scope = Scope(
            tuple(tables),
            include_unexplained,
            columns,
            tuple(values),
            fire_triggers,
            _several(where),
            _several(rows),
            into,
        )
        return Recovery(self._case, scope)

    def select(
        self, where: str | Sequence[str] = (), *, rows: str | Sequence[str] = ()
    ) -> Recovery:
        """Return the recovery of what belongs to some rows: `select(where="tenants.id = 7")`.

        `selection` of what is returned shows which tables, and how many rows.

        Args:
            where: conditions on TABLE.COLUMN, in DuckDB's SQL and the backup's values; what
                belongs to a row that one of them holds for comes back.
            rows: the same by keys, TABLE=KEY,….
        """
        scope = replace(self._scope, where=_several(where), rows=_several(rows))
        return Recovery(self._case, scope)

    @property
    def plan(self) -> Plan:
        """What was last worked out."""
        if self._plan is None:
            self._plan = make_plan(self._case.store, None, self._scope)
        return self._plan

    @property
    def shown(self) -> dict[str, Any]:
        """The plan that is shown, as JSON has it.

        What was rehearsed last, here or as the case keeps it, and else what the case alone tells.
        A rehearsed plan that the case keeps counts where it is of the same choice, and of the same
        rows: `cause` may lay more at a statement since.
        """
        plan = self.plan.as_json()
        if plan["rehearsed_at"]:
            return plan
        return self._kept_alike(plan) or plan

    def _kept_alike(self, plan: Mapping[str, Any]) -> dict[str, Any] | None:
        """The plan that the case keeps, where it is of the same choice and of the same rows."""
        kept: dict[str, Any] | None = self._case.store.get("recovery")
        if kept is None or kept.get("scope") != plan["scope"] or _lost(kept) != _lost(plan):
            return None
        return kept

    @property
    def _is_kept(self) -> bool:
        """Whether the case keeps the plan: one of some rows, or to look only, is not its report."""
        return not (self._scope.narrowed or self._scope.into)

    @property
    def rehearsed_at(self) -> datetime | None:
        """When what is shown was rehearsed, or None."""
        at = self.shown["rehearsed_at"]
        if not at:
            return None
        return datetime.fromisoformat(at)

    # --- pandas -----------------------------------------------------------------------------------

    @property
    def options(self) -> pd.DataFrame:
        """One row an option: what it recovers, destroys, and cannot bring back."""
        return plans.options(self.shown)

    @property
    def tables(self) -> pd.DataFrame:
        """One row a table that rows return to: how many, and what of the others."""
        return plans.tables(self.shown)

    @property
    def selection(self) -> pd.DataFrame:
        """One row a table of which rows belong to those that were named, or are needed by them.

        Empty where none were named.
        """
        return plans.selection(self.shown)

    @property
    def destroyed(self) -> pd.DataFrame:
        """One row an option and table: rows written since the backup that it would destroy."""
        return plans.destroyed(self.shown)

    @property
    def reasons(self) -> pd.DataFrame:
        """One row a table and reason: how many lost rows cannot return because of it."""
        return plans.reasons(self.shown)

    @property
    def stays(self) -> pd.DataFrame:
        """What does not come back, one row a table or column and reason.

        With the rows of `tables` that are restorable these are all missing rows. `rows` counts
        values where a column is named, and is NA where nobody knows.
        """
        return plans.stays(self.shown)

    @property
    def rehearsal(self) -> pd.DataFrame:
        """What the last rehearsal of this choice found; empty where none was held."""
        return plans.rehearsal(self.shown)

    @property
    def proofs(self) -> pd.DataFrame:
        """One row an option and a thing that its rehearsal found, or why it had none."""
        return plans.proofs(self.shown)

    @property
    def recommendation(self) -> str:
        """What the numbers speak for."""
        return str(self.shown["recommendation"])

    @property
    def unrehearsed(self) -> str:
        """What a rehearsal needs that is not there, in a sentence; empty where one was held."""
        if self.rehearsed_at:
            return ""
        needs = []
        if not os.environ.get("LIVE_DSN"):
            needs.append("live (LIVE_DSN is not set)")
        if not at_hand(self._case):
            name = Path(self._case.evidence.backup.path or "").name
            needs.append(f"the backup ({name} is not at hand)")
        if not needs:
            return Said("Not rehearsed: the numbers are what the case alone tells.")
        return Said(
            f"Not rehearsed, which needs {listed(needs)}: the numbers are the case’s alone."
        )

    # --- scripts and rehearsal --------------------------------------------------------------------

    def write(
        self,
        out: str | Path,
        *,
        live: str | Engine | URL | None = None,
        migrations: str | Path | None = None,
        backup: str | Path | None = None,
        where: str | Sequence[str] = (),
    ) -> Plan:
        """Write the scripts, the plan and the runbook into a folder.

        The case keeps the plan, for the report; one of the same choice that was rehearsed stays.

        Args:
            live: how to reach live, so that the scripts can tell whether it changed; it is only
                read.
            migrations: the folder of the migrations, for a safer one in place of the harmful.
            backup: where the backup lies now, if it was moved; needed for the values of dropped
                columns, and to rehearse.
            where: only what belongs to some rows, as in `select`.

        Raises:
            RecoveryError, LiveError, MigrationError: as `make_plan`.
            CaseError: another process writes the case.
        """
        if where:
            chosen = self.select(where)
            return chosen.write(out, live=live, migrations=migrations, backup=backup)
        wishes = Wishes(live, False, Path(migrations) if migrations else None, backup)
        self._plan = plan = make_plan(self._case.store, Path(out), self._scope, wishes)
        tried = self._kept_alike(plan.as_json())
        if self._is_kept and (tried is None or not (tried["rehearsed_at"] or tried["problem"])):
            with self._case.writing() as store:
                store.put("recovery", plan.as_json())
        return plan

    def scripts(self, out: str | Path) -> str:
        """Write what can be had of the scripts into a folder, and say in a sentence what that is.

        With LIVE_DSN set they are rehearsed. Without it those of an earlier rehearsal, which know
        what live refuses, are not written once more without that.

        Args:
            out: the folder.

        Raises:
            RecoveryError, LiveError, ScratchError: as `make_plan`.
        """
        if os.environ.get("LIVE_DSN"):
            files = self.rehearse(out).files
            return Said(f"Rehearsed, and written to {out}: {listed(files)}.")
        kept = self._case.store.get("recovery") or {}
        if kept.get("rehearsed_at") and self._is_kept:
            at = datetime.fromisoformat(kept["rehearsed_at"])
            return Said(
                f"{listed(kept['files'])} lie where they were written for the rehearsal of "
                f"{at:%Y-%m-%d %H:%M} UTC. They know what live refuses; without live (LIVE_DSN is "
                "not set) they are not written again."
            )
        files = self.write(out).files
        return Said(f"Written to {out}: {listed(files)}. {self.unrehearsed}")

    def rehearse(
        self,
        out: str | Path | None = None,
        *,
        live: str | Engine | URL | None = None,
        migrations: str | Path | None = None,
        backup: str | Path | None = None,
        skip: Sequence[str] = (),
        tell: Tell | None = None,
        ahead: Ahead | None = None,
    ) -> Plan:
        """Rehearse every option on copies of live and of the backup; the proofs go into the case.

        Args:
            out: where the scripts go; None for a temporary folder.
            live: how to reach live; LIVE_DSN or the PG* variables where it is None.
            migrations, backup: as in `write`; the safer migration is tried on a copy of the
                backup.
            skip: options to leave out: "full restore" takes as long as restoring the whole backup
                does.
            tell: is told how far it is, by several threads; a notebook's cell shows it where
                nobody else is told.
            ahead: the server to rehearse on, where it was begun before.

        Raises:
            RecoveryError, LiveError, ScratchError, MigrationError: as `make_plan`.
        """
        dsn = live if live is not None else os.environ.get("LIVE_DSN", "")
        files = Path(migrations) if migrations else None
        with waiting() as cell, leftovers.folder() as folder:
            told = tell or cell or silent
            wishes = Wishes(dsn, True, files, backup, skip=tuple(skip), tell=told, ahead=ahead)
            place = folder if out is None else Path(out)
            self._plan = make_plan(self._case.store, place, self._scope, wishes)
        if self._is_kept:
            with self._case.writing() as store:
                store.put("recovery", self._plan.as_json())
        return self._plan

    def _repr_html_(self) -> str:
        shown = self.shown
        head = "".join(f"<th>{name}</th>" for name in ("option", *plans.OPTIONS[1:]))
        rows = [_row(option) for option in shown["options"]]
        at = self.rehearsed_at
        when = ""
        if at:
            when = (
                f"<p>Rehearsed on copies of live and of the backup at {at:%Y-%m-%d %H:%M} UTC.</p>"
            )
        return (
            f"<p><b>{escaped(shown['recommendation'])}</b></p>{when}"
            f"<table><tr>{head}</tr>{''.join(rows)}</table>"
        )

    def __repr__(self) -> str:
        return visible(f"<Recovery: {self.recommendation}>")


def _several(words: str | Sequence[str]) -> tuple[str, ...]:
    """One thing or several, as several."""
    if isinstance(words, str):
        return (words,) if words else ()
    return tuple(words)


def _row(option: Mapping[str, Any]) -> str:
    verified = "yes" if option["verified"] else "no"
    seconds = ""
    if option["seconds"] is not None:
        seconds = f"{option['seconds']:.1f}"
    numbers = [fact(option.get(name)) for name in plans.OPTIONS[1:5]]
    cells = [f"<td>{text}</td>" for text in (*numbers, verified, seconds)]
    return f"<tr>{heading(escaped(option['name']))}{''.join(cells)}</tr>"


def _lost(plan: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """Which rows a plan is about, however many of them live refuses.

    How many those are only a rehearsal finds out.
    """
    found = []
    for target in plan["tables"]:
        names = ("schema", "table", "kind", "missing", "moved", "superseded")
        facts = [target[name] for name in names]
        lost = target["restorable"] + target["blocked"] + target["conflicting"]
        found.append((*facts, lost))
    return found
