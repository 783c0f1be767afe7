"""A backup file as plain bytes on disk: what is packed around it is taken off into an unnamed temporary file.

Rows are read more than once (to hash them, then to fetch those that differ), so a compressed plain dump is inflated
once. The temporary file has no name from the moment it exists: nothing of it is left behind, however the process ends.
"""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import os
import tempfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import lz4.frame
import zstandard
from isal import igzip, isal_zlib

from forensics.errors import BackupError

CHUNK = 1 << 20


def _open_zstd(file: IO[bytes]) -> Any:
    return zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)


_PACKERS: tuple[tuple[bytes, str, Callable[[IO[bytes]], Any]], ...] = (
    (b"\x1f\x8b", "gzip", lambda f: igzip.GzipFile(fileobj=f)),
    (b"\x28\xb5\x2f\xfd", "zstd", _open_zstd),
    (b"\x04\x22\x4d\x18", "lz4", lambda f: lz4.frame.LZ4FrameFile(f)),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
    (b"BZh", "bzip2", bz2.BZ2File),
)
# What the unpackers raise on a stream that is cut off or corrupt; none of them shares a base with another.
_DAMAGE: tuple[type[Exception], ...] = (
    EOFError, zlib.error, isal_zlib.error, igzip.BadGzipFile, zstandard.ZstdError, lzma.LZMAError, RuntimeError, ValueError,
)  # fmt: skip


class PlainFile:
    """The bytes of a backup file, unpacked, at `fd`, `size` of them.

    Attributes:
        compression: what was taken off: gzip, zstd, lz4, xz, bzip2; None where nothing was.
        damage: why the bytes end before their time, or None.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            BackupError: it is not there, is no file, cannot be read, or there is no room to unpack it.
        """
        self.path = path
        self.compression: str | None = None
        self.damage: str | None = None
        self._file: IO[bytes]
        try:
            self._file = path.open("rb")
        except FileNotFoundError as error:
            raise BackupError(f"There is no file {path}.", "Check the path of the backup.") from error
        except OSError as error:
            raise BackupError(f"{path} cannot be read: {error.strerror}.", "Check the path and its permissions.") from error
        self._digest = hashlib.sha256()
        self._hashing = threading.Thread(target=self._hash, name="sha256", daemon=True)
        self.packed_size = os.fstat(self._file.fileno()).st_size
        if self.packed_size == 0:
            self.close()
            raise BackupError(f"{path} is empty.", "The backup was never written, or the disk was full. Look for another copy.")
        self._hashing.start()
        head = os.pread(self._file.fileno(), 16, 0)
        for magic, name, unpack in _PACKERS:
            if head.startswith(magic):
                self.compression = name
                self._unpack(unpack)
                break
        self.size = os.fstat(self._file.fileno()).st_size

    def _hash(self) -> None:
        # Of the file as it lies there, beside whatever reads it meanwhile: hashlib lets go of the GIL.
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                self._digest.update(chunk)

    def _unpack(self, unpack: Callable[[IO[bytes]], Any]) -> None:
        packed = self._file
        self._file = tempfile.TemporaryFile(prefix="forensics-")
        try:
            with unpack(packed) as stream:
                while chunk := stream.read(CHUNK):
                    self._file.write(chunk)
        except OSError as error:
            if error.errno is None:  # BadGzipFile and bz2 raise bare OSErrors on corrupt data
                self.damage = f"its {self.compression} data is corrupt ({error})"
            else:
                self.close()
                raise BackupError(
                    f"{self.path} cannot be unpacked into {tempfile.gettempdir()}: {error.strerror}.",
                    "Set TMPDIR to a folder with room for the unpacked dump.",
                ) from error
        except _DAMAGE as error:
            self.damage = f"its {self.compression} data is cut off or corrupt ({str(error).rstrip('.') or type(error).__name__})"
        finally:
            packed.close()
        self._file.flush()

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

    def raw(self) -> io.BufferedReader:
        """A seekable reader of the unpacked bytes, for formats that are read from their start."""
        return io.BufferedReader(io.FileIO(os.dup(self.fd), "rb"))

    def close(self) -> None:
        """Let go of the file and, with it, of what was unpacked."""
        self._file.close()
