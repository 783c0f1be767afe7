"""Where each migration stands: before or after the backup, run or only marked, its file as it was or edited since.

What the history tables of both sides say is held against the folder. Nothing is guessed: what does not fit together is
said in `notes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal

from forensics.errors import UsageError
from forensics.evidence.migrations import APART, HistoryEntry, Migration, MigrationFolder

State = Literal["applied", "marked as applied", "rolled back", "failed", "pending"]
FileState = Literal["match", "edited", "absent"]


@dataclass(frozen=True)
class Placed:
    """One migration, as both histories and the folder have it.

    `state` is what live's history says, or the backup's where live says nothing. `attempts` is the number of rows with
    its name. `checked` is False where the tool keeps no checksum, so that a file cannot be told from an edited one.
    """

    name: str
    applied_at: datetime | None
    in_backup: bool
    in_live: bool
    file: FileState
    rolled_back: bool
    state: State
    attempts: int = 0
    checked: bool = True
    tool: str | None = None


@dataclass(frozen=True)
class History:
    """All migrations in order, those to replay between backup and live, and what there is to say.

    `schema` is where names without one lead: the schema of the history table, where Prisma and others work.
    """

    migrations: tuple[Placed, ...]
    between: tuple[Migration, ...]
    notes: tuple[str, ...] = ()
    schema: str = "public"


def place(
    entries: Mapping[str, Sequence[HistoryEntry]],
    errors: Mapping[str, str],
    folder: MigrationFolder | None,
    backup_at: datetime | None,
    ran: Sequence[str] = (),
) -> History:
    """Place every migration.

    Args:
        entries: by side, "backup" and "live", its history.
        errors: by side, why its history could not be read.
        folder: the migration files.
        backup_at: when the backup was taken: stands in for a history that it does not hold.
        ran: shell patterns of migrations that ran between backup and live, where no history says so.

    Raises:
        UsageError: a pattern of `ran` fits no migration of the folder.
    """
    files = folder.migrations if folder else ()
    order = {m.name: i for i, m in enumerate(files)}
    backup, live = _by_name(entries["backup"], files), _by_name(entries["live"], files)
    notes = [
        f"The migration history of the {side} could not be read: {words}"
        for side, words in sorted(errors.items())
    ]
    placed = [
        _placed(name, backup.get(name, []), live.get(name, []), _file(name, files))
        for name in {*order, *backup, *live}
    ]
    placed.sort(
        key=lambda p: (p.state == "pending", _moment(p, order), order.get(p.name, -1), p.name)
    )

    forced = _chosen(ran, files)
    between = []
    for p in placed:
        entry = next((e for e in live.get(p.name, []) if e.ran), None)
        already = any(e.ran for e in backup.get(p.name, [])) and not _ran_again(
            backup.get(p.name, []), live.get(p.name, [])
        )
        if "backup" in errors and entry is not None:
            when = entry.applied_at or entry.started_at
            if when is None or backup_at is None:
                notes.append(
                    f"Whether {p.name} ran before or after the backup is not known: neither the backup nor its time says so."
                )
                continue
            already = when <= backup_at
        if (entry is not None and not already) or p.name in forced:
            file = _file(p.name, files)
            if file is None:
                notes.append(
                    f"{p.name} ran between backup and live and has no file: what it did cannot be replayed."
                )
            else:
                between.append(file)
                if p.file == "edited":
                    notes.append(
                        f"{p.name} was edited since it ran: its statements may not be those that ran."
                    )
        notes += _contradictions(p, backup.get(p.name, []), live.get(p.name, []))
    if folder and not entries["backup"] and not entries["live"] and not errors and not forced:
        notes.append(
            "Neither side holds a migration history that is known here: say which migrations ran between them with --ran NAME."
        )
    applied = [order[p.name] for p in placed if p.name in order and p.in_live]
    if applied:
        late = [
            p.name
            for p in placed
            if p.state == "pending" and order[p.name] < max(applied) and p.name not in forced
        ]
        notes += [
            f"{name} stands in the folder before migrations that were applied, and was never applied itself."
            for name in late
        ]
    schema = schema_of([*entries["live"], *entries["backup"]], files)
    return History(tuple(placed), tuple(between), tuple(dict.fromkeys(notes)), schema)


def schema_of(entries: Sequence[HistoryEntry], files: Sequence[Migration]) -> str:
    """Return where names without a schema lead: to the schema of the history table, where its tool keeps it with the others.

    A database may hold several histories: the one that the files belong to counts, if one does.
    """
    held = [e for e in entries if e.tool not in APART]
    ours = {e.table for e in entries if _match(e, files)}
    held = [e for e in held if e.table in ours] if ours else held
    return held[0].table.schema if held else "public"


def _ran_again(backup: Sequence[HistoryEntry], live: Sequence[HistoryEntry]) -> bool:
    """Whether a migration that the backup had ran once more: Flyway's repeatable ones, or one that was taken back in between."""
    before = {e.moment for e in backup if e.ran and e.moment}
    return bool(before) and any(e.ran and e.moment and e.moment > max(before) for e in live)


