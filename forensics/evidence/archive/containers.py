"""The three forms of a pg_dump archive: where an entry's bytes lie, and how they are unpacked.

    custom     one file: header, table of contents, then for each data entry a run of blocks, each with its length
    directory  a folder: toc.dat, and a file for each data entry, which may be compressed
    tar        a tar file of such a folder, its members uncompressed

Source of the formats: PostgreSQL's own readers and writers (`pg_backup_custom.c`, `pg_backup_directory.c`,
`pg_backup_tar.c`, `compress_*.c`). Nothing that the file says of itself is believed before it is held against the
file's size; nothing is extracted; what is read at a time is bounded. Reading is by position, without a file pointer,
so several entries can be read at once from several threads: inflating lets go of the GIL.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from struct import Struct
from typing import Literal

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence.archive.toc import (
    CUSTOM,
    DIRECTORY,
    HINT,
    MAGIC,
    POSITION_KNOWN,
    TAR,
    Entry,
    Toc,
    read_toc,
)
from forensics.evidence.files import PlainFile
from forensics.evidence.packing import unpack

_CHUNK = 1 << 18  # bytes of a file at a time
_LONGEST_TOC = 1 << 30
_SUFFIXES = {"": None, ".gz": "gzip", ".lz4": "lz4", ".zst": "zstd"}
_LARGE_OBJECT_DATA = "BLOBS"


@dataclass(frozen=True)
class Stored:
    """How an entry's data lie in the archive: `bytes` as stored, and whether they are there to their end.

    `whole` is what can be known without reading them: a compressed file that was cut off is found out by reading.
    """

    bytes: int
    whole: bool


class Container(ABC):
    """An archive's bytes. `kind` is custom, directory or tar."""

    kind: Literal["custom", "directory", "tar"]
    path: Path
    toc: Toc

    @property
    @abstractmethod
    def size(self) -> int:
        """The archive's size: of a folder, the sum of its files."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """The archive's SHA-256 in hex; it is worked out when it is asked for."""

    @abstractmethod
    def stored(self, entry: Entry) -> Stored:
        """How `entry`'s data lie in the archive."""

    @abstractmethod
    def stream(self, entry: Entry) -> Iterator[bytes]:
        """Yield `entry`'s data, unpacked, in pieces that are not empty.

        Raises:
            DamagedBackupError: the data are cut off or corrupt; what could be read has been yielded.
        """

    @property
    def complete(self) -> bool:
        """Whether the archive ends as its writer ends one, as far as can be told without unpacking it."""
        return all(self.stored(e).whole for e in self.toc.data_entries)

    def damage_of_large_objects(self) -> str | None:
        """Unpack all large objects, and return what is wrong with one of them, in words, or None."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of the archive's files."""

    def damaged(self, what: str) -> DamagedBackupError:
        """The error that says so."""
        return DamagedBackupError(f"{self.path} is cut off or corrupt: {what}.", HINT)


def open_container(path: Path, file: PlainFile | None = None) -> Container:
    """Open an archive and read its table of contents.

    Args:
        path: a file, or the folder of a directory archive.
        file: the file's bytes where something was packed around the archive, unpacked.

    Raises:
        BackupError: nothing is there, or it is no archive, or one that reaches outside of itself.
        DamagedBackupError: it is an archive whose table of contents is cut off or corrupt.
    """
    if file is None and path.is_dir():
        return _Directory(path)
    archive = _File(path, file)
    try:
        return (
            _Custom(path, archive) if archive.read(len(MAGIC), 0) == MAGIC else _Tar(path, archive)
        )
    except BaseException:
        archive.close()
        raise


