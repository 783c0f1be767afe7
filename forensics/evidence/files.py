"""A backup file as plain bytes on disk: what is packed around it is taken off.

Rows are read more than once (to hash them, then to fetch those that differ), so a compressed
plain dump is inflated once, into an unnamed temporary file. That file has no name from the moment
it exists: nothing of it is left behind, however the process ends.
"""

from __future__ import annotations

import codecs
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from forensics.errors import BackupError, BoundError, EmptyBackupError
from forensics.evidence.afar import Url
from forensics.evidence.encodings import Transcoder, readable, transcoder
from forensics.evidence.hashing import Hashing
from forensics.evidence.packing import unpack
from forensics.evidence.reading import read_at, read_into

CHUNK = 1 << 20
STDIN = "-"

PACKERS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
}
_LAYERS = 4  # packed twice happens: a tool compresses what pg_dump compressed already
# Windows PowerShell writes what it redirects (pg_dump … > file) as UTF-16, behind a mark.
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_LONGEST_MARK = 16


class _DamageError(Exception):
    """The compressed bytes are cut off or corrupt."""


class PlainFile:
    """The bytes of a backup file, unpacked, at `fd`, `size` of them.

    Attributes:
        compression: what was taken off: gzip, zstd, lz4, xz, bzip2; None where nothing was.
        recoded: whether its text was UTF-16 and is UTF-8 here, whatever the dump says of its
            encoding.
        damage: why the bytes end before their time, or None.
    """

    def __init__(self, path: Path | Url, *, hashed: bool = True) -> None:
        """Open `path`; `hashed` is whether its SHA-256 is going to be asked for.

        Raises:
            BackupError: it is not there, is no file, cannot be read, or there is no room to
                unpack it; EmptyBackupError: it has no byte.
        """
        self.path = path
        self.compression: str | None = None
        self.recoded = False
        self.damage: str | None = None
        self._file = _opened(path)
        self.packed_size = self._length()
        if self.packed_size == 0:
            self._file.close()
            raise EmptyBackupError(
                f"{path} is empty.",
                "The backup was never written, or the disk was full. Look for another copy.",
            )
        self._hashing = Hashing(self.fd, path) if hashed else None
        self._unpack()
        self._narrow()
        self.size = self._length()

    def _length(self) -> int:
        return os.fstat(self.fd).st_size

    def _unpack(self) -> None:
        """Take off what is packed around the file, layer by layer."""
        for _ in range(_LAYERS):
            name = self._marked(PACKERS)
            if name is None or self.damage:
                return
            self.compression = name
            wrapping = name
            if name == "gzip":
                wrapping = "gzip file"
            self._rewrite(partial(unpack, compression=wrapping, damaged=_DamageError))

    def _narrow(self) -> None:
        """Make UTF-8 of UTF-16."""
        encoding = self._marked(_WIDE)
        if encoding is not None:
            self.recoded = True
            self._rewrite(partial(_from_wide, encoding=encoding))

    def _marked(self, names: dict[bytes, str]) -> str | None:
        """What the file is by the mark that it begins with, or None."""
        head = read_at(self.fd, _LONGEST_MARK, 0)
        for mark, name in names.items():
            if head.startswith(mark):
                return name
        return None

    def _rewrite(self, change: Callable[[Iterator[bytes]], Iterator[bytes]]) -> None:
        """Put what a change makes of the file in its place, as far as it goes."""
        before = self._file
        self._file = tempfile.TemporaryFile(prefix="forensics-")
        try:
            for piece in change(_from_begin(before.fileno())):
                self._file.write(piece)
            self._file.flush()
        except _DamageError as error:
            self.damage = f"{error}: it is cut off or corrupt"
            self._file.flush()
        except OSError as error:
            self.close()
            raise BackupError(
                f"{self.path} cannot be unpacked into {tempfile.gettempdir()}: {error.strerror}.",
                "Set TMPDIR to a folder with room for the unpacked dump.",
            ) from error
        finally:
            before.close()

    @property
    def fd(self) -> int:
        """The descriptor of the unpacked bytes; read it with `os.pread`."""
        return self._file.fileno()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file as it lies on disk, in hex. Waits until it is worked out."""
        assert self._hashing
        return self._hashing.hexdigest()

    def reader(self, start: int, end: int) -> Callable[[int], bytes]:
        """Return a `read(n)` over the bytes from `start` to `end`, for `blocks.read_blocks`."""
        at = start

        def read(size: int) -> bytes:
            nonlocal at
            chunk = read_at(self.fd, min(size, end - at), at)
            at += len(chunk)
            return chunk

        return read

    def read_into(self, buffer: memoryview, start: int, end: int) -> int:
        """Read the bytes from `start` on into a buffer, up to `end`; return how many.

        Whoever reads all of a large file so does not wait for new memory with every piece.
        """
        size = min(len(buffer), end - start)
        return read_into(self.fd, buffer[:size], start)

    def chunks(self, start: int, end: int, size: int) -> Iterator[bytes]:
        """Return the bytes from `start` to `end` in pieces of up to `size` bytes."""
        return iter(partial(self.reader(start, end), size), b"")

    def transcoder(self, encoding: str | None) -> Transcoder | None:
        """What turns the file's bytes into UTF-8, or None where they are in UTF-8.

        Args:
            encoding: what the dump says of its encoding.
        """
        if self.recoded:
            return None
        return transcoder(encoding)

    def text(self, start: int, end: int, encoding: str | None) -> str:
        """Return the text from `start` to `end`, for reading: what is no text in it is replaced."""
        data = read_at(self.fd, end - start, start)
        return readable(data, self.transcoder(encoding))

    def close(self) -> None:
        """Let go of the file and, with it, of what was unpacked."""
        if self._hashing:
            self._hashing.close()
        self._file.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the same path, where the bytes there are the ones that are read."""
        bound = self.compression or self.recoded
        if isinstance(self.path, Url) and not bound:
            return AfarFile, (self.path, self.size)
        if bound or isinstance(self.path, Url) or not self.path.is_file():
            raise BoundError(f"{self.path} was unpacked or came down a pipe, onto this machine")
        return _reopened, (self.path.absolute(), self.size)


