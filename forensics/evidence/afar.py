"""Files that fsspec reaches: s3://, gs://, abfs://, hdfs:// and whatever else it has a driver for.

`Url` is as much of a path as readers ask for; what is read of it, is read by position.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import IO, Any

from forensics.errors import BackupError, UsageError, first_line, redact

# A URL of another scheme may be a connection string with a slip in it, and hold a password.
_SCHEME = re.compile(
    r"(abfss?|adl|az|dbfs|file|ftp|gcs|gs|hdfs|hf|https?|lakefs|memory|oci|oss|ossfs|s3a?|sftp|smb"
    r"|ssh|tos|webdav|webhdfs)://",
    re.I,
)
_SIGNED = re.compile(r"\?.*", re.S)  # for some stores a signature stands there
_AHEAD = 8 << 20  # bytes that are asked for at a time


def is_url(text: str) -> bool:
    """Whether a text names a file by a URL."""
    return _SCHEME.match(text) is not None


class Url:
    """A file or folder, by its URL.

    Raises:
        UsageError: nothing here reads such URLs.
    """

    def __init__(self, text: str) -> None:
        self._text = text.rstrip("/")

    def __str__(self) -> str:
        return redact(_SIGNED.sub("?***", self._text))

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self._text}/{name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return Url, (self._text,)

    @property
    def name(self) -> str:
        """What stands behind the last slash."""
        return self._text.rpartition("/")[2]

    def absolute(self) -> Url:
        """The URL, which is so already."""
        return self

    @cached_property
    def _place(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise UsageError(
                f"{self} is a URL, which takes fsspec to read.",
                "Install it: pip install 'incident-forensics[spark]'.",
            ) from error
        try:
            system, path = url_to_fs(self._text)
        except (ImportError, ValueError) as error:
            raise UsageError(
                f"{self} cannot be read: {first_line(error)}.",
                "fsspec needs a package of its own for most stores: s3fs, gcsfs, adlfs.",
            ) from error
        return system, str(path)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        system, path = self._place
        return bool(self._tried(lambda: system.isdir(path)))

    def exists(self) -> bool:
        """Whether something is there."""
        system, path = self._place
        return bool(self._tried(lambda: system.exists(path)))

    def size(self) -> int:
        """How many bytes it has.

        Raises:
            BackupError: it is not there, or cannot be looked at.
        """
        system, path = self._place
        return int(self._tried(lambda: system.size(path)) or 0)

    def sizes(self) -> dict[str, int]:
        """The files of a folder, and how many bytes each has."""
        system, path = self._place
        found = {}
        for entry in self._tried(lambda: system.ls(path, detail=True)):
            if entry["type"] == "file":
                found[str(entry["name"]).rpartition("/")[2]] = int(entry["size"] or 0)
        return found

    def read(self, size: int, position: int) -> bytes:
        """Return bytes from a position on, fewer where it ends."""
        system, path = self._place
        end = position + size
        return bytes(self._tried(lambda: system.cat_file(path, start=position, end=end)))

    def open(self) -> IO[bytes]:
        """Open it to be read from its beginning, or from where one seeks."""
        system, path = self._place
        found: IO[bytes] = self._tried(lambda: system.open(path, "rb", block_size=_AHEAD))
        return found

    def _tried(self, call: Any) -> Any:
        try:
            return call()
        except FileNotFoundError as error:
            raise BackupError(
                f"There is no file {self}.", "Check the URL of the backup."
            ) from error
        except Exception as error:  # each driver has errors of its own
            raise BackupError(
                f"{self} cannot be read: {first_line(error)}.",
                "Does the store let you read it? fsspec takes what its driver takes: variables, "
                "profiles, roles of the machine.",
            ) from error
