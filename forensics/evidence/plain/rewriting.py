"""Rows as people's COPY statements read them, turned into the text that `pg_dump` writes.

Source of the formats: the PostgreSQL manual, COPY, "File Formats", "Text Format" and "CSV Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from forensics.errors import BackupError
from forensics.evidence.blocks import Block
from forensics.evidence.encodings import strictly
from forensics.evidence.fields import encode_field, unescape
from forensics.evidence.plain.copyforms import CopyForm

_Row = list[str | None]


def as_pg_dump_writes(blocks: Iterable[Block], form: CopyForm) -> Iterator[bytes]:
    """Turn rows into blocks of COPY text as `pg_dump` writes it.

    Args:
        blocks: whole lines in UTF-8, without the end marker.
        form: what their COPY says.

    Raises:
        BackupError: a quoted field of CSV has no end.
    """
    heading = form.header
    read = _text_rows
    if form.csv:
        read = _csv_rows
    for rows in read(blocks, form):
        if heading and rows:
            rows, heading = rows[1:], False
        if rows:
            yield _copy_text(rows)


def _copy_text(rows: list[_Row]) -> bytes:
    lines = ["\t".join(map(encode_field, row)) for row in rows]
    return ("\n".join(lines) + "\n").encode("utf-8")


# --- text -----------------------------------------------------------------------------------------


def _text_rows(blocks: Iterable[Block], form: CopyForm) -> Iterator[list[_Row]]:
    for block in blocks:
        rows: list[_Row] = []
        for line in strictly(bytes(block)).split("\n")[:-1]:
            row: _Row = []
            for field in _split(line, form.delimiter):
                if field == form.null:
                    row.append(None)
                else:
                    row.append(unescape(field))
            rows.append(row)
        yield rows


def _split(line: str, delimiter: str) -> list[str]:
    """Split a line at the delimiters that no backslash stands before."""
    fields: list[str] = []
    held = ""
    for part in line.split(delimiter):
        held += part
        backslashes = len(held) - len(held.rstrip("\\"))
        if backslashes % 2:
            held += delimiter
        else:
            fields.append(held)
            held = ""
    if held:
        fields.append(held)
    return fields


# --- CSV ------------------------------------------------------------------------------------------


def _csv_rows(blocks: Iterable[Block], form: CopyForm) -> Iterator[list[_Row]]:
    reader = _CsvReader(form)
    for block in blocks:
        yield reader.rows(strictly(bytes(block)))
    if reader.quoting:
        raise BackupError(
            f"The rows of table {form.table} end within a quoted field.",
            "Is the CSV in the file cut off?",
        )


class _CsvReader:
    """Rows of CSV by the rules of PostgreSQL's own reader; a field may go on in the next block.

    Attributes:
        quoting: whether what was read ends between quotes.
    """

    def __init__(self, form: CopyForm) -> None:
        quote, escape = re.escape(form.quote), re.escape(form.escape)
        delimiter = re.escape(form.delimiter)
        alone = ""
        if form.escape != form.quote:
            alone = f"|{escape}"
        self._bare = re.compile(rf"[^{quote}{delimiter}\r\n]++|{quote}|{delimiter}|\r?\n|\r")
        self._quoted = re.compile(rf"(?:[^{quote}{escape}]++|{escape}[{quote}{escape}]{alone})*+")
        self._escaped = re.compile(rf"{escape}([{quote}{escape}])")
        self._form = form
        self._row: _Row = []
        self._field = ""
        self._was_quoted = False
        self.quoting = False

    def rows(self, text: str) -> list[_Row]:
        """Return the rows that end in a text."""
        found: list[_Row] = []
        at = 0
        while at < len(text):
            if self.quoting:
                at = self._read_quoted(text, at)
            at = self._read_bare(text, at, found)
        return found

    def _read_quoted(self, text: str, at: int) -> int:
        """Read up to the quote that ends a quoted part, and return where it goes on."""
        end = self._quoted.match(text, at).end()  # type: ignore[union-attr]
        self._field += self._escaped.sub(r"\1", text[at:end])
        if end == len(text):
            return end
        self.quoting = False
        return end + 1

    def _read_bare(self, text: str, at: int, found: list[_Row]) -> int:
        """Read fields and rows up to a quote, and return where it goes on."""
        for match in self._bare.finditer(text, at):
            one = match[0]
            if one == self._form.quote:
                self.quoting = self._was_quoted = True
                return match.end()
            if one == self._form.delimiter:
                self._end_field()
            elif one.endswith("\n"):
                self._end_field()
                found.append(self._row)
                self._row = []
            else:
                self._field += one
        return len(text)

    def _end_field(self) -> None:
        # What stands between quotes is never NULL: "" is an empty string.
        if self._field == self._form.null and not self._was_quoted:
            self._row.append(None)
        else:
            self._row.append(self._field)
        self._field = ""
        self._was_quoted = False
