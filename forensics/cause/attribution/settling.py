"""Lays what a replay showed at the statements that did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.cause.attribution.accounts import Accounts
from forensics.cause.attribution.cells import DESTROYED, FILLED, NOTHING
from forensics.cause.attribution.copied import copied_columns
from forensics.cause.attribution.incident import ColumnName, Incident, Unexplained
from forensics.cause.replay import Effect, Replay, Watched
from forensics.evidence import arrays
from forensics.loss.junctions import find_junctions
from forensics.model import TableName
from forensics.store.lending import lend
from forensics.text import counted

_CHANGES = ("update-all", "update-where", "type-change")


class Settling:
    """Settles accounts by a replay that ran to its end.

    Args:
        incident: what is explained.
        replay: what was seen.
        accounts: what statements did is entered here.
        unexplained: what they account for is taken out of this.

    Attributes:
        taken: by table, the rows that a step took: `pair` and `step`.
        notes: what the numbers alone do not say.
    """

    def __init__(
        self, incident: Incident, replay: Replay, accounts: Accounts, unexplained: Unexplained
    ) -> None:
        self._incident = incident
        self._replay = replay
        self._outcome = replay.outcome
        self._accounts = accounts
        self._unexplained = unexplained
        self._dropped_by = _dropped_afterwards(incident, replay)
        self.taken: dict[TableName, pa.Table] = {}
        self.notes: list[str] = []

    def settle(self, watched: Sequence[Watched]) -> None:
        """Enter what became of tables that were followed."""
        for one in watched:
            self._settle_renamed_key(one)
            self._settle_rows(one)
            self._settle_changes(one)
            self._settle_copies(one)
            self.taken[one.name] = self._taken(one)
            self._settle_links(one.name)
        gained: dict[ColumnName, int] = {}
        for effect in self._replay.effects:
            self._settle_effect(effect, gained)
        for one in watched:
            self._settle_renamed_columns(one)

    # --- rows ------------------------------------------------------------------------------------

    def _settle_renamed_key(self, watched: Watched) -> None:
        """The rows stand there to the end, under a key that goes by another name.

        Another column has the key's name now, so that they could not be found.
        """
        for column in watched.key:
            if self._outcome.renamed_column(watched, column) is None:
                continue
            step = self._last_rename(watched.name, column)
            if step is not None:
                rows = self._outcome.lay(watched, step)
                if rows:
                    self._accounts.of(step, watched.name).move(rows)
            return

    def _last_rename(self, name: TableName, column: str) -> int | None:
        found = None
        for step in self._incident.steps:
            for hazard in step.hazards:
                if (hazard.code, hazard.table, hazard.column) == ("rename-column", name, column):
                    found = step.number
        return found

    def _settle_rows(self, watched: Watched) -> None:
        for step, rows in _by_step(self._outcome.gone(watched)):
            step = self._dropped_by.get(step, step)
            account = self._accounts.of(step, watched.name)
            account.take(rows)
            self._unexplained.rows[watched.name] -= rows
            if not watched.key and account.hazard in _CHANGES:
                what = counted(rows, "row")
                self.notes.append(
                    f"{watched.name} has no key that tells its rows apart: {what} that "
                    f"line {account.statement.line} of {account.migration} changed "
                    f"{'counts' if rows == 1 else 'count'} as missing, and as added with other "
                    "values."
                )

    def _settle_changes(self, watched: Watched) -> None:
        rest: Counter[str] = Counter()
        for found in self._outcome.changed(watched):
            if found.mark == NOTHING:
                continue
            if not found.step:
                rest[found.column] += found.values * (found.mark == DESTROYED)
                continue
            account = self._accounts.of(found.step, watched.name, found.column)
            if found.mark == FILLED:
                account.blanked = (account.blanked or 0) + found.values
            else:
                account.changed = (account.changed or 0) + found.values
        for name, column in self._unexplained.overwritten:
            if name == watched.name and column in watched.changed:
                self._unexplained.overwritten[name, column] = rest[column]

    def _settle_copies(self, watched: Watched) -> None:
        for other, columns in self._copies(watched):
            survivors = self._outcome.survivors(watched, other, columns)
            if survivors is None:
                self._leave_moved_unknown(watched.name)
                continue
            for step, rows in survivors.items():
                step = self._dropped_by.get(step, step)
                account = self._accounts.of(step, watched.name)
                account.move(min(account.rows or 0, rows))
                account.moved_to.append(str(other))

    def _leave_moved_unknown(self, name: TableName) -> None:
        for account in self._accounts:
            if account.name == name and account.column is None and account.rows:
                account.moved = None

    def _copies(self, watched: Watched) -> Iterator[tuple[TableName, dict[str, str]]]:
        """Where rows of a table may stand at the end, and by which columns they are known there.

        Under its new name, or where a statement copied them to.
        """
        renamed = self._outcome.renamed(watched)
        if renamed:
            yield renamed, {column: column for column in watched.key or watched.columns}
        schema = self._incident.history.schema
        for step in self._incident.steps:
            found = copied_columns(
                step.statement, watched.name, schema, watched.columns, self._replay.columns_of
            )
            if found is None:
                continue
            target, columns = found
            if target != watched.name:
                yield target, _telling(watched, columns)

    def _taken(self, watched: Watched) -> pa.Table:
        taken = self._outcome.taken(watched)
        for step, later in self._dropped_by.items():
            here = pc.equal(taken["step"], step)
            steps = pc.if_else(here, arrays.number(later).cast(pa.int32()), taken["step"])
            taken = taken.set_column(1, "step", steps)
        return taken

    def _settle_links(self, name: TableName) -> None:
        """Of a junction's rows that a step took, those whose link live still holds.

        The loss was classified before.
        """
        entry = self._junction(name)
        if entry is None and name in self._unclassified():
            self._leave_moved_unknown(name)
        if entry is None or not (entry["moved"] or entry["superseded"]):
            return
        links = f"loss.links_{int(entry['number'])}"
        with self._incident.store.query() as cursor:
            lend(cursor, "taken", self.taken[name])
            kept = cursor.execute(
                f"SELECT step, count(*) FROM taken JOIN {links} l USING (pair) "
                "WHERE l.class IN ('moved', 'superseded') GROUP BY step"
            ).fetchall()
        for step, rows in kept:
            account = self._accounts.of(step, name)
            account.move(rows)
            for place in entry["moved_to"]:
                column = f".{place['column']}" if place["column"] else ""
                account.moved_to.append(place["table"] + column)

    def _junction(self, name: TableName) -> Mapping[str, Any] | None:
        """What the case says of a junction table; None for other tables."""
        loss = self._incident.store.get("loss") or {}
        for entry in loss.get("junctions", ()):
            if TableName(entry["schema"], entry["table"]) == name:
                found: Mapping[str, Any] = entry
                return found
        return None

    def _unclassified(self) -> set[TableName]:
        """The junction tables of whose links it is not known whether live holds them elsewhere."""
        loss = self._incident.store.get("loss")
        found: set[TableName] = set()
        if loss is None or loss.get("reason"):
            found.update(find_junctions(self._incident.backup))
        for failed in (loss or {}).get("failed", ()):
            found.add(TableName(failed["schema"], failed["table"]))
        return found

    # --- values ----------------------------------------------------------------------------------

    def _settle_effect(self, effect: Effect, gained: dict[ColumnName, int]) -> None:
        """Enter what a step did to a column.

        Args:
            gained: by column, values that statements wrote and the backup did not have: they are no
                loss of the backup's when they go.
        """
        place = (effect.name, effect.column)
        if effect.values < 0:
            gained[place] = gained.get(place, 0) - effect.values
        elif effect.values and effect.step:
            spared = min(gained.get(place, 0), effect.values)
            gained[place] = gained.get(place, 0) - spared
            missing = self._unexplained.values.get(place, 0)
            lost = min(effect.values - spared, missing)
            if lost:
                self._accounts.of(effect.step, effect.name, effect.column).take(lost)
                self._unexplained.values[place] -= lost

    def _settle_renamed_columns(self, watched: Watched) -> None:
        """Values of a column that only goes on under another name are not lost."""
        for column in watched.values:
            name = self._outcome.renamed_column(watched, column)
            if name is None:
                continue
            wanted = (watched.name, column, "rename-column")
            for account in self._accounts:
                if (account.name, account.column, account.hazard) == wanted:
                    account.moved = account.rows
                    account.moved_to.append(f"{watched.name}.{name}")


def _by_step(rows: Mapping[int | None, int]) -> list[tuple[int, int]]:
    """Steps in order, with their rows; without those that are there, or never were."""
    return sorted((step, number) for step, number in rows.items() if step)


def _telling(watched: Watched, columns: dict[str, str]) -> dict[str, str]:
    """The columns by which copied rows are known: the key, where the whole of it was copied."""
    telling = {column: columns[column] for column in watched.key if column in columns}
    if watched.key and len(telling) == len(watched.key):
        return telling
    return columns


def _dropped_afterwards(incident: Incident, replay: Replay) -> dict[int, int]:
    """By step that detached a partition, the later one that dropped it.

    While it stood by itself its rows were there.
    """
    ran = {step.number for step in replay.steps if not step.error}
    detached: dict[TableName, int] = {}
    found = {}
    for step in incident.steps:
        if step.number not in ran:
            continue
        for hazard in step.hazards:
            if hazard.code == "detach-partition" and not hazard.within:
                detached[_partition(incident, hazard.node)] = step.number
            elif hazard.code != "drop-table" or hazard.table not in detached:
                continue
            elif hazard.table not in incident.live.tables:
                found[detached.pop(hazard.table)] = step.number
    return found


def _partition(incident: Incident, command: Any) -> TableName:
    """The partition that a DETACH PARTITION names."""
    relation = getattr(command, "def").partition_cmd.name
    if relation.schemaname:
        return TableName(relation.schemaname, relation.relname)
    for name in incident.backup.tables:
        if name.table == relation.relname:
            return name
    return TableName("", relation.relname)
