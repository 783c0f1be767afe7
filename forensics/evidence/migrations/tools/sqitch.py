"""sqitch: `sqitch.plan` lists the changes, `deploy/NAME.sql` is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File
from forensics.evidence.migrations.tool import Folder, HistoryTable, Tool


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


def entry(row: Row) -> HistoryEntry:
    return row.named("change", "committed_at")


TOOL = Tool(
    name="sqitch",
    folder=Folder("sqitch", files),
    history=HistoryTable(
        "changes",
        ("change_id", "change", "committed_at"),
        entry,
        also=(
            "script_hash",
            "project",
            "note",
            "committer_name",
            "committer_email",
            "planned_at",
            "planner_name",
            "planner_email",
        ),
        apart=True,
    ),
)
