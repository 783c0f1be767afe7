"""What can be said of a migration without a database: what its statements do, not to how much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from forensics.evidence.migrations import Migration, MigrationFolder
from forensics.preflight.output import Flight, Forewarning
from forensics.preflight.unread import not_read
from forensics.statements.hazards import CODES, Hazard, read_hazards

# `-- forensics: allow drop-table, truncate`, above a statement or in its first line.
_ALLOWS = re.compile(r"--\s*forensics:\s*allow\s+([\w-]+(?:\s*,\s*[\w-]+)*)", re.I)
_COMMENT = re.compile(r"\s*--")


def lint(folders: Sequence[MigrationFolder]) -> Flight:
    """Read what migrations would do, counting nothing.

    A hazard that the file allows is left out; a migration that is code is marked `not-read`.

    Raises:
        MigrationError: one cannot be read.
    """
    found: list[Forewarning] = []
    names = []
    for folder in folders:
        for migration in folder.migrations:
            names.append(migration.name)
            found += _warnings(migration)
        found += map(not_read, folder.unread)
    return Flight(tuple(found), tuple(names))


def _warnings(migration: Migration) -> Iterator[Forewarning]:
    lines = migration.path.read_text(encoding="utf-8", errors="replace").splitlines()
    for _, hazards in read_hazards(migration):
        for hazard in hazards:
            if hazard.code not in set(_allowed(lines, hazard)):
                yield _warning(migration, hazard)


def _warning(migration: Migration, hazard: Hazard) -> Forewarning:
    says = CODES[hazard.code].words
    if hazard.column:
        says = f"{says}: {hazard.column}"
    path = str(migration.path)
    return Forewarning(migration.name, path, hazard, destroys=hazard.destroys, says=says)


def _allowed(lines: Sequence[str], hazard: Hazard) -> Iterator[str]:
    """The codes that a hazard's statement allows, in its first line or in the comments above."""
    at = hazard.line - 1
    if at >= len(lines):
        return
    yield from _codes(lines[at])
    while at > 0 and _COMMENT.match(lines[at - 1]):
        at -= 1
        yield from _codes(lines[at])


def _codes(line: str) -> list[str]:
    found = _ALLOWS.search(line)
    if found is None:
        return []
    return [code.strip() for code in found[1].split(",")]
