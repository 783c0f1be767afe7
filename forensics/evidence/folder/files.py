"""Which table each file of a folder holds rows of."""

from __future__ import annotations

import re
from pathlib import Path

from forensics.errors import BackupError
from forensics.model import TableName

CSV, PARQUET = "csv", "parquet"
_SUFFIX = re.compile(
    r"(?:\.(?:snappy|gz|zstd|lz4))?\.(csv|tsv|parquet|pq)(\.(?:gz|bz2|zst|lz4))?\Z", re.I
)
# How those who write a table in several files call them.
_PART = re.compile(
    r"(?:part|data|chunk|file|segment|run)(?:[-_.]?\d[\w.-]*)?\Z|\d[\w-]*\Z"
    r"|[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\Z",
    re.I,
)
_HIDDEN = ("_", ".")  # what Spark and others leave beside their files


def form_of(path: Path) -> str | None:
    """Return whether a file is CSV or Parquet by its name, or None."""
    found = _SUFFIX.search(path.name)
    if not found:
        return None
    return CSV if found[1].lower() in ("csv", "tsv") else PARQUET


def holds_tables(folder: Path) -> bool:
    """Whether a folder, or one within it, holds such files."""
    return any(form_of(path) for path in folder.rglob("*") if not _is_hidden(path, folder))


def files_of(folder: Path) -> dict[TableName, list[Path]]:
    """Return the files of each table that a folder holds.

    A file is called as its table, with the schema before a point or as its folder's name; the files
    of a folder that are numbered parts are of one table, called as the folder.

    Raises:
        BackupError: a table is in files of both forms.
    """
    found: dict[TableName, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and form_of(path) and not _is_hidden(path, folder):
            found.setdefault(_table_of(path, folder), []).append(path)
    for name, paths in found.items():
        if len({form_of(path) for path in paths}) > 1:
            raise BackupError(
                f"The rows of {name} are in CSV and in Parquet files.",
                "Leave those of one form in the folder.",
            )
    return found


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.relative_to(folder).parts)


def _table_of(path: Path, folder: Path) -> TableName:
    stem = _SUFFIX.sub("", path.name)
    above = [part for part in path.relative_to(folder).parts[:-1] if "=" not in part]
    while above and _PART.match(stem):
        stem = above.pop()
    schema, _, table = stem.rpartition(".")
    if not schema and above:
        schema = above[-1]
    return TableName(schema or "public", table)