class _File:
    """A regular file, read by position; or one that is unpacked already."""

    def __init__(
        self, path: Path, unpacked: PlainFile | None = None, *, follow: bool = True
    ) -> None:
        self.path = path
        self._unpacked = unpacked
        if unpacked:
            self._fd, self.size = unpacked.fd, unpacked.size
            return
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
        try:
            self._fd = os.open(path, flags)
        except FileNotFoundError as error:
            raise BackupError(
                f"There is no file {path}.", "Check the path of the backup."
            ) from error
        except OSError as error:
            if not follow and path.is_symlink():
                raise _outside(path, "is a symbolic link") from error
            raise BackupError(
                f"{path} cannot be read: {error.strerror}.", "Check its permissions."
            ) from error
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
                part = os.pread(self._fd, size, position)
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
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes between two positions, fewer where the file ends."""
        while start < stop and (chunk := self.read(min(_CHUNK, stop - start), start)):
            yield chunk
            start += len(chunk)

    @property
    def packed_size(self) -> int:
        return self._unpacked.packed_size if self._unpacked else self.size

    def sha256(self) -> str:
        if self._unpacked:
            return self._unpacked.sha256
        digest = hashlib.sha256()
        for chunk in self.chunks(0, self.size):
            digest.update(chunk)
        return digest.hexdigest()

    def close(self) -> None:
        if self._unpacked:
            self._unpacked.close()
        elif self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


# --- custom --------------------------------------------------------------------------------------

_ROWS_BLOCK, _LARGE_OBJECTS_BLOCK = 1, 3
_FEW = 32


@dataclass(frozen=True)
class _Extent:
    start: int
    stop: int
    whole: bool


class _Blocks:
    """The blocks of one run of data, from `position` on: each a length and that many bytes, up to a length of 0.

    `position` moves along, and stands after the run when it has been read.

    Args:
        stop: the position that no block of the run may pass.
        damaged: makes the error to raise.
    """

    def __init__(
        self, archive: _Custom, position: int, stop: int, damaged: Callable[[str], Exception]
    ) -> None:
        self._file = archive.file
        self._damaged = damaged
        self._header = Struct("<BI" if archive.toc.header.int_size == 4 else "<BQ")
        self._stop = stop
        # Without compression, versions up to 18 write a block for each row.
        self._by_rows = archive.toc.header.int_size == 4 and archive.toc.header.compression is None
        self.position = position

    def __iter__(self) -> Iterator[bytes]:
        return self._run(skip=False)

    def skip(self) -> None:
        """Go to the end of the run without its data."""
        for _ in self._run(skip=True):
            pass

    def _run(self, skip: bool) -> Iterator[bytes]:
        left = 0  # bytes of a block that the last chunk did not hold
        ended = False
        while not ended:
            if skip:
                self.position, left = self.position + left, 0
            chunk = self._file.read(min(_CHUNK, self._stop - self.position), self.position)
            pieces, used, left, ended = self._cut(chunk, left, skip)
            self.position += used
            if not skip and (piece := b"".join(pieces)):
                yield piece
            if not used:
                raise self._damaged(f"the data have no end, they break off at byte {self.position}")

    def _cut(
        self, chunk: bytes, left: int, skip: bool
    ) -> tuple[list[bytes | memoryview], int, int, bool]:
        """Return the data in `chunk`, how many bytes of it are done with, what its last block still lacks, and
        whether the run ends in it."""
        view = memoryview(chunk)
        unpack_header, head, size = self._header.unpack_from, self._header.size, len(chunk)
        pieces: list[bytes | memoryview] = [view[:left]] if left else []
        at, left = min(left, size), max(0, left - size)
        if self._by_rows and at + head <= size and chunk[at] == 0:
            headers, used = _blocks_of_rows(chunk, at)
            self._by_rows = used > 0
            if not skip:
                pieces.append(_between(chunk[at : at + used], headers))
            at += used
        while at + head <= size:
            sign, length = unpack_header(chunk, at)
            if sign:
                raise self._damaged(f"no length of a block stands at byte {self.position + at}")
            if not length:
                return pieces, at + head, 0, True
            start, at = at + head, at + head + length
            pieces.append(view[start:at])
            if at > size:
                # Goes on in the next chunk; or past the end of the run, and then the next chunk is empty.
                return pieces, size, at - size, False
        return pieces, at, left, False


def _blocks_of_rows(chunk: bytes, start: int) -> tuple[np.ndarray, int]:
    """Find blocks of a row each: where their headers stand, from `start` on, and how many bytes they all take.

    Every block's end is held against the next line's begin, all at once; where one disagrees, the run is taken up to
    there. There are none, and no bytes, where the blocks are few or not of that kind.

    Args:
        chunk: bytes in which a block's header begins at `start`; headers are a zero byte and four of length.
    """
    data = np.frombuffer(chunk, dtype=np.uint8)[start:]
    starts = np.concatenate(([0], np.flatnonzero(data == 10) + 1))
    # A line feed within a header is a part of its length: such a "line" begins less than a header after the last one.
    starts = starts[np.concatenate(([True], np.diff(starts) > 5))]
    starts = starts[starts + 5 <= len(data)]
    lengths = data[starts[:, None] + np.arange(1, 5)].astype(np.int64) @ (1 << np.arange(0, 32, 8))
    ends = starts + 5 + lengths
    agree = (lengths[:-1] > 0) & (ends[:-1] == starts[1:]) & (data[starts[1:]] == 0)
    count = len(agree) if agree.all() else int(np.argmin(agree))
    if count < _FEW:
        return starts[:0], 0
    return starts[:count], int(starts[count])


def _between(run: bytes, headers: np.ndarray) -> bytes:
    """Return `run` without the five bytes at each of `headers`."""
    keep = np.ones(len(run), dtype=bool)
    keep[headers[:, None] + np.arange(5)] = False
    return np.frombuffer(run, dtype=np.uint8)[keep].tobytes()


class _Custom(Container):
    """A custom archive. One that was written to a pipe knows no positions: it is searched from its begin, once."""

    kind = "custom"

    def __init__(self, path: Path, file: _File) -> None:
        self.path = path
        self.file = file
        self.toc = read_toc(file.read, 0, file.size, path)
        if self.toc.header.format != CUSTOM:
            raise self.damaged("its header does not say that it is a custom archive")
        # A table of contents that lost entries would pass for a shorter one: hold its end against what follows.
        follows = file.size - self.toc.end
        if not self.toc.data_entries and follows:
            raise self.damaged(
                f"its table of contents knows no data, and {follows} bytes follow it"
            )
        if follows >= 2 + self.toc.header.int_size and not self._block_header(self.toc.end):
            raise self.damaged(
                f"no data begin at byte {self.toc.end}, where its table of contents ends"
            )

    @property
    def size(self) -> int:
        return self.file.packed_size

    @property
    def sha256(self) -> str:
        return self.file.sha256()

    @property
    def complete(self) -> bool:
        ends = [e.stop for e in self._extents.values()]
        return super().complete and max(ends, default=self.toc.end) == self.file.size

    def close(self) -> None:
        self.file.close()

    @cached_property
    def _extents(self) -> dict[int, _Extent]:
        entries = self.toc.data_entries
        starts = sorted((e.offset, e.dump_id) for e in entries)
        if (
            not starts
            or starts[0][0] != self.toc.end
            or any(e.data_state != POSITION_KNOWN for e in entries)
        ):
            return self._search()
        found = {}
        for n, (start, dump_id) in enumerate(starts):
            stop = starts[n + 1][0] if n + 1 < len(starts) else self.file.size
            header = self._block_header(start)
            if header and header[1] != dump_id:
                return self._search()
            whole = header is not None and stop <= self.file.size
            if header and n + 1 == len(starts):
                whole = self._run_end(header[0], start) == stop
            found[dump_id] = _Extent(start, stop, whole)
        return found

    def _search(self) -> dict[int, _Extent]:
        found: dict[int, _Extent] = {}
        position = self.toc.end
        while header := self._block_header(position):
            if header[1] in found:
                break
            end = self._run_end(header[0], position)
            found[header[1]] = _Extent(position, end or self.file.size, end is not None)
            if end is None:
                break
            position = end
        return found

    def _block_header(self, position: int) -> tuple[int, int] | None:
        """The kind and the entry's id that a run of data begins with, or None where no run begins."""
        size = self.toc.header.int_size
        head = self.file.read(2 + size, position)
        if len(head) < 2 + size or head[0] not in (_ROWS_BLOCK, _LARGE_OBJECTS_BLOCK) or head[1]:
            return None
        entry = self.toc.by_id.get(int.from_bytes(head[2:], "little"))
        return (head[0], entry.dump_id) if entry and entry.had_dumper else None

    def _run_end(self, kind: int, position: int) -> int | None:
        """Where the run of data of that kind that begins at `position` ends; None where it has no end."""
        head = 1 + self.toc.header.int_size
        position += 1 + head
        with suppress(DamagedBackupError):
            while True:
                if kind == _LARGE_OBJECTS_BLOCK:
                    # Each object's data follow its id; an id of 0 ends them.
                    object_id = self.file.read(head, position)
                    position += head
                    if len(object_id) < head:
                        return None
                    if not any(object_id):
                        return position
                blocks = _Blocks(self, position, self.file.size, self.damaged)
                blocks.skip()
                position = blocks.position
                if kind == _ROWS_BLOCK:
                    return position
        return None

    def stored(self, entry: Entry) -> Stored:
        extent = self._extents.get(entry.dump_id)
        if extent is None:
            return Stored(0, False)
        return Stored(max(0, min(extent.stop, self.file.size) - extent.start), extent.whole)

    def stream(self, entry: Entry) -> Iterator[bytes]:
        extent = self._extents.get(entry.dump_id)
        if extent is None or extent.start >= self.file.size:
            raise self.damaged(f"the data of {_named(entry)} are not in the file")
        if self._block_header(extent.start) != (_ROWS_BLOCK, entry.dump_id):
            raise self.damaged(f"the data of {_named(entry)} do not begin at byte {extent.start}")

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{_named(entry)}, before byte {blocks.position}: {what}")

        start, stop = extent.start + 2 + self.toc.header.int_size, min(extent.stop, self.file.size)
        blocks = _Blocks(self, start, stop, damaged)
        yield from unpack(blocks, self.toc.header.compression, damaged)
        if blocks.position != extent.stop:
            raise self.damaged(
                f"the data of {_named(entry)} end at byte {blocks.position}, not at {extent.stop}"
            )


