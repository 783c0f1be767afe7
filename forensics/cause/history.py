"""Where each migration stands: before or after the backup, run or only marked, edited or not.

What the history tables of both sides say is held against the folder. Nothing is guessed: what does
not fit together is said in `notes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase

from forensics.cause.backward import Backward, backward
from forensics.cause.checksums import of_checksums
from forensics.cause.code import Code, is_code
from forensics.cause.matching import by_name, named
from forensics.cause.naming import schema_of
from forensics.cause.placed import FileState, Placed, State
from forensics.errors import UsageError
from forensics.evidence.migrations import (
    HistoryEntry,
    Migration,
    MigrationFolder,
    kept_by,
)
from forensics.model import Table, TableName

_LIVE_UNREAD = (
    "Which migrations ran since the backup is not known, since live's history could not be read: "
    "say so with --ran NAME."
)
_NO_HISTORY = (
    "Neither side holds a migration history that is known here: "
    "say which migrations ran between them with --ran NAME."
)
_EITHER_WAY = (
    "Whether {} ran before or after the backup is not known: "
    "neither the backup nor its time says so."
)
_NO_TABLES: Mapping[TableName, Table] = {}


@dataclass(frozen=True)
class History:
    """Where the migrations of a case stand.

    Attributes:
        migrations: all of them, in order.
        between: those to replay between backup and live.
        notes: what there is to say.
        unknown: why it is not known which migrations ran between backup and live, in sentences.
        schema: where names without one lead; as `schema_of`.
        afterwards: those of `between` that are left out of it, because they ran on tables which
            were made anew.
    """

    migrations: tuple[Placed, ...]
    between: tuple[Migration, ...]
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    schema: str = "public"
    afterwards: tuple[Migration, ...] = ()


@dataclass(frozen=True)
class Renewal:
    """A schema that was rebuilt, as far as it concerns the migrations.

    Attributes:
        tables: those that were made anew, or are gone with it.
        by: when it was at the latest.
        again: when the first migration ran again upon it, where they did.
    """

    tables: Collection[TableName]
    by: datetime | None
    again: datetime | None = None

    def is_before(self, entry: HistoryEntry) -> bool:
        """Whether a migration that live notes began after it.

        What is noted only at its end may have begun before, and be what made the tables anew.
        """
        if self.again and entry.moment and entry.moment >= self.again:
            return True
        return bool(self.by and entry.started_at and entry.started_at > self.by)


@dataclass(frozen=True)
class _Known:
    """All that is known of one migration: its file, and what both histories say of it."""

    name: str
    file: Migration | None
    backup: Sequence[HistoryEntry]
    live: Sequence[HistoryEntry]

    def gave_way(self, live: Sequence[HistoryEntry]) -> bool:
        """Whether its row is gone only because its tool keeps that of the newest migration.

        Args:
            live: all that live's history says.
        """
        if self.live or not self.backup or not all(entry.replaced for entry in self.backup):
            return False
        tables = {entry.table for entry in live}
        return all(entry.table in tables for entry in self.backup)

    @property
    def latest(self) -> Sequence[HistoryEntry]:
        """What live's history says, or the backup's where live says nothing."""
        return self.live or self.backup

    @property
    def kept(self) -> Migration | None:
        """What live's history itself keeps of what ran."""
        entry = self.ran_in_live
        return kept_by(entry, self.name) if entry else None

    @property
    def as_it_ran(self) -> Migration | None:
        """What to replay: its file, unless the history keeps what ran, and the file is not that."""
        entry = self.ran_in_live
        if self.file and entry and entry.checksum in self.file.checksums:
            return self.file
        return self.kept or self.file

    @property
    def ran_in_live(self) -> HistoryEntry | None:
        """The first time that it ran, as live has it."""
        for entry in self.live:
            if entry.ran:
                return entry
        return None

    @property
    def ran_since(self) -> bool | None:
        """Whether it ran between backup and live, as both histories have it."""
        if self.ran_in_live is None:
            return False
        ran_before = any(entry.ran for entry in self.backup)
        return not ran_before or self._ran_again

    def ran_after(self, backup_at: datetime | None) -> bool | None:
        """Whether it ran after the backup's time, by live's history alone; None: not known."""
        entry = self.ran_in_live
        if entry is None:
            return False
        if entry.moment is None or backup_at is None:
            return None
        return entry.moment > backup_at

    def is_of(self, renewal: Renewal | None) -> bool:
        """Whether it was noted, or ran, after a rebuild alone, or what noted it went with that."""
        if renewal is None or not self.latest:
            return False
        for entry in self.latest:
            late = bool(self.live) and renewal.is_before(entry)
            if entry.table not in renewal.tables and not late:
                return False
        return True

    @property
    def _ran_again(self) -> bool:
        """Whether a migration that the backup had ran once more.

        Flyway's repeatable ones do, and one that was taken back in between.
        """
        before = _moments(self.backup)
        after = _moments(self.live)
        return bool(before) and bool(after) and max(after) > max(before)


