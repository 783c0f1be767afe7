"""A folder of migrations, read as the tool lays it out that knows it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import MigrationError
from forensics.evidence.migrations.migration import Migration
from forensics.evidence.migrations.shapes import File, Part, sql_files
from forensics.evidence.migrations.tools import TOOLS

_BACK = re.compile(r"(?P<name>.+)[._-](?:down|undo|rollback|revert)\.sql\Z", re.I)
_NAMED_BY_FOLDER = ("migration.sql", "ops.json")  # Prisma's


def _as_sql() -> Mapping[str, Sequence[str]]:
    """By the endings of files that hold no SQL, what makes their tools say it."""
    found: dict[str, list[str]] = {}
    for tool in TOOLS:
        if tool.in_code is None:
            continue
        for ending in tool.in_code.endings:
            said = found.setdefault(ending, [])
            if tool.in_code.as_sql not in said:
                said.append(tool.in_code.as_sql)
    return found


_AS_SQL = _as_sql()
_NAMED = re.compile(r"\d+[_.-]|Migration\d{6}")  # as most tools name what they write


@dataclass(frozen=True)
class Unread:
    """A file of code that is a migration by its name, and of which there is no SQL."""

    path: Path

    @property
    def as_sql(self) -> str:
        """What makes its tool say it in SQL."""
        return ", or ".join(_AS_SQL[self.path.suffix])

    def is_of(self, name: str) -> bool:
        """Whether a history means it by a name: the file's, its number, or its class."""
        number = re.match(r"\d*", self.path.stem)
        digits = number[0] if number else ""
        called = name.rpartition(".")[2]
        if called == self.path.stem or self.path.name in name or (digits and digits == name):
            return True
        return len(digits) > 12 and name.endswith(digits)


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
    unread = () if kind == "single file" else _unread(path, found)
    return MigrationFolder(path, kind, tuple(found), unread)


def _unread(path: Path, migrations: Sequence[Migration]) -> tuple[Unread, ...]:
    """The migrations below a folder that are code and of which no SQL is there."""
    said = {migration.name.rpartition(".")[2] for migration in migrations}
    found = []
    for one in sorted(path.rglob("*")):
        if one.suffix not in _AS_SQL or not _NAMED.match(one.name) or not one.is_file():
            continue
        within = one.relative_to(path).parts
        if one.stem not in said and "." not in one.stem and "node_modules" not in within:
            found.append(Unread(one))
    return tuple(found)


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
    endings = sorted(_endings_of_code(path))
    if not endings:
        return MigrationError(
            f"{said}.",
            "Give the folder that Prisma, Drizzle, Flyway, dbmate, goose or golang-migrate keeps "
            "its files in.",
        )
    as_sql = ", or ".join(_AS_SQL[endings[0]])
    return MigrationError(
        f"{said}, and what {' and '.join(endings)} files do is not read.",
        f"If they are its migrations, have their tool write them as SQL ({as_sql}), "
        "and give that file.",
    )


def _endings_of_code(folder: Path) -> set[str]:
    """The endings of files below a folder in which a tool may keep migrations that are no SQL."""
    found = set()
    for path in folder.rglob("*"):
        if path.suffix in _AS_SQL and path.is_file():
            found.add(path.suffix)
    return found
