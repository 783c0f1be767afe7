"""Values too long for the case file: each is a file beside it, and a mark in its row.

The engine holds a row several times, and thousands of rows at once. A mark stands for one value
only, so that rows are equal where their marks are; it is what is shown of the value, too. Where
rows are written (`spliced`), the value itself comes back, piece by piece.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.errors import CaseError

if TYPE_CHECKING:
    import duckdb

LONGEST = 128 << 10  # bytes, as COPY writes them, that the case file holds of a value
VALUES = "values"
_BEGINS = "⟦"
_MARK = re.compile(rf"⟦\d+ bytes: {VALUES}/([0-9a-f]{{64}})⟧")
_PIECE = 1 << 20


class LongValues:
    """The files of a case's long values.

    Args:
        folder: the case's folder.
        key: of the case, in hexadecimal digits. Nobody who does not know it can write a value that
            reads as another one's mark.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder / VALUES
        self._key = bytes.fromhex(key)

    def mark(self, field: memoryview) -> str:
        """What stands for a field in its row."""
        return f"{_BEGINS}{len(field)} bytes: {VALUES}/{self._hash(field)}⟧"

    def keep(self, field: memoryview) -> str:
        """Write a field's file, where it is not there; return what stands for it.

        Raises:
            CaseError: it cannot be written.
        """
        name = self._hash(field)
        path = self._folder / name
        if not path.exists():
            fresh = self._folder / f".{name}.{secrets.token_hex(4)}"
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(number, "wb") as file:
                    file.write(field)
                fresh.replace(path)
            except OSError as error:
                fresh.unlink(missing_ok=True)
                raise CaseError(
                    f"{path} cannot be written: {error.strerror}.",
                    "Is the disk full? Make room, and go on with --resume.",
                ) from error
        return self.mark(field)

    def has(self, mark: str) -> bool:
        """Whether the file of a mark's value is there."""
        return file_of(self._folder.parent, mark).exists()

    def _hash(self, field: memoryview) -> str:
        return blake2b(field, digest_size=32, key=self._key).hexdigest()


def new_key() -> str:
    """A key for the marks of a new case."""
    return secrets.token_hex(32)


def is_mark(text: str | None) -> bool:
    """Whether a text may stand for a long value."""
    return text is not None and text.startswith(_BEGINS) and bool(_MARK.fullmatch(text))


def marked(field: str) -> str:
    """The condition, in the engine's SQL, that a mark stands in a field."""
    return f"(starts_with({field}, '{_BEGINS}') AND regexp_full_match({field}, '{_MARK.pattern}'))"


def held(folder: Path) -> bool:
    """Whether a case has long values."""
    return (folder / VALUES).is_dir()


def file_of(folder: Path, mark: str) -> Path:
    """The file of the value that a mark stands for, as COPY writes it; it need not be there."""
    found = _MARK.fullmatch(mark)
    assert found is not None
    return folder / VALUES / found[1]


def spliced(folder: Path, texts: Iterable[str]) -> Iterator[str]:
    """Yield COPY text with the values themselves where marks stand, none of it a whole value.

    Args:
        folder: the case's folder.
        texts: COPY text of kept rows, cut between lines.
    """
    if not held(folder):
        yield from texts
        return
    for text in texts:
        at = 0
        for found in _MARK.finditer(text):
            path = folder / VALUES / found[1]
            if path.exists():  # a mark of another case is text like any other
                yield text[at : found.start()]
                yield from _pieces(path)
                at = found.end()
        yield text[at:]


def _pieces(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        while piece := file.read(_PIECE):
            yield piece


def marks_in(cursor: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """The marks in the rows that a case keeps of one side of a table, such as `rows.live_1`."""
    columns = cursor.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() "
        f"AND schema_name || '.' || table_name = '{table}' AND regexp_full_match(column_name, "
        "'f\\d+')"
    ).fetchall()
    found: set[str] = set()
    for (column,) in columns:
        marks = cursor.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {marked(column)}")
        found.update(mark for (mark,) in marks.fetchall())
    return found


def sweep(folder: Path, used: Iterable[str]) -> None:
    """Remove the files of values that no kept row names.

    Args:
        folder: the case's folder.
        used: the marks of those that some row does.
    """
    if not held(folder):
        return
    needed = {file_of(folder, mark).name for mark in used if is_mark(mark)}
    for path in (folder / VALUES).iterdir():
        if path.name not in needed:
            path.unlink()
    if not needed:
        (folder / VALUES).rmdir()