def _named(entry: Entry) -> str:
    return f"entry {entry.dump_id} ({entry.desc} {entry.namespace}.{entry.tag})"


# --- directory -----------------------------------------------------------------------------------


def _outside(path: Path | str, why: str) -> BackupError:
    return BackupError(
        f"The archive names the file {path}, which {why}.",
        "Such an archive may reach for files outside of itself. pg_dump writes plain file names and regular files.",
    )


def _member_name(toc: Toc, entry: Entry) -> str | None:
    """The file that holds an entry's data, or None where it has none or names another entry's."""
    if entry.desc == _LARGE_OBJECT_DATA:  # some versions put another name into the entry
        return "blobs.toc" if toc.header.version < (1, 16) else f"blobs_{entry.dump_id}.toc"
    return entry.filename if entry.filename == f"{entry.dump_id}.dat" else None


def _refuse_outside_names(toc: Toc) -> None:
    for entry in toc.entries:
        name = entry.filename
        if name is not None and (name in (".", "..") or re.search(r"[/\\\0]", name)):
            raise _outside(repr(name), "is no plain file name")


class _Directory(Container):
    """A folder: a file for each table, named by its entry, perhaps compressed."""

    kind = "directory"

    def __init__(self, path: Path) -> None:
        self.path = path
        toc = self._member("toc.dat")
        if toc is None:
            raise BackupError(
                f"{path} is a folder without a toc.dat, so it is no directory archive.",
                "Give the folder that pg_dump -Fd wrote, or a file.",
            )
        file, compression = toc
        try:
            if compression is None:
                self.toc = read_toc(file.read, 0, file.size, path / "toc.dat")
                size = file.size
            else:
                text = self._whole(file, compression)
                self.toc = read_toc(lambda n, at: text[at : at + n], 0, len(text), file.path)
                size = len(text)
        finally:
            file.close()
        if self.toc.header.format not in (TAR, DIRECTORY) or self.toc.end != size:
            raise self.damaged(f"its table of contents ends at byte {self.toc.end} of {size}")
        _refuse_outside_names(self.toc)

    def _whole(self, file: _File, compression: str) -> bytes:
        text = bytearray()
        for piece in unpack(file.chunks(0, file.size), _as_file(compression), self.damaged):
            text += piece
            if len(text) > _LONGEST_TOC:
                raise self.damaged("its table of contents unpacks to more than a gigabyte")
        return bytes(text)

    def _member(self, name: str) -> tuple[_File, str | None] | None:
        for suffix, compression in _SUFFIXES.items():
            path = self.path / (name + suffix)
            if os.path.lexists(path):
                return _File(path, follow=False), compression
        return None

    def _files(self) -> list[Path]:
        try:
            files = [p for p in self.path.iterdir() if p.is_file() and not p.is_symlink()]
        except OSError as error:
            raise BackupError(
                f"{self.path} cannot be listed: {error.strerror}.", "Check its permissions."
            ) from error
        return sorted(files, key=lambda p: os.fsencode(p.name))

    @property
    def size(self) -> int:
        return sum(p.stat().st_size for p in self._files())

    @property
    def sha256(self) -> str:
        """Of the lines that `sha256sum *` prints in the folder, in the C locale's order: anyone can check it."""
        digest = hashlib.sha256()
        for path in self._files():
            file = _File(path, follow=False)
            digest.update(f"{file.sha256()}  {path.name}\n".encode("utf-8", "surrogateescape"))
            file.close()
        return digest.hexdigest()

    def close(self) -> None:
        """Nothing is kept open."""

    def stored(self, entry: Entry) -> Stored:
        name = _member_name(self.toc, entry)
        member = self._member(name) if name else None
        if member is None:
            return Stored(0, False)
        file, compression = member
        size, tail = file.size, file.read(8, max(0, file.size - 8))
        file.close()
        whole = size > 0
        if entry.desc == _LARGE_OBJECT_DATA:
            listed = self._large_objects(entry)
            whole = listed is not None and all(self._member(n) for n in listed)
        elif compression is None and entry.copy_stmt:
            whole = tail.rstrip(b"\n").endswith(b"\\.")
        elif compression == "lz4":
            # A frame ends with a length of zero, after which other writers than pg_dump put a checksum.
            whole = bytes(4) in (tail[:4], tail[4:])
        return Stored(size, whole)

    def _large_objects(self, entry: Entry) -> list[str] | None:
        """The files that hold an entry's large objects, or None where the list of them is not there or is cut off."""
        member = self._member(_member_name(self.toc, entry) or "")
        if member is None:
            return None
        file, compression = member
        try:
            text = self._whole(file, compression) if compression else file.read(file.size, 0)
        except DamagedBackupError:
            return None
        finally:
            file.close()
        listed = re.fullmatch(rb"(?:[0-9]+ blob_[0-9]+\.dat\n)+", text)
        return (
            [line.split(" ")[1] for line in text.decode("ascii").splitlines()] if listed else None
        )

    def damage_of_large_objects(self) -> str | None:
        for entry in (e for e in self.toc.data_entries if e.desc == _LARGE_OBJECT_DATA):
            for name in self._large_objects(entry) or ():
                if (member := self._member(name)) is None:
                    return f"the file {name} of a large object is not there"
                file, compression = member
                try:
                    for _ in unpack(_raw(file, compression), _as_file(compression), self.damaged):
                        pass
                except DamagedBackupError:
                    return f"the file {file.path.name} of a large object is cut off or corrupt"
                finally:
                    file.close()
        return None

    def stream(self, entry: Entry) -> Iterator[bytes]:
        name = _member_name(self.toc, entry)
        member = self._member(name) if name else None
        if member is None:
            raise self.damaged(
                f"the file {entry.dump_id}.dat with the data of {_named(entry)} is not there"
            )
        file, compression = member

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{file.path.name}, {_named(entry)}: {what}")

        try:
            yield from unpack(file.chunks(0, file.size), _as_file(compression), damaged)
        finally:
            file.close()


