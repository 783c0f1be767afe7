"""What the folders of several tools have in common."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

_DIGITS = re.compile(r"(\d+)")
_MOMENT = re.compile(r"\d{14}(?!\d)")


@dataclass(frozen=True)
class File:
    """A migration's file, and the name by which its tool knows it.

    `created_at` is in milliseconds since 1970, where a journal says it.
    """

    name: str
    path: Path
    created_at: int | None = None


@dataclass(frozen=True)
class Part:
    """A migration among those that one file holds, from `start` to `end` of its bytes.

    Attributes:
        known_as: what its tool's history calls it.
        name: what it is called beside others of its file; "" for `known_as`.
        after: those that have to run before it, by the names of the history; None where the file
            does not say. Of a way back, those that it leads to.
        back: of a way back, what it takes back.
    """

    known_as: str
    start: int
    end: int
    name: str = ""
    after: tuple[str, ...] | None = None
    back: str | None = None


def parts_from(text: bytes, marks: Iterable[re.Match[bytes]]) -> list[Part]:
    """The parts of a file of which each begins where its mark does.

    What stands above the first belongs to it.

    Args:
        marks: their group `name` is what the history calls the part.
    """
    found: list[Part] = []
    for mark in marks:
        start = mark.start() if found else 0
        if found:
            found[-1] = replace(found[-1], end=start)
        found.append(Part(mark["name"].decode("utf-8", "replace"), start, len(text)))
    return found


def parts_upto(text: bytes, marks: Iterable[re.Match[bytes]]) -> list[Part]:
    """The parts of a file of which each ends where its mark does; the last, at the end."""
    found: list[Part] = []
    start = 0
    for mark in marks:
        found.append(Part(mark["name"].decode("utf-8", "replace"), start, mark.end()))
        start = mark.end()
    if found:
        found[-1] = replace(found[-1], end=len(text))
    return found


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key by which 2_b comes before 10_a."""
    key = []
    for part in _DIGITS.split(name):
        key.append((int(part), "") if part.isdigit() else (-1, part))
    return key


def numbers(version: str) -> tuple[int, ...]:
    """The numbers in a version: 2.1 and 2_1 are (2, 1)."""
    return tuple(map(int, re.findall(r"\d+", version)))


def moment(name: str) -> int | None:
    """The moment with which a name begins (20250131123000_x), in milliseconds since 1970, UTC."""
    digits = _MOMENT.match(name)
    if digits is None:
        return None
    try:
        found = datetime.strptime(digits[0], "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return int(found.replace(tzinfo=UTC).timestamp()) * 1000


def only_files(paths: Iterable[Path]) -> list[Path]:
    """Those of some paths that are files."""
    return [path for path in paths if path.is_file()]


def sql_files(folder: Path) -> list[Path]:
    """The `.sql` files right in a folder, in the order of their names."""
    return sorted(only_files(folder.glob("*.sql")), key=lambda path: natural(path.name))


def a_folder_each(folder: Path, file: str) -> Sequence[File] | None:
    """The files of that name in the folders of a folder, called as these; None for none."""
    found = []
    for path in sorted(only_files(folder.glob(f"*/{file}"))):
        found.append(File(path.parent.name, path))
    return found or None


def sha256(text: bytes, path: Path) -> str:
    """The checksum that most tools note."""
    return hashlib.sha256(text).hexdigest()