class AfarFile(PlainFile):
    """A plain file that is read where it lies, by whoever is sent it.

    Args:
        path: its URL.
        size: how many bytes it has, where the run began.
    """

    def __init__(self, path: Url, size: int) -> None:
        expect_size(path, path.size(), size)
        self.path, self.size, self.packed_size = path, size, size
        self.compression, self.recoded, self.damage = None, False, None
        self._file, self._hashing = path.open(), None

    def reader(self, start: int, end: int) -> Callable[[int], bytes]:
        at = start

        def read(size: int) -> bytes:
            nonlocal at
            self._file.seek(at)
            chunk = self._file.read(min(size, end - at))
            at += len(chunk)
            return chunk

        return read

    def read_into(self, buffer: memoryview, start: int, end: int) -> int:
        chunk = self.reader(start, end)(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _reopened(path: Path, size: int) -> PlainFile:
    file = PlainFile(path, hashed=False)
    expect_size(path, file.size, size)
    return file


def expect_size(path: Path | Url, here: int, begun: int) -> None:
    """Make sure that a file is the one that the run began with.

    Args:
        path: its name.
        here, begun: how many bytes it has here, and had where the run began.

    Raises:
        BackupError: it has more or fewer.
    """
    if here != begun:
        raise BackupError(f"{path} has {here:,} bytes here, and {begun:,} where the run began.")


def _from_begin(fd: int) -> Iterator[bytes]:
    """A file in pieces; others may read it at other places meanwhile."""
    at = 0
    while piece := read_at(fd, CHUNK, at):
        yield piece
        at += len(piece)


def _opened(path: Path | Url) -> IO[bytes]:
    """Open a file; what comes down a pipe, or from afar, is put down first."""
    if isinstance(path, Url):
        with path.open() as there:
            return _spooled(there)
    try:
        if str(path) == STDIN:
            return _spooled(sys.stdin.buffer)
        if path.is_fifo():
            with path.open("rb") as pipe:
                return _spooled(pipe)
        return path.open("rb")
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {path}.", "Check the path of the backup.") from error
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error


def _spooled(pipe: IO[bytes]) -> IO[bytes]:
    """Put what comes down a pipe into an unnamed file.

    It is read more than once, and a pipe only gives once.
    """
    spool = tempfile.TemporaryFile(prefix="forensics-")
    shutil.copyfileobj(pipe, spool, CHUNK)
    spool.flush()
    return spool


def _from_wide(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8")
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as error:
        raise _DamageError(f"its UTF-16 text cannot be read ({error})") from error
