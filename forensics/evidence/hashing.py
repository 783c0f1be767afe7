"""The SHA-256 of a file as it lies on disk, worked out beside whatever reads it meanwhile."""

from __future__ import annotations

import hashlib
import os
import threading

from forensics.errors import BackupError
from forensics.evidence.reading import read_at

_PIECE = 1 << 20


class Hashing:
    """A thread that reads a file to its end; hashlib lets go of the GIL.

    Args:
        fd: the open file. It may be closed meanwhile.
        path: its name, for messages.
    """

    def __init__(self, fd: int, path: object) -> None:
        self._fd, self._path = os.dup(fd), path
        self._digest = hashlib.sha256()
        self._failed: OSError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._hash, name="sha256", daemon=True)
        self._thread.start()

    def _hash(self) -> None:
        at = 0
        try:
            while not self._closing.is_set() and (piece := read_at(self._fd, _PIECE, at)):
                self._digest.update(piece)
                at += len(piece)
        except OSError as error:
            self._failed = error
        finally:
            os.close(self._fd)

    def hexdigest(self) -> str:
        """Wait for the hash, and return it in hex.

        Raises:
            BackupError: the file cannot be read to its end.
        """
        self._thread.join()
        if self._failed:
            raise BackupError(
                f"{self._path} cannot be read to its end: {self._failed.strerror}.",
                "Copy the backup to a disk that can be read, as far as it goes.",
            ) from self._failed
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread, wherever it is."""
        self._closing.set()
        self._thread.join()
