"""The window and the unobservable rows, as the contract's JSON has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from forensics.documents import plain
from forensics.errors import EvidenceError, is_lost
from forensics.loss.window.times import (
    Basis,
    time_of_backup,
    time_of_first_migration,
    time_of_incident,
)
from forensics.loss.window.unseen import Unseen, Window, not_known
from forensics.loss.workspace import Workspace
from forensics.model import Parent, TableName


def work_out(
    work: Workspace,
    entries: Sequence[Mapping[str, Any]],
    parents: Mapping[TableName, tuple[Parent, ...]],
) -> dict[str, Any]:
    """Return the window and the unobservable rows of each junction table.

    What cannot be read is said in the basis.

    Args:
        work: the run's workspace.
        entries: the junction tables, as the document has them.
        parents: their parents.
    """
    basis: dict[str, str] = {}
    incident_at = time_of_incident(work, basis)
    backup_at = None
    seconds = None
    # Without a junction table nobody asks for the window: the backup is not read once
    # more to find its time.
    if entries or _backup_is_dated(work):
        backup_at = time_of_backup(work, incident_at, basis)
        if incident_at is None:
            incident_at = time_of_first_migration(work, backup_at, basis)
        seconds = _length(backup_at, incident_at, basis)
    window = None
    if backup_at is not None and seconds is not None:
        window = Window(backup_at.timestamp(), seconds)
    unobservable = []
    for entry in entries:
        name = TableName(entry["schema"], entry["table"])
        found = _unseen(work, name, parents[name], window)
        unobservable.append({**plain(name), **found})
    return {
        "backup_at": plain(backup_at),
        "incident_at": plain(incident_at),
        "seconds": seconds,
        "basis": basis,
        "unobservable": unobservable,
    }


def _backup_is_dated(work: Workspace) -> bool:
    """Whether the backup's time is known without reading its rows."""
    if work.store.get("backup_at") is not None:
        return True
    return work.backup.provenance.dumped_at is not None


def _length(backup_at: datetime | None, incident_at: datetime | None, basis: Basis) -> float | None:
    """The window's length in seconds, or None where there is no window."""
    if backup_at is None or incident_at is None:
        return None
    seconds = (incident_at - backup_at).total_seconds()
    if seconds > 0:
        return seconds
    said = f"{basis.get('incident_at', '')}; that is not after the backup, so there is no window"
    basis["incident_at"] = said.lstrip("; ")
    return None


def _unseen(
    work: Workspace, name: TableName, parents: tuple[Parent, ...], window: Window | None
) -> dict[str, Any]:
    """How many rows of one junction table nobody can see."""
    if window is None:
        return not_known("the window is not known")
    try:
        return Unseen(work, name, parents, window).run()
    except EvidenceError as error:
        if is_lost(error):
            raise
        return not_known(f"cannot be estimated: {error}")