def place(
    entries: Mapping[str, Sequence[HistoryEntry]],
    errors: Mapping[str, str],
    folder: MigrationFolder | None,
    backup_at: datetime | None,
    ran: Sequence[str] = (),
    tables: Mapping[TableName, Table] = _NO_TABLES,
    renewal: Renewal | None = None,
) -> History:
    """Place every migration.

    Args:
        entries: by side, "backup" and "live", its history.
        errors: by side, why its history could not be read.
        folder: the migration files.
        backup_at: when the backup was taken: stands in for a history that it does not hold.
        ran: shell patterns of migrations that ran between backup and live, where no history says
            so.
        tables: those of both sides: they tell where names without a schema lead.
        renewal: the schema was rebuilt in between: what ran after that took nothing of the backup.

    Raises:
        UsageError: a pattern of `ran` fits no migration of the folder.
    """
    files = folder.migrations if folder else ()
    back = backward(entries, files)
    entries = back.entries
    known = _known(entries, files)
    placed = _in_order(known.values(), files)
    forced = _chosen(ran, files) | back.ways
    found = _Between([*_unread(errors)], Code.of(folder, entries["backup"]))
    live_was_read = "live" not in errors
    if not live_was_read and not forced:
        found.unknown.append(_LIVE_UNREAD)
    renewed = _renewed(known, forced, renewal)
    for one in _less(placed, renewed):
        told = known[one.name]
        found.look(one, told, one.name in forced or _ran_between(told, errors, backup_at))
        if live_was_read:
            found.notes += _contradictions(one, told, entries["live"])
    notes = found.notes
    if folder and not any(entries.values()) and not errors and not forced:
        notes.append(_NO_HISTORY)
    if live_was_read:
        notes += _left_behind(placed, files, forced)
    schema = schema_of([*entries["live"], *entries["backup"]], files, tables)
    return History(
        tuple(_as_known(one, known[one.name], entries["live"], errors, back) for one in placed),
        tuple(found.files),
        tuple(dict.fromkeys([*notes, *found.unknown])),
        tuple(found.unknown),
        tuple(found.unread),
        schema,
        _ran(renewed, placed),
    )


@dataclass
class _Between:
    """What ran between backup and live: the files, what there is to say, what is not known."""

    notes: list[str]
    code: Code
    files: list[Migration] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def look(self, placed: Placed, told: _Known, ran: bool | None) -> None:
        if ran is None:
            self.unknown.append(_EITHER_WAY.format(placed.name))
        elif ran:
            replayed = told.as_it_ran
            if replayed:
                self.files.append(replayed)
            unread = self.code.before(placed.name, replayed)
            for one in unread:
                self._say(is_code(placed.name, one))
            of_it = any(one.is_of(placed.name) for one in unread)
            self.notes += _doubts(placed, told.kept, of_it=of_it)

    def _say(self, sentence: str) -> None:
        """Say of a migration that it is code; of one that several lead to, once."""
        if sentence not in self.unread:
            self.unread.append(sentence)
            self.notes.append(sentence)


