"""A backup file as plain bytes on disk: what is packed around it is taken off into an unnamed temporary file.

Rows are read more than once (to hash them, then to fetch those that differ), so a compressed plain dump is inflated
once. The temporary file has no name from the moment it exists: nothing of it is left behind, however the process ends.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

from forensics.errors import BackupError
from forensics.evidence.packing import unpack

CHUNK = 1 << 20
STDIN = "-"


_PACKERS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
)


_LAYERS = 4  # packed twice happens: a tool compresses what pg_dump compressed already
# Windows PowerShell writes what it redirects (pg_dump … > file) as UTF-16, behind a mark.
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


class _DamageError(Exception):
    """The compressed bytes are cut off or corrupt."""


def _from_wide(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8")
        yield decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as error:
        raise _DamageError(f"its UTF-16 text cannot be read ({error})") from error


class PlainFile:
    """The bytes of a backup file, unpacked, at `fd`, `size` of them.

    Attributes:
        compression: what was taken off: gzip, zstd, lz4, xz, bzip2; None where nothing was.
        recoded: whether its text was UTF-16 and is UTF-8 here, whatever the dump says of its encoding.
        damage: why the bytes end before their time, or None.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            BackupError: it is not there, is no file, cannot be read, or there is no room to unpack it.
        """
        self.path = path
        self.compression: str | None = None
        self.recoded = False
        self.damage: str | None = None
        self._file: IO[bytes]
        try:
            stream = str(path) == STDIN or path.is_fifo()
            self._file = self._spooled() if stream else path.open("rb")
        except FileNotFoundError as error:
            raise BackupError(
                f"There is no file {path}.", "Check the path of the backup."
            ) from error
        except OSError as error:
            raise BackupError(
                f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions."
            ) from error
        self._digest = hashlib.sha256()
        self._closing = threading.Event()
        self._hashing = threading.Thread(
            target=self._hash, args=(os.dup(self._file.fileno()),), name="sha256", daemon=True
        )
        self.packed_size = os.fstat(self._file.fileno()).st_size
        if self.packed_size == 0:
            self.close()
            raise BackupError(
                f"{path} is empty.",
                "The backup was never written, or the disk was full. Look for another copy.",
            )
        self._hashing.start()
        for _ in range(_LAYERS):
            head = os.pread(self._file.fileno(), 16, 0)
            name = next((n for magic, n in _PACKERS if head.startswith(magic)), None)
            if name is None or self.damage:
                break
            self.compression = name
            self._rewrite(
                partial(
                    unpack,
                    compression="gzip file" if name == "gzip" else name,
                    damaged=_DamageError,
                )
            )
        if encoding := next((e for mark, e in _WIDE.items() if head.startswith(mark)), None):
            self.recoded = True
            self._rewrite(partial(_from_wide, encoding=encoding))
        self.size = os.fstat(self._file.fileno()).st_size

    def _spooled(self) -> IO[bytes]:
        """What comes down a pipe, in an unnamed file: it is read more than once, and a pipe only gives once."""
        spool = tempfile.TemporaryFile(prefix="forensics-")
        with contextlib.ExitStack() as stack:
            source = (
                sys.stdin.buffer
                if str(self.path) == STDIN
                else stack.enter_context(self.path.open("rb"))
            )
            shutil.copyfileobj(source, spool, CHUNK)
        spool.flush()
        return spool

    def _hash(self, fd: int) -> None:
        # Of the file as it lies there, beside whatever reads it meanwhile: hashlib lets go of the GIL.
        at = 0
        while not self._closing.is_set() and (chunk := os.pread(fd, CHUNK, at)):
            self._digest.update(chunk)
            at += len(chunk)
        os.close(fd)

    def _rewrite(self, change: Callable[[Iterator[bytes]], Iterator[bytes]]) -> None:
        """Put what a change makes of the file in its place, as far as it goes."""
        before = self._file
        self._file = tempfile.TemporaryFile(prefix="forensics-")
        try:
            before.seek(0)
            for piece in change(iter(lambda: before.read(CHUNK), b"")):
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
        self._hashing.join()
        return self._digest.hexdigest()

    def reader(self, start: int, end: int) -> Callable[[int], bytes]:
        """Return a `read(n)` over the bytes from `start` to `end`, for `copytext.read_blocks`."""
        at = start

        def read(size: int) -> bytes:
            nonlocal at
            chunk = os.pread(self.fd, min(size, end - at), at)
            at += len(chunk)
            return chunk

        return read

    def close(self) -> None:
        """Let go of the file and, with it, of what was unpacked."""
        self._closing.set()
        if self._hashing.is_alive():
            self._hashing.join()
        self._file.close()
