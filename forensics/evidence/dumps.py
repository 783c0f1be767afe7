"""Which kind of backup a path holds, by what it says of itself rather than by its name."""

from __future__ import annotations

import os
from pathlib import Path

from forensics.errors import BackupError
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import PlainSource
from forensics.evidence.source import Source

_ARCHIVE_MAGIC = b"PGDMP"
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257


def open_dump(path: Path, database: str | None = None) -> Source:
    """Open a backup file or folder.

    Args:
        path: a plain dump, bare or compressed, or an archive of `pg_dump` (custom, directory, tar).
        database: which database of a `pg_dumpall` file.

    Raises:
        BackupError: nothing is there, or it is no dump; DamagedBackupError: it is one that cannot be read at all.
    """
    if path.is_dir():
        if not (path / "toc.dat").exists():
            raise BackupError(
                f"{path} is a folder without a toc.dat, so it is no directory dump.", "Give the folder that pg_dump -Fd wrote, or a file."
            )
        return _open_archive(path)
    file = PlainFile(path)
    head = os.pread(file.fd, 512, 0)
    if head.startswith(_ARCHIVE_MAGIC) or head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == _TAR_MAGIC:
        file.close()
        return _open_archive(path)
    try:
        return PlainSource(file, database)
    except BaseException:
        file.close()
        raise


def _open_archive(path: Path) -> Source:
    from forensics.evidence import archive

    return archive.open_archive(path)
