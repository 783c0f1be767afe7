"""Which kind of backup a path holds, by what it says of itself rather than by its name."""

from __future__ import annotations

import os
from pathlib import Path

from forensics.errors import BackupError
from forensics.evidence.archive import source as archive
from forensics.evidence.files import PlainFile
from forensics.evidence.plain.source import PlainSource
from forensics.evidence.source import Source

_ARCHIVE_MAGIC = b"PGDMP"
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_HEAD = 512


def open_dump(path: Path, database: str | None = None) -> Source:
    """Open a backup file or folder.

    Args:
        path: a plain dump, bare or compressed, or an archive of `pg_dump` (custom, directory, tar); "-" is standard input.
        database: which database of a `pg_dumpall` file.

    Raises:
        BackupError: nothing is there, or it is no dump; DamagedBackupError: it is one that cannot be read at all.
    """
    if path.is_dir():
        if not any(path.glob("toc.dat*")):
            raise BackupError(
                f"{path} is a folder without a toc.dat, so it is no directory dump.",
                "Give the folder that pg_dump -Fd wrote, or a file.",
            )
        return archive.open_archive(path)
    if path.is_file() and _is_archive(_head(path)):
        return archive.open_archive(path)
    file = PlainFile(path)
    try:
        if _is_archive(os.pread(file.fd, _HEAD, 0)):
            return archive.open_archive(path, file)
        return PlainSource(file, database)
    except BaseException:
        file.close()
        raise


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""  # PlainFile says what is wrong with it


def _is_archive(head: bytes) -> bool:
    return head.startswith(_ARCHIVE_MAGIC) or head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == _TAR_MAGIC
