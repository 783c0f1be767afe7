"""When the backup was taken and when the incident was, and what says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from forensics.errors import EvidenceError, is_lost
from forensics.evidence.migrations import history_of
from forensics.loss.columns import time_columns
from forensics.loss.sql import listed, renamed
from forensics.loss.workspace import Workspace
from forensics.model import TableName

_VERSION = re.compile(r"(?<!\d)20\d{12}(?!\d)")

Basis = MutableMapping[str, str]


def time_of_incident(work: Workspace, basis: Basis) -> datetime | None:
    """When the incident was, if the user said it; what says so goes into `basis`."""
    given = work.store.get("incident_at")
    if not given:
        return None
    basis["incident_at"] = "given"
    return _time(given)


def time_of_first_migration(
    work: Workspace, backup_at: datetime | None, basis: Basis
) -> datetime | None:
    """When the first migration was through that live has and the backup has not."""
    history = work.store.get("history") or {}
    unread = _unread(history, backup_at)
    if unread:
        basis["incident_at"] = f"not known: {unread}; give --incident-at"
        return None
    new = _new_in_live(history, backup_at)
    if not new:
        basis["incident_at"] = _by_version(history) or (
            "nothing says it: live's migration history names no migration since the backup; "
            "give --incident-at"
        )
        return None
    at, name = min(new)
    more = f", the first of {len(new)} since the backup" if len(new) > 1 else ""
    basis["incident_at"] = f"live's migration history: {name}{more}"
    return at


def _by_version(history: Mapping[str, Any]) -> str:
    """What the version of a migration that only live has tells, where its tool notes no time."""
    before = {(entry.table, entry.name) for entry in history_of(history["backup"])}
    found = []
    for entry in history_of(history["live"]):
        said = _VERSION.search(entry.version or entry.name)
        if said and entry.moment is None and (entry.table, entry.name) not in before:
            found.append((said[0], entry.name))
    if not found or not before:
        return ""
    version, name = min(found)
    try:
        at = datetime.strptime(version, "%Y%m%d%H%M%S")
    except ValueError:
        return ""
    return (
        f"no history says it; by its version, migration {name} was written on "
        f"{at:%Y-%m-%d at %H:%M} and ran then or later: give --incident-at {at:%Y-%m-%dT%H:%MZ}, "
        "or better"
    )


def _new_in_live(
    history: Mapping[str, Any], backup_at: datetime | None
) -> list[tuple[datetime, str]]:
    """The migrations that live has and the backup has not, each with its time."""
    before = set()
    for entry in history_of(history["backup"]):
        if entry.in_force:
            before.add((entry.table, entry.name))
    new = []
    for entry in history_of(history["live"]):
        if not entry.applied_at or not entry.ran or not entry.in_force:
            continue
        if (entry.table, entry.name) in before:
            continue
        if backup_at is None or entry.applied_at > backup_at:
            new.append((entry.applied_at, entry.name))
    return new


def _unread(history: Mapping[str, Any], backup_at: datetime | None) -> str:
    """Why the histories do not say what ran since the backup; "" where they do."""
    if not history:
        return "the migration histories were not read"
    if history["live"] is None:
        return "live's migration history was not read"
    # The backup's own time can stand in for its history.
    if history["backup"] is None and backup_at is None:
        return "the backup's migration history was not read"
    return ""


def time_of_backup(work: Workspace, incident_at: datetime | None, basis: Basis) -> datetime | None:
    """When the backup was taken: as the user says, as it says, or by its rows."""
    if given := work.store.get("backup_at"):
        basis["backup_at"] = "given"
        return _time(given)
    if work.backup.provenance.dumped_at:
        basis["backup_at"] = "the backup says so"
        return work.backup.provenance.dumped_at
    end = incident_at or work.live.provenance.taken_at or datetime.now(UTC)
    latest = _latest_time(work, end)
    if latest.micros is None:
        basis["backup_at"] = "nothing says it; give --backup-at"
        return None
    said = f"the latest time in the backup's rows ({latest.where}): it was taken then or later"
    basis["backup_at"] = "; ".join([said, *latest.unread])
    return datetime.fromtimestamp(latest.micros / 1e6, UTC)


@dataclass
class _Latest:
    """The latest time in the backup's rows.

    Attributes:
        micros: in microseconds since 1970; where: in which column it stands.
        unread: what could not be read, in words.
    """

    micros: int | None = None
    where: str = ""
    unread: list[str] = field(default_factory=list)

    def note(self, micros: int | None, where: str) -> None:
        """Take a time if it is later."""
        if micros is None:
            return
        if self.micros is None or micros > self.micros:
            self.micros = micros
            self.where = where


def _latest_time(work: Workspace, end: datetime) -> _Latest:
    """The latest time until `end` in the backup's rows."""
    latest = _Latest()
    for table in work.backup.catalog.roots:
        columns = time_columns(table)
        if not columns or not work.holds("backup", table.name):
            continue
        try:
            times = _latest_of(work, table.name, columns, end)
        except EvidenceError as error:
            if is_lost(error):
                raise
            latest.unread.append(error.message)
            continue
        for column, micros in times:
            latest.note(micros, f"{table.name}.{column}")
    return latest


def _latest_of(
    work: Workspace, name: TableName, columns: Sequence[str], end: datetime
) -> list[tuple[str, int | None]]:
    """The latest times until `end` in a table's columns, in each part of it."""
    until = int(end.timestamp() * 1_000_000)
    casts = []
    latest = []
    for place in range(len(columns)):
        casts.append(f"TRY_CAST(c{place} AS TIMESTAMP)")
        within = f"isfinite(t{place}) AND epoch_us(t{place}) <= {until}"
        latest.append(f"max(epoch_us(t{place})) FILTER ({within})")
    times = f"SELECT {renamed(casts, 't')} FROM {{rows}}"
    kept = work.stream("backup", name, columns, f"SELECT {listed(latest)} FROM ({times})")
    rows = work.ask(f"SELECT * FROM {kept}")
    work.drop(kept)
    found = []
    for place, column in enumerate(columns):
        for row in rows:
            found.append((column, row[place]))
    return found


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