def _ran_between(one: _Known, errors: Mapping[str, str], backup_at: datetime | None) -> bool | None:
    """Whether a migration ran between backup and live; None where nothing tells."""
    if "backup" in errors:
        return one.ran_after(backup_at)
    return one.ran_since


def _as_known(
    placed: Placed,
    one: _Known,
    live: Sequence[HistoryEntry],
    errors: Mapping[str, str],
    back: Backward,
) -> Placed:
    """A migration without what a history would say that could not be read, or keeps no more."""
    if one.name in back.ways:
        return replace(placed, in_live=True, state="applied", file=None)
    if one.name in back.undone:
        return replace(placed, in_live=False, state="rolled back", rolled_back=True)
    if one.gave_way(live):
        placed = replace(placed, in_live=None)
    if "backup" in errors:
        placed = replace(placed, in_backup=None)
    if "live" in errors:
        placed = replace(placed, in_live=None)
        if placed.state == "pending":
            placed = replace(placed, state=None)
    return placed


def _renewed(
    known: Mapping[str, _Known], forced: Collection[str], renewal: Renewal | None
) -> list[_Known]:
    """The migrations that a rebuild concerns, less those that are said to have run before."""
    found = []
    for name, one in known.items():
        if name not in forced and one.is_of(renewal):
            found.append(one)
    return found


def _less(placed: Sequence[Placed], renewed: Sequence[_Known]) -> Iterator[Placed]:
    """The migrations but for those that a rebuild concerns."""
    names = {one.name for one in renewed}
    for one in placed:
        if one.name not in names:
            yield one


def _ran(renewed: Sequence[_Known], placed: Sequence[Placed]) -> tuple[Migration, ...]:
    """The files of those that live notes, in the order in which they ran."""
    files = {one.name: one.as_it_ran for one in renewed if one.live}
    found = [files.get(one.name) for one in placed]
    return tuple(file for file in found if file)


# --- one migration --------------------------------------------------------------------------------


def _known(
    entries: Mapping[str, Sequence[HistoryEntry]], files: Sequence[Migration]
) -> dict[str, _Known]:
    """By name, every migration of the folder and of both histories."""
    backup = by_name(entries["backup"], files)
    live = by_name(entries["live"], files)
    found = {}
    for name in (*(file.name for file in files), *backup, *live):
        found[name] = _Known(name, named(name, files), backup.get(name, []), live.get(name, []))
    return found


def _moments(entries: Sequence[HistoryEntry]) -> list[datetime]:
    """When a migration ran, as far as its tool noted it."""
    found = []
    for one in entries:
        # A row that only says that it was taken back has no time at which it ran.
        if one.ran and one.moment and (one.rolled_back_at or not one.rolled_back):
            found.append(one.moment)
    return found


def _placed(one: _Known) -> Placed:
    entry = _in_force(one.latest)
    file_state: FileState | None = "match" if one.file else "absent"
    if entry is None:
        return Placed(one.name, None, False, False, file_state, False, "pending", checked=False)
    checked = bool(one.file and entry.checksum)
    if one.file and entry.checksum:
        if entry.checksum not in one.file.checksums:
            file_state = "edited"
    elif one.file:
        file_state = None
    return Placed(
        one.name,
        entry.moment if not entry.failed else None,
        bool(one.backup),
        bool(one.live),
        file_state,
        entry.rolled_back,
        _state(entry),
        len(one.latest),
        checked,
        entry.tool,
    )


def _in_force(entries: Sequence[HistoryEntry]) -> HistoryEntry | None:
    """The row that counts; a failed first try leaves another of the same name."""
    if not entries:
        return None
    if entries[-1].tool == "goose":
        return entries[-1]  # it notes a migration that it takes back in a row of its own
    for entry in reversed(entries):
        if entry.in_force:
            return entry
    return entries[-1]


