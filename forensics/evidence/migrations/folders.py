"""A folder of migrations, read as the tool lays it out that knows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.code import Unread, as_sql, endings_of_code, unread_below
from forensics.evidence.migrations.migration import Migration
from forensics.evidence.migrations.shapes import File, Part, sql_files
from forensics.evidence.migrations.tools import TOOLS

_BACK = re.compile(r"(?P<name>.+)[._-](?:down|undo|rollback|revert)\.sql\Z", re.I)
_NAMED_BY_FOLDER = ("migration.sql", "ops.json")  # Prisma's


@dataclass(frozen=True)
class MigrationFolder:
    """A folder's migrations, in the order in which its tool runs them.

    `kind` is what a tool calls its folders (`prisma`), "up files", "marked files", "plain files",
    or "single file". `unread` are migrations that are code, beside those that are SQL.
    """

    path: Path
    kind: str
    migrations: tuple[Migration, ...]
    unread: tuple[Unread, ...] = ()

    def __getitem__(self, name: str) -> Migration:
        return next(m for m in self.migrations if m.name == name)


def read_folder(path: Path) -> MigrationFolder:
    """Read a migration folder, or a single migration: its file, or the folder that holds its
    `migration.sql` or `ops.json`.

    Raises:
        MigrationError: there is nothing there, it cannot be read, or it holds no migration.
    """
    try:
        return _read(path)
    except OSError as error:
        raise MigrationError(
            f"{error.filename or path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error


def _read(path: Path) -> MigrationFolder:
    if path.is_file():
        name = path.parent.name if path.name in _NAMED_BY_FOLDER else path.stem
        return _folder(path.parent, "single file", [File(name, path)])
    if not path.is_dir():
        raise MigrationError(
            f"{path} is not there.", "Give the folder of the migrations, or a migration's SQL file."
        )
    for name in _NAMED_BY_FOLDER:
        only = path / name
        if only.is_file():
            return _folder(path, "single file", [File(path.resolve().name, only)])
    for tool in TOOLS:
        if tool.folder is None:
            continue
        files = tool.folder.files(path)
        if files is not None:
            return _folder(path, tool.folder.kind, files)
    if files := _plain_files(path):
        found = _folder(path, "plain files", files)
        if any(migration.marked for migration in found.migrations):
            return replace(found, kind="marked files")
        return found
    if (path / "migrations").is_dir():
        return _read(path / "migrations")
    raise _no_folder(path)


def _folder(path: Path, kind: str, files: Sequence[File]) -> MigrationFolder:
    found: list[Migration] = []
    for file in files:
        found += _migrations(file)
    unread = () if kind == "single file" else unread_below(path, _said(found))
    return MigrationFolder(path, kind, tuple(found), unread)


def _said(migrations: Sequence[Migration]) -> set[str]:
    """What the migrations that are SQL are called, by their files and by a history."""
    found = set()
    for migration in migrations:
        found |= {migration.name, migration.name.rpartition(".")[2]}
        if migration.part:
            found.add(migration.part.known_as)
    return found


def _migrations(file: File) -> list[Migration]:
    """The migrations of a file: one, or those that it says it holds."""
    whole = Migration(file.name, file.path, file.path.read_bytes(), file.created_at)
    for tool in TOOLS:
        parts = tool.parts(whole.text) if tool.parts else ()
        if len(parts) == 1 and not parts[0].name:
            return [replace(whole, part=parts[0])]
        if parts:
            return [_of_part(whole, part) for part in parts]
    return [whole]


def _of_part(whole: Migration, part: Part) -> Migration:
    name = part.known_as
    if part.name:
        name = f"{whole.name}::{part.name}"
    return replace(whole, name=name, part=part)


def _plain_files(folder: Path) -> list[File]:
    """The files that run forward where no tool says which do."""
    paths = sql_files(folder)
    there = {path.stem for path in paths}
    found = []
    for path in paths:
        # Only a file that has its counterpart runs backward: "take_down.sql" may be a migration.
        back = _BACK.match(path.name)
        if back is None or back["name"] not in there:
            found.append(File(path.stem, path))
    return found


def _no_folder(path: Path) -> MigrationError:
    said = (
        f"{path} is no migration folder that is read here: "
        "there is no .sql file in it and no folder with a migration.sql"
    )
    endings = sorted(endings_of_code(path))
    if not endings:
        return MigrationError(
            f"{said}.",
            "Give the folder that Prisma, Drizzle, Flyway, dbmate, goose or golang-migrate keeps "
            "its files in.",
        )
    return MigrationError(
        f"{said}, and what {' and '.join(endings)} files do is not read.",
        f"If they are its migrations, have their tool write them as SQL ({as_sql(endings[0])}), "
        "and give that file.",
    )