def _by_name(
    entries: Sequence[HistoryEntry], files: Sequence[Migration]
) -> dict[str, list[HistoryEntry]]:
    found: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        file = _match(entry, files)
        names = [file.name if file else entry.name]
        if entry.tool == "Flyway" and entry.cumulative:
            upto = tuple(int(n) for n in re.findall(r"\d+", entry.name))
            names = [m.name for m in files if m.order is not None and m.order <= upto] or names
        elif entry.cumulative and file:
            names = [m.name for m in files[: files.index(file) + 1]]
        for name in names:
            # Of a version that is dirty, those before it went through.
            found.setdefault(name, []).append(
                entry if name == names[-1] else replace(entry, failed=False)
            )
    return found


def _match(entry: HistoryEntry, files: Sequence[Migration]) -> Migration | None:
    """The file of a history entry: by its name, else by its version, for Drizzle by its content or its time."""
    for file in files:
        if file.name == entry.name:
            return file
    if entry.tool == "Drizzle":
        for file in files:
            if entry.checksum in file.checksums or (
                file.created_at is not None and str(file.created_at) == entry.name
            ):
                return file
        return None
    if entry.tool == "Liquibase":
        return None  # a file of Liquibase's may hold several changes, and it runs each once
    if entry.tool == "Alembic":
        return next((f for f in files if entry.name and entry.name in f.name), None)
    if entry.tool == "Django":
        return next((f for f in files if _is_of_app(f, *entry.name.split(".", 1))), None)
    return next((f for f in files if _version(f.version) == _version(entry.name)), None)


def _is_of_app(file: Migration, app: str, name: str) -> bool:
    """Whether a file is what sqlmigrate wrote of an app's migration: it carries the app's name, lies in its folder, or is alone of its name."""
    if re.sub(r"\W+", "_", file.name) == f"{app}_{name}":
        return True
    folder = file.path.resolve().parent
    if folder.name == "migrations":
        folder = folder.parent
    return file.name == name and (folder.name == app or not name.startswith("0001"))


def _version(text: str) -> str:
    return text.lstrip("0") if text.isdigit() else text


def _file(name: str, files: Sequence[Migration]) -> Migration | None:
    return next((f for f in files if f.name == name), None)


def _placed(
    name: str, backup: Sequence[HistoryEntry], live: Sequence[HistoryEntry], file: Migration | None
) -> Placed:
    latest = [*(live or backup)]
    # The row that counts is the one that is in force; a failed first try leaves another of the same name.
    chosen = next((e for e in reversed(latest) if e.in_force), latest[-1] if latest else None)
    if latest and latest[-1].tool == "goose":
        chosen = latest[-1]  # it notes a migration that it takes back in a row of its own
    state: State = "pending"
    if chosen is not None:
        state = (
            "rolled back"
            if chosen.rolled_back
            else "failed"
            if chosen.failed
            else "applied"
            if chosen.ran
            else "marked as applied"
        )
    file_state: FileState = "absent" if file is None else "match"
    if file and chosen and chosen.checksum and chosen.checksum not in file.checksums:
        file_state = "edited"
    return Placed(
        name,
        (chosen.applied_at or chosen.started_at) if chosen and not chosen.failed else None,
        bool(backup),
        bool(live),
        file_state,
        chosen is not None and chosen.rolled_back,
        state,
        len(latest),
        bool(file and chosen and chosen.checksum),
        chosen.tool if chosen else None,
    )


def _moment(placed: Placed, order: Mapping[str, int]) -> float:
    if placed.applied_at is not None:
        return placed.applied_at.timestamp()
    return float("inf") if placed.state in ("pending", "failed") else float("-inf")


def _contradictions(
    placed: Placed, backup: Sequence[HistoryEntry], live: Sequence[HistoryEntry]
) -> list[str]:
    found = []
    name = placed.name
    if any(e.in_force for e in backup) and not live:
        found.append(
            f"{name} is in the backup's history and not in live's: live was restored from elsewhere, or its history was edited."
        )
    ours, theirs = (
        {e.checksum for e in side if e.checksum and e.in_force} for side in (backup, live)
    )
    if ours and theirs and ours.isdisjoint(theirs):
        found.append(
            f"{name} has one checksum in the backup's history and another in live's: it was run again from another file, or edited."
        )
    if len(theirs) > 1:
        found.append(
            f"{name} ran more than once, from files that differ: only the last of them can be replayed."
        )
    if placed.state == "rolled back" and any(e.ran for e in live):
        found.append(f"{name} ran and was taken back: what took it back is not replayed.")
    if placed.state == "marked as applied" and not any(e.in_force for e in backup):
        found.append(
            f"{name} is marked as applied and its SQL was not run by {placed.tool}: it is not replayed."
        )
    if placed.state == "failed":
        found.append(
            f"{name} failed half-way: what it did before it failed is not known and counts as unexplained."
        )
    return found


def _chosen(patterns: Sequence[str], files: Sequence[Migration]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        fitting = {f.name for f in files if fnmatchcase(f.name, pattern)}
        if not fitting:
            raise UsageError(
                f"--ran {pattern} fits no migration of the folder.",
                "Write a migration's name, or a shell pattern.",
            )
        found |= fitting
    return found
