"""The beginning of a long plain dump, which defines its tables before any row stands in it."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from forensics import leftovers
from forensics.errors import BackupError
from forensics.evidence.archive.toc import MAGIC
from forensics.evidence.files import CHUNK, PACKERS, PlainFile
from forensics.evidence.packing import unpack
from forensics.evidence.plain.source import PlainSource
from forensics.model import Catalog

# What takes seconds to be looked through: bytes as they lie there.
_LONG_PACKED, _LONG = 128 << 20, 2 << 30
_MOST = 32 << 20  # of definitions
_ROWS = re.compile(rb"^(?:COPY|INSERT INTO) ", re.M)
_LONGEST_WORD = 16


def is_long(path: Path) -> bool:
    """Whether a backup is a plain dump that takes long to be looked through.

    Raises:
        OSError: it cannot be read.
    """
    if not path.is_file():
        return False
    packed, head = _packing(path)
    if head.startswith(MAGIC):  # an archive lists its contents there, and they are soon read
        return False
    return path.stat().st_size >= (_LONG_PACKED if packed else _LONG)


def catalog_of_head(path: Path, database: str | None = None) -> Catalog:
    """Read what a plain dump defines before its first rows; there may be more behind them.

    Args:
        path: the dump, whatever it is packed by.
        database: which database of a `pg_dumpall` file.

    Raises:
        BackupError: there is no dump in it, or it holds several databases and none is chosen.
        OSError: it cannot be read.
    """
    with leftovers.folder() as folder:
        beginning = folder / path.name
        beginning.write_bytes(_head(path))
        file = PlainFile(beginning)
        try:
            return PlainSource(file, database).catalog
        finally:
            file.close()


def _packing(path: Path) -> tuple[str | None, bytes]:
    """What is packed around a file, or None; and how it begins."""
    with path.open("rb") as file:
        head = file.read(_LONGEST_WORD)
    for mark, name in PACKERS.items():
        if head.startswith(mark):
            return name, head
    return None, head


def _head(path: Path) -> bytes:
    """The bytes up to the first rows."""
    packed, _ = _packing(path)
    name = "gzip file" if packed == "gzip" else packed
    text = bytearray()
    with path.open("rb") as file:
        for piece in unpack(iter(partial(file.read, CHUNK), b""), name, BackupError):
            at = max(len(text) - _LONGEST_WORD, 0)
            text += piece
            rows = _ROWS.search(text, at)
            if rows:
                return bytes(text[: rows.start()])
            if len(text) > _MOST:
                break
    return bytes(text)
