"""A tar archive: a tar file of what a directory archive holds, its members uncompressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence.afar import Url
from forensics.evidence.archive.container import (
    NOT_STORED,
    Container,
    File,
    Stored,
    named,
    outside,
)
from forensics.evidence.archive.members import member_name, refuse_outside_names
from forensics.evidence.archive.toc import TAR, Entry
from forensics.evidence.archive.toc_reader import read_toc
from forensics.evidence.packing import unpack

TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
_BLOCK = 512
_NAME = slice(0, 100)
_SIZE = slice(124, 136)
_SUM = slice(148, 156)
_TYPE = slice(156, 157)
_REGULAR = (b"0", b"\0")
_END = bytes(2 * _BLOCK)


@dataclass(frozen=True)
class _Member:
    name: str
    start: int
    size: int
    regular: bool

    @property
    def stop(self) -> int:
        return self.start + self.size


class TarArchive(Container):
    """A tar file as pg_dump writes one: toc.dat, the data, restore.sql, two empty blocks."""

    kind = "tar"

    def __init__(self, path: Path | Url, file: File) -> None:
        self.path = path
        self._file = file
        toc = self._member_at(0)
        if toc is None or toc.name != "toc.dat":
            raise BackupError(
                f"{path} is no archive of pg_dump: neither a custom archive nor a tar file that "
                "begins with toc.dat.",
                "Give a file or folder that pg_dump wrote; where this is a tar file of one, unpack "
                "it first (tar -xf).",
            )
        _check_regular(toc)
        self.toc = read_toc(file.read, toc.start, min(toc.stop, file.size), path)
        if self.toc.header.format != TAR or self.toc.end != toc.stop:
            raise self.damaged(
                f"its table of contents ends at byte {self.toc.end}, not at {toc.stop}"
            )
        refuse_outside_names(self.toc)

    def _member_at(self, position: int) -> _Member | None:
        """The member whose header stands at `position`; None where none stands."""
        block = self._file.read(_BLOCK, position)
        if len(block) < _BLOCK or not _sum_agrees(block):
            return None
        size = _size(block[_SIZE])
        if size is None:
            return None
        name = block[_NAME].split(b"\0")[0].decode("utf-8", "replace")
        return _Member(name, position + _BLOCK, size, block[_TYPE] in _REGULAR)

    @cached_property
    def _members(self) -> tuple[dict[str, _Member], int]:
        """The members by name, and the position at which their chain ends."""
        found: dict[str, _Member] = {}
        position = 0
        while member := self._member_at(position):
            _check_regular(member)
            found.setdefault(member.name, member)
            blocks = -(-member.size // _BLOCK)
            position = member.start + blocks * _BLOCK
        return found, position

    def __reduce__(self) -> tuple[Any, ...]:
        return TarArchive, (self.path, self._file)

    @property
    def size(self) -> int:
        return self._file.packed_size

    @property
    def sha256(self) -> str:
        return self._file.sha256()

    def hash_beside(self) -> None:
        self._file.hash_beside()

    @property
    def complete(self) -> bool:
        _, end = self._members
        return super().complete and self._file.read(len(_END), end) == _END

    def close(self) -> None:
        self._file.close()

    def _member_of(self, entry: Entry) -> _Member | None:
        name = member_name(self.toc, entry)
        if name is None:
            return None
        members, _ = self._members
        return members.get(name)

    def stored(self, entry: Entry) -> Stored:
        member = self._member_of(entry)
        if member is None:
            return NOT_STORED
        there = max(0, min(member.size, self._file.size - member.start))
        return Stored(there, there == member.size)

    def stream(self, entry: Entry) -> Iterator[bytes]:
        member = self._member_of(entry)
        if member is None:
            raise self.damaged(f"the data of {named(entry)} are not in the file")

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{named(entry)}: {what}")

        yield from unpack(self._file.chunks(member.start, member.stop), None, damaged)
        if member.stop > self._file.size:
            raise self.damaged(f"the data of {named(entry)} break off at byte {self._file.size}")


def _check_regular(member: _Member) -> None:
    if not member.regular:
        raise outside(repr(member.name), "is no regular file")


def _sum_agrees(block: bytes) -> bool:
    """Whether a header's sum is that of its bytes; it counts its own field as blanks."""
    claimed = block[_SUM].strip(b" \0")
    actual = sum(block) - sum(block[_SUM]) + 8 * ord(" ")
    return re.fullmatch(rb"[0-7]{1,8}", claimed) is not None and int(claimed, 8) == actual


def _size(field: bytes) -> int | None:
    """A member's size, or None where the field holds none."""
    if field[0] & 0x80:  # sizes of 8 GB and more are binary, highest byte first
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    octal = field.strip(b" \0")
    if not re.fullmatch(rb"[0-7]+", octal):
        return None
    return int(octal, 8)
