"""sqitch: `sqitch.plan` lists the changes, `deploy/NAME.sql` is one of them.

Its table `changes` has what is deployed, its table `events` all that it ever did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File
from forensics.evidence.migrations.tool import Folder, HistoryTable, Kept, Log, Tool


def files(folder: Path) -> Sequence[File] | None:
    plan = folder / "sqitch.plan"
    if not plan.is_file():
        return None
    found = []
    for name in _changes(plan):
        path = folder / "deploy" / f"{name}.sql"
        if path.is_file():
            found.append(File(name, path))
    if not found:
        raise MigrationError(
            f"{folder} has a sqitch.plan, and no change of it in deploy.",
            "Restore the files from version control.",
        )
    return found


def _changes(plan: Path) -> Iterable[str]:
    """The names of a plan's changes; one that comes again was reworked."""
    names: dict[str, None] = {}
    for line in plan.read_text(encoding="utf-8").splitlines():
        # A change's name comes first in its line; % is a pragma, @ a tag, # a comment.
        words = line.split()
        if words and words[0][0] not in "%@#":
            names.setdefault(words[0])
    return names


def checksum(text: bytes, path: Path) -> str:
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def entry(row: Row) -> HistoryEntry:
    said = row.named("change", "committed_at")
    script = row.text("script_hash")
    if not script or script == row["change_id"]:
        return said  # an old registry that was upgraded has no hash, or repeats the change's own
    return replace(said, checksum=script)


def tell(entries: list[HistoryEntry], events: list[Row]) -> list[HistoryEntry]:
    """What failed, and what was deployed and reverted, beside what is deployed now."""
    found = [*entries]
    deployed: dict[str, list[HistoryEntry]] = {}
    for event in sorted(events, key=_when):
        said = event.named("change")
        at = event.time("committed_at")
        if event["event"] == "deploy":
            deployed.setdefault(said.name, []).append(replace(said, applied_at=at))
        elif event["event"] == "fail":
            found.append(replace(said, started_at=at, failed=True))
        elif event["event"] == "revert":
            before = deployed.get(said.name) or [said]
            found.append(replace(before.pop(), rolled_back_at=at, rolled_back=True))
    return found


def _when(event: Row) -> datetime:
    return event.time("committed_at") or datetime.min.replace(tzinfo=UTC)


_WHO = (
    "note",
    "committed_at",
    "committer_name",
    "committer_email",
    "planned_at",
    "planner_name",
    "planner_email",
)

TOOL = Tool(
    name="sqitch",
    folder=Folder("sqitch", files),
    history=HistoryTable(
        "changes",
        ("change_id", "change", "committed_at"),
        entry,
        also=("project", *_WHO),
        apart=True,
        optional=("script_hash",),
        log=Log("events", ("event", "change", "committed_at"), tell),
    ),
    checksum=checksum,
    keeps=(
        Kept("releases", ("version", "installed_at", "installer_name", "installer_email")),
        Kept("projects", ("project", "uri", "created_at", "creator_name", "creator_email")),
        Kept("tags", ("tag_id", "tag", "project", "change_id", *_WHO)),
        Kept("dependencies", ("change_id", "type", "dependency", "dependency_id")),
        Kept(
            "events",
            ("event", "change_id", "change", "project", "requires", "conflicts", "tags", *_WHO),
        ),
    ),
)