def _raw(file: _File, compression: str | None) -> Iterator[bytes]:
    # What is not compressed has no sign of its end, and bytes of an object may be anything: there is nothing to check.
    return file.chunks(0, file.size) if compression else iter(())


def _as_file(compression: str | None) -> str | None:
    return "gzip file" if compression == "gzip" else compression


# --- tar -----------------------------------------------------------------------------------------

_TAR_BLOCK = 512
_TAR_SUM = slice(148, 156)


@dataclass(frozen=True)
class _Member:
    start: int
    size: int
    regular: bool


class _Tar(Container):
    """A tar file as pg_dump writes one: toc.dat, the data, restore.sql, two empty blocks."""

    kind = "tar"

    def __init__(self, path: Path, file: _File) -> None:
        self.path = path
        self._file = file
        first = self._header(0)
        if first is None or first[0] != "toc.dat":
            raise BackupError(
                f"{path} is no archive of pg_dump: neither a custom archive nor a tar file that begins with toc.dat.",
                "Give a file or folder that pg_dump wrote; where this is a tar file of one, unpack it first (tar -xf).",
            )
        toc = self._regular(*first)
        self.toc = read_toc(file.read, toc.start, min(toc.start + toc.size, file.size), path)
        if self.toc.header.format != TAR or self.toc.end != toc.start + toc.size:
            raise self.damaged(
                f"its table of contents ends at byte {self.toc.end}, not at {toc.start + toc.size}"
            )
        _refuse_outside_names(self.toc)

    def _header(self, position: int) -> tuple[str, _Member] | None:
        """The name of the member whose header stands at `position`, and where it lies; None where none stands."""
        block = self._file.read(_TAR_BLOCK, position)
        if len(block) < _TAR_BLOCK:
            return None
        claimed = block[_TAR_SUM].strip(b" \0")
        actual = (
            sum(block) - sum(block[_TAR_SUM]) + 8 * 32
        )  # the sum counts its own field as blanks
        if not re.fullmatch(rb"[0-7]{1,8}", claimed) or int(claimed, 8) != actual:
            return None
        field = block[124:136]
        if field[0] & 0x80:  # sizes of 8 GB and more are binary, highest byte first
            size = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        elif re.fullmatch(rb"[0-7]+", octal := field.strip(b" \0")):
            size = int(octal, 8)
        else:
            return None
        name = block[:100].split(b"\0")[0].decode("utf-8", "replace")
        return name, _Member(position + _TAR_BLOCK, size, block[156:157] in (b"0", b"\0"))

    def _regular(self, name: str, member: _Member) -> _Member:
        if not member.regular:
            raise _outside(repr(name), "is no regular file")
        return member

    @cached_property
    def _members(self) -> tuple[dict[str, _Member], int]:
        """The members by name, and the position at which their chain ends."""
        found: dict[str, _Member] = {}
        position = 0
        while header := self._header(position):
            name, member = header[0], self._regular(*header)
            found.setdefault(name, member)
            position = member.start + -(-member.size // _TAR_BLOCK) * _TAR_BLOCK
        return found, position

    @property
    def size(self) -> int:
        return self._file.packed_size

    @property
    def sha256(self) -> str:
        return self._file.sha256()

    @property
    def complete(self) -> bool:
        end = self._file.read(2 * _TAR_BLOCK, self._members[1])
        return super().complete and end == bytes(2 * _TAR_BLOCK)

    def close(self) -> None:
        self._file.close()

    def _place(self, entry: Entry) -> _Member | None:
        name = _member_name(self.toc, entry)
        return self._members[0].get(name) if name else None

    def stored(self, entry: Entry) -> Stored:
        member = self._place(entry)
        if member is None:
            return Stored(0, False)
        there = max(0, min(member.size, self._file.size - member.start))
        return Stored(there, there == member.size)

    def stream(self, entry: Entry) -> Iterator[bytes]:
        member = self._place(entry)
        if member is None:
            raise self.damaged(f"the data of {_named(entry)} are not in the file")

        def damaged(what: str) -> DamagedBackupError:
            return self.damaged(f"{_named(entry)}: {what}")

        yield from unpack(
            self._file.chunks(member.start, member.start + member.size), None, damaged
        )
        if member.start + member.size > self._file.size:
            raise self.damaged(f"the data of {_named(entry)} break off at byte {self._file.size}")
