"""Migrations that are code: which there are, and by which names a history knows them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.evidence.migrations.shapes import Part
from forensics.evidence.migrations.tools import TOOLS

# As most tools name what they write.
_NAMED = re.compile(r"\d+[_.-]|Migration\d{6}|V\d[\d._]*__|R__")
_NOT_OURS = ("node_modules", "site-packages", "__pycache__")
_LARGE = 1 << 20  # bytes: no migration


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


def _told_by_names() -> set[str]:
    """The endings of which not every tool says what its migrations hold."""
    found: set[str] = set()
    for tool in TOOLS:
        if tool.in_code and tool.in_code.parts is None:
            found.update(tool.in_code.endings)
    return found


_AS_SQL = _as_sql()
_TOLD_BY_NAMES = _told_by_names()


@dataclass(frozen=True)
class Unread:
    """A migration that is code and of which there is no SQL.

    Attributes:
        path: its file.
        as_sql: what makes its tool say it in SQL.
        part: where the file says which migration it holds, that.
    """

    path: Path
    as_sql: str
    part: Part | None = None

    @property
    def name(self) -> str:
        """What it is called: as its file, where that holds no other."""
        return self.part.name if self.part and self.part.name else self.path.name

    @property
    def after(self) -> Sequence[str]:
        """What has to run before it, as the history calls that."""
        return (self.part.after if self.part else None) or ()

    def is_of(self, name: str) -> bool:
        """Whether a history means it by a name: the file's, its number, its class, its id."""
        if self.part:
            known_as = self.part.known_as
            return name == known_as or name.endswith(f"{self.path.name}::{known_as}")
        number = re.match(r"\d*", self.path.stem)
        digits = number[0] if number else ""
        called = name.rpartition(".")[2]
        if called == self.path.stem or self.path.name in name:
            return True
        if digits and name.isdigit() and int(digits) == int(name):
            return True
        return len(digits) > 12 and name.endswith(digits)


def in_force(unread: Sequence[Unread], names: Collection[str]) -> list[Unread]:
    """Those of which a history says that they ran, and those that had to run before these.

    Args:
        names: what the history has in force.
    """
    left = [one for one in unread if any(map(one.is_of, names))]
    found: list[Unread] = []
    while left:
        one = left.pop()
        if one in found:
            continue
        found.append(one)
        left += [other for other in unread if any(map(other.is_of, one.after))]
    return found


def unread_below(path: Path, said: Collection[str]) -> tuple[Unread, ...]:
    """The migrations below a folder that are code.

    Args:
        said: those of which there is SQL.
    """
    found = []
    for one in sorted(path.rglob("*")):
        within = one.relative_to(path).parts
        if one.suffix not in _AS_SQL or "." in one.stem or not one.is_file():
            continue
        if not any(part in _NOT_OURS or part.startswith(".") for part in within):
            found += [unread for unread in _in_file(one) if not _is_said(unread, said)]
    return tuple(found)


def _in_file(path: Path) -> Iterator[Unread]:
    text = b""
    if path.stat().st_size < _LARGE:
        text = path.read_bytes()
    for tool in TOOLS:
        code = tool.in_code
        if code is None or code.parts is None or path.suffix not in code.endings:
            continue
        if parts := code.parts(text, path):
            for part in parts:
                yield Unread(path, code.as_sql, part)
            return
    if _NAMED.match(path.name) and path.suffix in _TOLD_BY_NAMES:
        yield Unread(path, as_sql(path.suffix))


def _is_said(unread: Unread, said: Collection[str]) -> bool:
    return unread.path.stem in said or any(map(unread.is_of, said))


def as_sql(ending: str) -> str:
    """What makes the tools of an ending say their migrations in SQL."""
    return ", or ".join(_AS_SQL[ending])


def endings_of_code(folder: Path) -> set[str]:
    """The endings of files below a folder in which a tool may keep migrations that are no SQL."""
    found = set()
    for path in folder.rglob("*"):
        if path.suffix in _AS_SQL and path.is_file():
            found.add(path.suffix)
    return found
