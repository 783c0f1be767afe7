"""The safer migrations of a plan: written, and tried where that is wished for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.cause.history import History
from forensics.errors import RecoveryError
from forensics.evidence import Source
from forensics.model import TableName
from forensics.recovery.proof import Trial
from forensics.recovery.rehearse.copies import BackupCopy, backup_copy
from forensics.recovery.rehearse.servers import a_server, backup_bytes, expect_room, has_xml
from forensics.recovery.rehearse.trial import named_tables, try_migrations, write_migration
from forensics.recovery.wishes import Wishes
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.columns import open_backup
from forensics.recovery.write.migration import Safer, safer_migration
from forensics.store import Store

_SMALL = 64 << 20  # bytes that are copied whole, whoever needs them
_NONE_REWRITTEN = "No migration that ran since the backup destroys anything: none was rewritten."


@dataclass(frozen=True)
class SaferMigrations:
    """What came of them.

    Attributes:
        trials: one a migration that was written.
        notes: what else is to be known.
    """

    trials: tuple[Trial, ...] = ()
    notes: tuple[str, ...] = ()


def safer_migrations(
    store: Store,
    out: Path,
    found: Sequence[Place],
    history: History,
    wishes: Wishes,
    restored: BackupCopy | None = None,
) -> SaferMigrations:
    """Write a safer migration for each that destroyed something.

    They are tried where rehearsing is wished for.

    Args:
        store: the case, open.
        out: the folder to write into.
        found: the new places of links.
        history: the migrations that ran since the backup.
        wishes: what else is wanted.
        restored: the whole backup, where it stands restored.
    """
    written = _written(store, found, history)
    for safer in written:
        write_migration(safer, out)
    if not written:
        return SaferMigrations(notes=(*history.notes, _NONE_REWRITTEN))
    notes = history.notes
    if wishes.rehearse:
        try:
            if restored and _is_as_good(restored, _named(restored.backup, written, history)):
                catalog, schema = restored.backup.catalog, history.schema
                return SaferMigrations(try_migrations(written, restored, catalog, schema), notes)
            with open_backup(store, wishes.backup) as backup:
                return SaferMigrations(_tried(store, backup, written, history, wishes), notes)
        except RecoveryError as error:
            notes = (*notes, f"The safer migration was not tried: {error}")
    return SaferMigrations(tuple(_untried(safer) for safer in written), notes)


def _written(store: Store, found: Sequence[Place], history: History) -> list[Safer]:
    """The migrations that destroyed something, rewritten."""
    catalog = store.catalogs()[0]
    written = []
    for migration in history.between:
        safer = safer_migration(migration, catalog, history.schema, found)
        if safer:
            written.append(safer)
    return written


def _untried(safer: Safer) -> Trial:
    return Trial(
        safer.name,
        safer.original.name,
        rows=None,
        values=None,
        links=None,
        lost=None,
        schema_equal=None,
        seconds=None,
        notes=tuple(safer.notes),
    )


def _tried(
    store: Store,
    backup: Source,
    written: Sequence[Safer],
    history: History,
    wishes: Wishes,
) -> tuple[Trial, ...]:
    """Try the safer migrations on copies of the backup; raises as `try_migrations`.

    The copies have the rows of the tables that the migrations name.
    """
    tables = _named(backup, written, history)
    used = []
    for table in backup.catalog.tables.values():
        if tables is None or table.name in tables:
            used.append(table)
    version = backup.provenance.server_version
    server = a_server(wishes.scratch, version, needs_xml=False, likes_xml=has_xml(used))
    with server as scratch:
        expect_room(
            scratch,
            3 * backup_bytes(backup, {}, {}),
            "Trying the safer migration on copies of the backup",
        )
        ddl = store.get("ddl") or ()
        with backup_copy(scratch, backup, ddl, tables, wishes.tell) as copy:
            return try_migrations(written, copy, backup.catalog, history.schema)


def _is_as_good(restored: BackupCopy, tables: Collection[TableName] | None) -> bool:
    """Whether copying all of a restored backup is no more work than restoring some tables."""
    whole = wanted = whole_bytes(restored.backup)
    if tables is not None:
        wanted = whole_bytes(restored.backup, tables)
    if whole > _SMALL and wanted * 2 < whole:
        return False
    expect_room(restored.scratch, 2 * whole, "Trying the safer migration on copies of the backup")
    return True


def whole_bytes(backup: Source, tables: Collection[TableName] | None = None) -> int:
    """About how many bytes a backup takes once restored, or some of its tables, by its text."""
    found = 0
    for name, held in backup.contents().items():
        if tables is None or name in tables:
            found += (held.bytes or 0) * backup.provenance.growth
    return found


def _named(
    backup: Source,
    written: Sequence[Safer],
    history: History,
) -> Collection[TableName] | None:
    """The tables that the migrations name; None for all of them."""
    texts = [migration.applied.decode("utf-8-sig") for migration in history.between]
    for safer in written:
        if safer.notes:
            # What was not rewritten may touch any table.
            return None
        texts.append(safer.sql)
    return named_tables(texts, history.schema, backup.catalog)
