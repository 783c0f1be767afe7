"""The forms of backup that are read, and which of them a path holds.

A form is one row of `FORMS`. A path is known by what it says of itself rather than by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import EmptyBackupError
from forensics.evidence.afar import Url
from forensics.evidence.archive.source import open_afar as open_archive_afar
from forensics.evidence.archive.source import open_archive
from forensics.evidence.archive.tar import TAR_MAGIC, TAR_MAGIC_AT
from forensics.evidence.archive.toc import MAGIC
from forensics.evidence.files import PlainFile
from forensics.evidence.folder.files import holds_tables
from forensics.evidence.plain.source import PlainSource
from forensics.evidence.reading import read_at
from forensics.evidence.source import Source

_HEAD = 512


@dataclass(frozen=True)
class Found:
    """What lies at a path, as far as it has been looked at.

    Attributes:
        database: which database of a `pg_dumpall` file is wanted.
        head: the first bytes of a file; none for a folder.
        file: its bytes, where they had to be unpacked or come down a pipe.
    """

    path: Path
    database: str | None
    head: bytes = b""
    file: PlainFile | None = None


@dataclass(frozen=True)
class Form:
    """A form of backup: how one is recognised, and what opens it."""

    name: str
    recognises: Callable[[Found], bool]
    opens: Callable[[Found], Source]


def _holds(magic: bytes, at: int = 0) -> Callable[[Found], bool]:
    """Make what recognises a file by the bytes that stand at a place of it."""

    def recognises(found: Found) -> bool:
        return found.head.startswith(magic, at)

    return recognises


def _has_contents(found: Found) -> bool:
    return any(found.path.glob("toc.dat*"))


def _has_tables(found: Found) -> bool:
    return holds_tables(found.path)


def _is_unpacked(found: Found) -> bool:
    return found.file is not None


def _archive(found: Found) -> Source:
    return open_archive(found.path, found.file)


def _folder(found: Found) -> Source:
    from forensics.evidence.folder.source import FolderSource

    return FolderSource(found.path)


def _plain(found: Found) -> Source:
    assert found.file is not None
    return PlainSource(found.file, found.database)


# A path is tried as it lies there, then unpacked. The first form that recognises it opens it;
# a plain dump has no mark of its own, so it comes last.
FOLDERS = (Form("directory", _has_contents, _archive), Form("folder", _has_tables, _folder))
FILES = (
    Form("custom", _holds(MAGIC), _archive),
    Form("tar", _holds(TAR_MAGIC, at=TAR_MAGIC_AT), _archive),
    Form("plain", _is_unpacked, _plain),
)


def open_dump(path: Path, database: str | None = None) -> Source:
    """Open a backup file or folder.

    Args:
        path: a plain dump, bare or compressed, or an archive of `pg_dump` (custom, directory,
            tar); "-" is standard input.
        database: which database of a `pg_dumpall` file.

    Raises:
        BackupError: nothing is there, or it is no dump; DamagedBackupError: it is one that
            cannot be read at all.
    """
    if path.is_dir():
        source = _opened(FOLDERS, Found(path, database))
        if source is None:
            raise EmptyBackupError(
                f"{path} is a folder without a toc.dat, so it is no directory dump, and no CSV or"
                " Parquet files are in it.",
                "Give the folder that pg_dump -Fd wrote, or a file.",
            )
        return source
    if path.is_file():
        source = _opened(FILES, Found(path, database, _head(path)))
        if source is not None:
            return source
    return _unpacked(path, database)


def open_afar(path: Url, database: str | None = None) -> Source:
    """Open a backup that fsspec reaches.

    Of an archive only the table of contents is read; a plain dump is copied here, into a file
    without a name, to see where its tables are.

    Args:
        path: where it is.
        database: which database of a `pg_dumpall` file.

    Raises:
        BackupError: as `open_dump` raises it.
    """
    archive = open_archive_afar(path)
    if archive is not None:
        return archive
    return _unpacked(path, database)


def _opened(forms: tuple[Form, ...], found: Found) -> Source | None:
    for form in forms:
        if form.recognises(found):
            return form.opens(found)
    return None


def _unpacked(path: Path | Url, database: str | None) -> Source:
    file = PlainFile(path)
    try:
        named = path if isinstance(path, Path) else Path(path.name)
        source = _opened(FILES, Found(named, database, read_at(file.fd, _HEAD, 0), file))
        assert source is not None, "whatever is unpacked is taken for a plain dump"
    except BaseException:
        file.close()
        raise
    return source


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""  # PlainFile says what is wrong with it
