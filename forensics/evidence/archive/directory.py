"""A directory archive: a folder with `toc.dat`, and a file for each table, perhaps compressed."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import BackupError, DamagedBackupError, EmptyBackupError
from forensics.evidence.afar import Url
from forensics.evidence.archive.container import (
    NOT_STORED,
    AfarFile,
    Container,
    File,
    Stored,
    named,
)
from forensics.evidence.archive.members import (
    LARGE_OBJECT_DATA,
    member_name,
    refuse_outside_names,
)
from forensics.evidence.archive.toc import DIRECTORY, TAR, Entry, Toc
from forensics.evidence.archive.toc_reader import read_toc
from forensics.evidence.packing import unpack

_TOC = "toc.dat"
_LONGEST_TOC = 1 << 30
_SUFFIXES = {"": None, ".gz": "gzip file", ".lz4": "lz4", ".zst": "zstd"}
_LIST_OF_LARGE_OBJECTS = re.compile(rb"(?:[0-9]+ blob_[0-9]+\.dat\n)+")


@dataclass(frozen=True)
class _Member:
    """A file of the folder, open, and how it is compressed."""

    file: File
    compression: str | None

    def chunks(self) -> Iterator[bytes]:
        return self.file.chunks(0, self.file.size)


def folder_sha256(folder: Path) -> str:
    """Return the SHA-256 of the lines that `sha256sum *` prints in a folder: anyone can check it.

    They are in the C locale's order.

    Raises:
        BackupError: the folder, or a file of it, cannot be read.
    """
    digest = hashlib.sha256()
    for path in _files(folder):
        file = File(path, follow=False)
        digest.update(f"{file.sha256()}  {path.name}\n".encode("utf-8", "surrogateescape"))
        file.close()
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    found = []
    try:
        for path in folder.iterdir():
            if path.is_file() and not path.is_symlink():
                found.append(path)
    except OSError as error:
        raise BackupError(
            f"{folder} cannot be listed: {error.strerror}.", "Check its permissions."
        ) from error
    return sorted(found, key=lambda path: os.fsencode(path.name))


class DirectoryArchive(Container):
    """A folder: a file for each table, named by its entry, perhaps compressed."""

    kind = "directory"

    def __init__(self, path: Path | Url) -> None:
        self.path = path
        self._sizes = path.sizes() if isinstance(path, Url) else {}
        member = self._member(_TOC)
        if member is None:
            raise EmptyBackupError(
                f"{path} is a folder without a toc.dat, so it is no directory archive.",
                "Give the folder that pg_dump -Fd wrote, or a file.",
            )
        try:
            self.toc, size = self._read_toc(member)
        finally:
            member.file.close()
        if self.toc.header.format not in (TAR, DIRECTORY) or self.toc.end != size:
            raise self.damaged(f"its table of contents ends at byte {self.toc.end} of {size}")
        refuse_outside_names(self.toc)

    def __reduce__(self) -> tuple[Any, ...]:
        return DirectoryArchive, (self.path.absolute(),)

    def _read_toc(self, member: _Member) -> tuple[Toc, int]:
        """The table of contents, and the size of what it was read from."""
        file = member.file
        if member.compression is None:
            return read_toc(file.read, 0, file.size, self.path / _TOC), file.size
        text = self._whole(member)

        def read(size: int, position: int) -> bytes:
            return text[position : position + size]

        return read_toc(read, 0, len(text), file.path), len(text)

    def _whole(self, member: _Member) -> bytes:
        """A list's text, unpacked."""
        text = bytearray()
        for piece in unpack(member.chunks(), member.compression, self.damaged):
            text += piece
            if len(text) > _LONGEST_TOC:
                raise self.damaged("its table of contents unpacks to more than a gigabyte")
        return bytes(text)

    def _member(self, name: str) -> _Member | None:
        for suffix, compression in _SUFFIXES.items():
            path = self.path / (name + suffix)
            if isinstance(path, Url):
                if path.name in self._sizes:
                    return _Member(AfarFile(path), compression)
                continue
            if os.path.lexists(path):
                return _Member(File(path, follow=False), compression)
        return None

    def _member_of(self, entry: Entry) -> _Member | None:
        name = member_name(self.toc, entry)
        if name is None:
            return None
        return self._member(name)

    @property
    def size(self) -> int:
        if isinstance(self.path, Url):
            return sum(self._sizes.values())
        return sum(path.stat().st_size for path in _files(self.path))

    @property
    def sha256(self) -> str:
        if isinstance(self.path, Url):
            return ""
        return folder_sha256(self.path)

    def close(self) -> None:
        """Nothing is kept open."""

    def stored(self, entry: Entry) -> Stored:
        member = self._member_of(entry)
        if member is None:
            return NOT_STORED
        size = member.file.size
        tail = member.file.read(8, max(0, size - 8))
        member.file.close()
        whole = size > 0
        if entry.desc == LARGE_OBJECT_DATA:
            whole = self._large_objects_are_there(entry)
        elif member.compression is None and entry.copy_stmt:
            whole = tail.rstrip(b"\n").endswith(b"\\.")
        elif member.compression == "lz4":
            # A frame ends with a length of zero, after which other writers than pg_dump put a
            # checksum.
            whole = bytes(4) in (tail[:4], tail[4:])
        return Stored(size, whole)

    def stream(self, entry: Entry) -> Iterator[bytes]:
        member = self._member_of(entry)
        if member is None:
            raise self.damaged(
                f"the file {entry.dump_id}.dat with the data of {named(entry)} is not there"
            )
        file = member.file

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{file.path.name}, {named(entry)}: {what}")

        try:
            yield from unpack(member.chunks(), member.compression, damaged)
        finally:
            file.close()

    # --- large objects ----------------------------------------------------------------------------

    def _large_objects(self, entry: Entry) -> list[str] | None:
        """The files that hold an entry's large objects, or None where the list of them is not there
        or is cut off."""
        member = self._member_of(entry)
        if member is None:
            return None
        try:
            if member.compression:
                text = self._whole(member)
            else:
                text = member.file.read(member.file.size, 0)
        except DamagedBackupError:
            return None
        finally:
            member.file.close()
        if not _LIST_OF_LARGE_OBJECTS.fullmatch(text):
            return None
        return [line.split(" ")[1] for line in text.decode("ascii").splitlines()]

    def _large_objects_are_there(self, entry: Entry) -> bool:
        listed = self._large_objects(entry)
        if listed is None:
            return False
        for name in listed:
            member = self._member(name)
            if member is None:
                return False
            member.file.close()
        return True

    def damage_of_large_objects(self) -> str | None:
        for entry in self.toc.data_entries:
            if entry.desc != LARGE_OBJECT_DATA:
                continue
            for name in self._large_objects(entry) or ():
                if damage := self._damage_of_large_object(name):
                    return damage
        return None

    def _damage_of_large_object(self, name: str) -> str | None:
        member = self._member(name)
        if member is None:
            return f"the file {name} of a large object is not there"
        try:
            # What is not compressed has no sign of its end, and bytes of an object may be
            # anything: there is nothing to check.
            if member.compression:
                for _ in unpack(member.chunks(), member.compression, self.damaged):
                    pass
        except DamagedBackupError:
            return f"the file {member.file.path.name} of a large object is cut off or corrupt"
        finally:
            member.file.close()
        return None
