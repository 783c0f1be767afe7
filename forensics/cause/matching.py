"""Which file of the folder an entry of a migration history means: every tool has its own ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from forensics.evidence.migrations import HistoryEntry, Migration, moment, numbers

_Files = Sequence[Migration]


def by_name(entries: Sequence[HistoryEntry], files: _Files) -> dict[str, list[HistoryEntry]]:
    """The entries of a history, by the migrations that they speak of."""
    found: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        names = _names(entry, files)
        for name in names:
            said = entry
            if name != names[-1]:
                # Of a version that is dirty, those before it went through.
                said = replace(entry, failed=False)
            found.setdefault(name, []).append(said)
    return found


def _names(entry: HistoryEntry, files: _Files) -> list[str]:
    """The migrations that an entry speaks of: one, or all up to a version."""
    file = match(entry, files)
    names = [entry.name]
    if file:
        names = [file.name]
    if not entry.cumulative:
        return names
    return _stood_for(entry, file, files) or names


def _stood_for(entry: HistoryEntry, file: Migration | None, files: _Files) -> list[str]:
    """The migrations for which an entry stands, itself last; none where the files do not tell."""
    if entry.tool == "Flyway":
        upto = tuple(map(int, re.findall(r"\d+", entry.name)))
        return [m.name for m in files if m.order is not None and m.order <= upto]
    if file and file.part and file.part.after is not None:
        return _with_ancestors(file, files)
    if file:
        return [m.name for m in files[: files.index(file) + 1]]
    return _upto(entry.name, files)


def _with_ancestors(file: Migration, files: _Files) -> list[str]:
    """A migration and those that had to run before it, as the files say; itself last."""
    known = {}
    for one in files:
        if one.part:
            known[one.part.known_as] = one
    found: dict[str, None] = {}
    left = [file]
    while left:
        one = left.pop()
        if one.name in found:
            continue
        found[one.name] = None
        for before in (one.part.after if one.part else None) or ():
            if before in known:
                left.append(known[before])
    return [*reversed(found)]


def _upto(version: str, files: _Files) -> list[str]:
    """The migrations up to a version whose own file is not there, where versions are numbers."""
    if not version.isdigit():
        return []
    found = []
    for file in files:
        if file.version.isdigit() and int(file.version) <= int(version):
            found.append(file.name)
    return found


def match(entry: HistoryEntry, files: _Files) -> Migration | None:
    """The file of a history entry: by its name, else in the way of its tool."""
    found = named(entry.name, files) or _known_as(entry.name, files)
    if found is None:
        found = _MATCHES.get(entry.tool, _by_version)(entry, files)
    return found


def named(name: str, files: _Files) -> Migration | None:
    """The file of a name."""
    for file in files:
        if file.name == name:
            return file
    return None


def _known_as(name: str, files: _Files) -> Migration | None:
    """The file, or the part of one, that says itself what a history calls it."""
    for file in files:
        if file.part and file.part.known_as == name:
            return file
    return None


def _by_version(entry: HistoryEntry, files: _Files) -> Migration | None:
    for file in files:
        if _version(file.version) == _version(entry.version or entry.name):
            return file
    return None


def _version(text: str) -> str:
    return text.lstrip("0") if text.isdigit() else text


def _by_content(entry: HistoryEntry, files: _Files) -> Migration | None:
    """Drizzle names no file: the time at which it was made tells it, else its content.

    A file may have been reformatted since, and two may hold the same.
    """
    if entry.name.isdigit():
        made = int(entry.name)
        for file in files:
            if file.created_at == made:
                return file
        second = made // 1000 * 1000  # a folder's name has no milliseconds
        of_second = [file for file in files if _made_at(file) == second]
        if len(of_second) == 1:
            return of_second[0]
        files = of_second or files
    for file in files:
        if entry.checksum in file.checksums:
            return file
    return None


def _made_at(file: Migration) -> int | None:
    return moment(file.name) if file.created_at is None else file.created_at


def _by_flyway(entry: HistoryEntry, files: _Files) -> Migration | None:
    """Flyway knows a versioned migration by its number: its file may be called otherwise now."""
    kind, _, description = entry.name.partition("__")
    if not description or not kind.startswith("V"):
        return None
    for file in files:
        if file.order is not None and file.order == numbers(kind):
            return file
    return None


def _by_part_of_name(entry: HistoryEntry, files: _Files) -> Migration | None:
    for file in files:
        if entry.name and entry.name in file.name and not file.takes_back:
            return file
    return None


def _by_app(entry: HistoryEntry, files: _Files) -> Migration | None:
    app, _, name = entry.name.partition(".")
    for file in files:
        if _is_of_app(file, app, name):
            return file
    for file in files:
        # One that was squashed of several is called by the first and the last.
        _, squashed, last = file.name.partition("_squashed_")
        if squashed and last == name and _in_folder_of(file, app):
            return file
    return None


def _is_of_app(file: Migration, app: str, name: str) -> bool:
    """Whether a file is what sqlmigrate wrote of an app's migration.

    It carries the app's name, lies in its folder, or is alone of its name.
    """
    if re.sub(r"\W+", "_", file.name) == f"{app}_{name}":
        return True
    return file.name == name and (_in_folder_of(file, app) or not name.startswith("0001"))


def _in_folder_of(file: Migration, app: str) -> bool:
    folder = file.path.resolve().parent
    if folder.name == "migrations":
        folder = folder.parent
    return folder.name == app


def _by_change(entry: HistoryEntry, files: _Files) -> Migration | None:
    """A file of Liquibase's may hold several changes: id and author tell them, and the file.

    The history has its path from wherever Liquibase ran.
    """
    path, _, change = entry.name.partition("::")
    found = []
    for file in files:
        if file.part and file.part.known_as == change:
            found.append(file)
    for file in found:
        if file.path.name == re.split(r"[\\/:]", path)[-1]:
            return file
    return None


_MATCHES: dict[str, Callable[[HistoryEntry, _Files], Migration | None]] = {
    "Alembic": _by_part_of_name,
    "Django": _by_app,
    "Drizzle": _by_content,
    "Flyway": _by_flyway,
    "Liquibase": _by_change,
}