def _state(entry: HistoryEntry) -> State:
    if entry.rolled_back:
        return "rolled back"
    if entry.failed:
        return "failed"
    return "applied" if entry.ran else "marked as applied"


# --- all of them ----------------------------------------------------------------------------------


def _in_order(known: Iterable[_Known], files: Sequence[Migration]) -> list[Placed]:
    """Migrations in the order in which they ran; those of one time as the folder has them."""
    order = _order(files)

    def where(one: Placed) -> tuple[bool, float, int, str]:
        return one.state == "pending", _moment(one), order.get(one.name, -1), one.name

    return sorted(map(_placed, known), key=where)


def _order(files: Sequence[Migration]) -> dict[str, int]:
    return {file.name: number for number, file in enumerate(files)}


def _moment(placed: Placed) -> float:
    if placed.applied_at is not None:
        return placed.applied_at.timestamp()
    if placed.state in ("pending", "failed"):
        return float("inf")
    return float("-inf")


def _chosen(patterns: Sequence[str], files: Sequence[Migration]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        fitting = {file.name for file in files if fnmatchcase(file.name, pattern)}
        if not fitting:
            raise UsageError(
                f"--ran {pattern} fits no migration of the folder.",
                "Write a migration's name, or a shell pattern.",
            )
        found |= fitting
    return found


# --- what there is to say -------------------------------------------------------------------------


def _unread(errors: Mapping[str, str]) -> Iterator[str]:
    for side, words in sorted(errors.items()):
        yield f"The migration history of the {side} could not be read: {words}"


def _doubts(one: Placed, kept: Migration | None, *, of_it: bool) -> Iterator[str]:
    """Why what ran between backup and live may not be what is replayed."""
    if kept and one.file in ("absent", "edited"):
        why = "has no file" if one.file == "absent" else "was edited since it ran"
        yield f"{one.name} {why}: what {kept.path} keeps of it was replayed."
        return
    if one.file == "absent" and not of_it:
        yield (
            f"{one.name} ran between backup and live and has no file: "
            "what it did cannot be replayed."
        )
    if one.file == "edited":
        yield f"{one.name} was edited since it ran: its statements may not be those that ran."


def _contradictions(placed: Placed, one: _Known, live: Sequence[HistoryEntry]) -> Iterator[str]:
    """What does not fit together of one migration; `live` is all that live's history says."""
    name = placed.name
    in_force = any(entry.in_force for entry in one.backup)
    if in_force and not one.live and not one.gave_way(live):
        yield (
            f"{name} is in the backup's history and not in live's: "
            "live was restored from elsewhere, or its history was edited."
        )
    yield from of_checksums(name, one.backup, one.live)
    if placed.state == "rolled back" and one.ran_in_live:
        yield f"{name} ran and was taken back: what took it back is not replayed."
    if placed.state == "marked as applied" and not in_force:
        yield (
            f"{name} is marked as applied and its SQL was not run by {placed.tool}: "
            "it is not replayed."
        )
    if placed.state == "failed":
        yield (
            f"{name} failed half-way: "
            "what it did before it failed is not known and counts as unexplained."
        )


def _left_behind(
    placed: Sequence[Placed], files: Sequence[Migration], forced: set[str]
) -> Iterator[str]:
    """Migrations that stand in the folder before some that were applied, and never were."""
    order = _order(files)
    applied = [order[one.name] for one in placed if one.name in order and one.in_live]
    newest = max(applied, default=-1)
    ways = {file.name for file in files if file.takes_back}
    for one in placed:
        left = one.state == "pending" and one.name not in ways
        if left and order[one.name] < newest and one.name not in forced:
            yield (
                f"{one.name} stands in the folder before migrations that were applied, "
                "and was never applied itself."
            )
