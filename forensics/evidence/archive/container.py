"""What the forms of an archive share: an entry's bytes, wherever they lie, unpacked as they stream.

Source of the formats: PostgreSQL's own readers and writers (`pg_backup_custom.c`,
`pg_backup_directory.c`, `pg_backup_tar.c`, `compress_*.c`). Nothing that the file says of itself is
believed before it is held against the file's size; nothing is extracted; what is read at a time is
bounded. Reading is by position, without a file pointer, so several entries can be read at once from
several threads: inflating lets go of the GIL.
"""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from forensics.errors import BackupError, BoundError, DamagedBackupError
from forensics.evidence.afar import Url
from forensics.evidence.archive.toc import HINT, Entry, Toc
from forensics.evidence.files import PlainFile, expect_size
from forensics.evidence.hashing import Hashing
from forensics.evidence.reading import NO_LINKS, NO_WAITING, read_at

CHUNK = 1 << 18  # bytes of a file at a time


@dataclass(frozen=True)
class Stored:
    """How an entry's data lie in the archive: `bytes` as stored, and whether they are there to
    their end.

    `whole` is what can be known without reading them: a compressed file that was cut off is found
    out by reading.
    """

    bytes: int
    whole: bool


NOT_STORED = Stored(0, whole=False)


class Container(ABC):
    """An archive's bytes. `kind` is custom, directory or tar."""

    kind: Literal["custom", "directory", "tar"]
    path: Path | Url
    toc: Toc

    @property
    @abstractmethod
    def size(self) -> int:
        """The archive's size: of a folder, the sum of its files."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """The archive's SHA-256 in hex; it is worked out when it is asked for, or before."""

    def hash_beside(self) -> None:
        """Begin with the SHA-256, where that can be done beside what else reads the archive."""

    @abstractmethod
    def stored(self, entry: Entry) -> Stored:
        """How `entry`'s data lie in the archive."""

    @abstractmethod
    def stream(self, entry: Entry) -> Iterator[bytes]:
        """Yield `entry`'s data, unpacked, in pieces that are not empty.

        Raises:
            DamagedBackupError: the data are cut off or corrupt; what could be read has been
                yielded.
        """

    @property
    def complete(self) -> bool:
        """Whether the archive ends as its writer ends one, as far as can be told without unpacking
        it."""
        return all(self.stored(entry).whole for entry in self.toc.data_entries)

    def damage_of_large_objects(self) -> str | None:
        """Unpack all large objects, and return what is wrong with one of them, in words, or
        None."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of the archive's files."""

    def damaged(self, what: str) -> DamagedBackupError:
        """The error that says so."""
        return DamagedBackupError(f"{self.path} is cut off or corrupt: {what}.", HINT)


def named(entry: Entry) -> str:
    """An entry, as messages call it."""
    return f"entry {entry.dump_id} ({entry.desc} {entry.namespace}.{entry.tag})"


def outside(path: object, why: str) -> BackupError:
    """The error for an archive that may reach for files outside of itself."""
    return BackupError(
        f"The archive names the file {path}, which {why}.",
        "Such an archive may reach for files outside of itself. "
        "pg_dump writes plain file names and regular files.",
    )


class File:
    """A regular file, read by position; or one that is unpacked already.

    Args:
        path: the file.
        unpacked: its bytes where something was packed around them, unpacked.
        follow: whether a symbolic link will do.

    Raises:
        BackupError: it is not there, is no regular file, or cannot be read.
    """

    def __init__(
        self, path: Path, unpacked: PlainFile | None = None, *, follow: bool = True
    ) -> None:
        self.path: Any = path
        self._unpacked = unpacked
        self._hashing: Hashing | None = None
        if unpacked:
            self._fd, self.size = unpacked.fd, unpacked.size
            return
        self._fd = _opened(path, follow=follow)
        status = os.fstat(self._fd)
        self.size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            os.close(self._fd)
            raise BackupError(
                f"{path} is no regular file.", "Give a file or folder that pg_dump wrote."
            )

    def read(self, size: int, position: int) -> bytes:
        """Return `size` bytes from `position` on, fewer where the file ends."""
        parts = []
        while size > 0 and position < self.size:
            try:
                part = read_at(self._fd, size, position)
            except OSError as error:
                raise BackupError(
                    f"{self.path} cannot be read at byte {position}: {error.strerror}.",
                    "Copy the backup to a disk that can be read, as far as it goes.",
                ) from error
            if not part:
                break
            parts.append(part)
            size -= len(part)
            position += len(part)
        if len(parts) == 1:
            return parts[0]  # without a copy
        return b"".join(parts)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes between two positions, fewer where the file ends."""
        while start < stop and (chunk := self.read(min(CHUNK, stop - start), start)):
            yield chunk
            start += len(chunk)

    @property
    def packed_size(self) -> int:
        """The size of the file as it was given, with what is packed around it."""
        return self._unpacked.packed_size if self._unpacked else self.size

    def sha256(self) -> str:
        """The SHA-256 of the file as it was given, in hex."""
        if self._unpacked:
            return self._unpacked.sha256
        self.hash_beside()
        assert self._hashing
        return self._hashing.hexdigest()

    def hash_beside(self) -> None:
        """Begin with the SHA-256, beside what else reads the file."""
        if self._hashing is None and not self._unpacked:
            self._hashing = Hashing(self._fd, self.path)

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the same path, where the bytes there are the ones that are read."""
        if self._unpacked:
            raise BoundError(f"{self.path} was unpacked onto this machine")
        assert isinstance(self.path, Path)
        return _reopened, (self.path.absolute(), self.size)

    def close(self) -> None:
        """Let go of the file. It may be closed already."""
        if self._hashing:
            self._hashing.close()
        if self._unpacked:
            self._unpacked.close()
        elif self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class AfarFile(File):
    """A file that fsspec reaches, read by position; its SHA-256 is not worked out."""

    def __init__(self, path: Url) -> None:
        self.path = path
        self.size = path.size()
        self._unpacked, self._hashing, self._fd = None, None, -1

    def __reduce__(self) -> tuple[Any, ...]:
        return AfarFile, (self.path,)

    def read(self, size: int, position: int) -> bytes:
        size = min(size, self.size - position)
        return self.path.read(size, position) if size > 0 else b""

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        with self.path.open() as file:
            file.seek(start)
            while start < stop and (chunk := file.read(min(CHUNK, stop - start))):
                yield chunk
                start += len(chunk)

    def sha256(self) -> str:
        return ""

    def hash_beside(self) -> None:
        """That would take all of it here."""

    def close(self) -> None:
        """Nothing is kept open."""


def _reopened(path: Path, size: int) -> File:
    file = File(path)
    expect_size(path, file.size, size)
    return file


def _opened(path: Path, *, follow: bool) -> int:
    flags = os.O_RDONLY | NO_WAITING
    if not follow:
        flags |= NO_LINKS
    try:
        return os.open(path, flags)
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {path}.", "Check the path of the backup.") from error
    except OSError as error:
        if not follow and path.is_symlink():
            raise outside(path, "is a symbolic link") from error
        raise BackupError(
            f"{path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
