"""Rows of a plain dump: byte ranges of its file, read as blocks of COPY text."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence.blocks import BLOCK_BYTES, Block, LongRowError, read_blocks
from forensics.evidence.columns import Check
from forensics.evidence.encodings import (
    ODD_HINT,
    OddTextError,
    converted,
    lines_converted,
    odd_bytes,
)
from forensics.evidence.files import PlainFile
from forensics.evidence.flaws import Flaw, Judge, is_even
from forensics.evidence.judged import JudgedSegment
from forensics.evidence.parts import Cut, Divisible
from forensics.evidence.plain import inserts
from forensics.evidence.plain.escapes import has_odd_escapes, rewrite_escapes
from forensics.evidence.plain.index import Data
from forensics.evidence.plain.markers import count_rows
from forensics.evidence.plain.rewriting import as_pg_dump_writes
from forensics.evidence.reading import let_go
from forensics.evidence.source import Segment
from forensics.model import TableName

if TYPE_CHECKING:
    import numpy as np

_Rows = TypeVar("_Rows", bytes, Block)
_POSITIONS = 2_000  # of rows, looked up at a time: each may map 64 kB of the file
_CHUNK = 4 << 20
_PIECE = 64 << 10
_CUT_HINT = "Look for a complete copy of the backup; what was read stays in the case."
_FLAW_HINT = (
    "Look for another copy of the backup, or mend the rows in a copy of the file and take that."
)


class _Judged(JudgedSegment):
    """Rows of a plain dump, each of which is looked at before it is handed on."""

    def __init__(
        self,
        file: PlainFile,
        data: Data,
        columns: Sequence[str],
        checks: Mapping[str, tuple[str, Check]],
    ) -> None:
        super().__init__(data.table, columns, checks)
        self._file = file
        self._data = data

    def _sound(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the rows that are sound, and raise where some are not, or the run is not whole."""
        data = self._data
        checks = self._checks if self.thorough else {}
        judge = Judge(self.columns, checks, among_messages=not data.complete)
        rows = 0
        for block in judge.sound(blocks):
            if not data.complete:
                rows += bytes(block).count(b"\n")
            yield block
        flaws = judge.flaws
        if not data.complete:
            said = data.broken or f"breaks off within the rows of table {data.table}"
            raise DamagedBackupError(
                f"{self._file.path} {said}, after {rows} whole rows.", _CUT_HINT
            )
        if flaws.first:
            raise self._flawed(flaws.first, flaws.count)

    def _flawed(self, first: Flaw, count: int) -> DamagedBackupError:
        where = f"row {first.row + 1}"
        if line := self._line_of(first.row):
            where += f" (line {line} of the file)"
        said = f"{self._file.path} is damaged within the rows of table {self.table}: {where}"
        said += f" {first.words}"
        if count > 1:
            said += f", and {count - 1} more are damaged"
        return DamagedBackupError(f"{said}.", _FLAW_HINT)

    def _line_of(self, row: int) -> int | None:
        """The line of the file that a row stands on, or None where that is not told."""
        return None

    def _bounded(self, rows: Iterator[_Rows]) -> Iterator[_Rows]:
        """Yield rows, and say of one that is too long where it stands."""
        try:
            yield from rows
        except LongRowError as error:
            line = count_rows(self._file, 0, self._data.start + error.at) + 1
            where = f"line {line} of {self._file.path}"
            raise self._too_long(error, where) from error


class CopySegment(_Judged, Divisible):
    """Rows that COPY wrote, at a byte range of the file."""

    def __init__(
        self,
        file: PlainFile,
        data: Data,
        columns: Sequence[str],
        checks: Mapping[str, tuple[str, Check]],
    ) -> None:
        super().__init__(file, data, columns, checks)
        # Whether some of its text was not as PostgreSQL writes it, so that positions are not the
        # file's.
        self._rewritten = False

    def blocks(self) -> Iterator[Block]:
        data, form = self._data, self._data.copy
        if form and form.problem:
            raise BackupError(
                f"The rows of table {data.table} cannot be read: {form.problem}.",
                "Load the file into a scratch database, and dump that.",
            )
        encoding = data.encoding
        if form and form.encoding:
            encoding = form.encoding
        convert = self._file.transcoder(encoding)
        blocks = self._lines(as_it_is=convert is None)
        if convert and (form is None or form.usual):
            blocks = lines_converted(blocks, convert, self._odd)
        else:
            blocks = converted(blocks, convert)
        if form and not form.usual:
            blocks = as_pg_dump_writes(blocks, form)
        yield from self._sound(blocks)

    def as_stored(self) -> Iterator[Block] | None:
        if self.thorough or not self._data.complete or not self._positions_are_the_files():
            return None
        return self._bounded(self._whole_lines())

    def _whole_lines(self) -> Iterator[Block]:
        """The file's own bytes, whole lines at a time, in one buffer."""
        at, end = self._data.start, self._data.end
        buffer = bytearray(min(BLOCK_BYTES, end - at))
        text = memoryview(buffer)
        while at < end:
            size = self._file.read_into(text, at, end)
            cut = buffer.rfind(b"\n", 0, size) + 1
            if not cut or (self.max_row is not None and self.max_row < cut):
                # There is a line longer than a block, or there may be one longer than is allowed.
                yield from read_blocks(self._file.reader(at, end), max_row=self.max_row)
                return
            yield text[:cut]
            at += cut

    def is_sound(self, rows: bytes) -> bool:
        if odd_bytes(rows) is not None or has_odd_escapes(rows):
            return False
        return is_even(rows, self.columns)

    def _line_of(self, row: int) -> int | None:
        if self._rewritten or (self._data.copy and not self._data.copy.usual):
            return None
        return count_rows(self._file, 0, self._data.start) + row + 1

    def _odd(self, row: int, words: str) -> DamagedBackupError:
        return DamagedBackupError(self._flawed(Flaw(row, f"holds {words}"), 1).message, ODD_HINT)

    def _text(self, block: bytes, at: int) -> tuple[bytes, DamagedBackupError | None]:
        """Return the rows of a block that are UTF-8 up to the first that is not, and its error.

        Args:
            at: where the block stands in the file.
        """
        odd = odd_bytes(block)
        if odd is None:
            return block, None
        line = count_rows(self._file, 0, at + odd.at) + 1
        said = f"{self._file.path} is damaged within the rows of table {self.table}: line"
        found = DamagedBackupError(f"{said} {line} holds {odd.words}.", ODD_HINT)
        return block[: block.rfind(b"\n", 0, odd.at) + 1], found

    def _lines(self, *, as_it_is: bool) -> Iterator[bytes]:
        """The rows in the file's encoding, each a line, with the escapes that PostgreSQL writes.

        CSV knows no escapes: it stays as it is.

        Args:
            as_it_is: whether that encoding is UTF-8.
        """
        data, form = self._data, self._data.copy
        delimiter = b"\t"
        if form:
            delimiter = form.delimiter.encode()
        escapes = not (form and form.csv)
        at, damage = data.start, None
        read = self._file.reader(data.start, data.end)
        lines = read_blocks(read, max_row=self.max_row)
        for block in self._bounded(_whole_rows(lines, self.max_row)):
            stood = len(block)
            if as_it_is:
                block, damage = self._text(block, at)
            at += stood
            if data.line_end == b"\r\n":
                # A carriage return within data is always escaped: this one belongs to the file's
                # line ends.
                block = block.replace(b"\r\n", b"\n")
            if escapes and has_odd_escapes(block):
                self._rewritten = True
                block = rewrite_escapes(block, delimiter)
            if block:
                yield block
            if damage:
                raise damage

    def lines_at(self, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
        if self._positions_are_the_files():
            return self._lines_of_file(positions)
        return super().lines_at(positions)

    def cuts(self, size: int) -> list[Cut]:
        data = self._data
        if data.copy or not data.complete:
            return [()]
        edges = [data.start]
        while edges[-1] + size < data.end:
            edges.append(self._end_of_row(edges[-1] + size))
        if edges[-1] < data.end:
            edges.append(data.end)
        return list(pairwise(edges)) or [()]

    def _end_of_row(self, at: int) -> int:
        """Where the first row ends whose line does so at `at` or behind it."""
        base = max(self._data.start, at - _PIECE)
        text, look = b"", at - 1 - base
        for piece in self._file.chunks(base, self._data.end, _PIECE):
            text += piece
            while end := text.find(b"\n", look) + 1:
                if not _goes_on(text, end):
                    return base + end
                look = end
            look = max(look, len(text))
        return self._data.end

    def part(self, cut: Cut) -> CopySegment:
        start, end = cut
        data = replace(self._data, start=start, end=end, lines=None)
        found = CopySegment(self._file, data, self.columns, self._checks)
        found.thorough, found.max_row = self.thorough, self.max_row
        return found

    def _positions_are_the_files(self) -> bool:
        data = self._data
        if self._rewritten or data.copy or data.line_end != b"\n":
            return False
        return self._file.transcoder(data.encoding) is None

    def _lines_of_file(self, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
        """Yield lines without reading what lies between them."""
        start = self._data.start
        with mmap.mmap(self._file.fd, 0, access=mmap.ACCESS_READ) as text:
            read = 0
            for first in range(0, len(positions), _POSITIONS):
                for position in positions[first : first + _POSITIONS].tolist():
                    at = start + position
                    yield position, text[at : text.find(b"\n", at)]
                upto = at // mmap.PAGESIZE * mmap.PAGESIZE
                if upto > read:
                    let_go(text, read, upto - read)
                    read = upto


def _whole_rows(blocks: Iterator[bytes], max_row: int | None) -> Iterator[bytes]:
    """Blocks that do not end within a row.

    A backslash before a line's end makes it a part of the data.

    Raises:
        LongRowError: a row of several lines is longer than `max_row`.
    """
    held = b""
    at = 0  # where what is held begins
    for block in blocks:
        block = held + block
        end = len(block)
        if _goes_on(block, end):
            end = _end_of_last_row(block)
            if max_row is not None and len(block) - end > max_row:
                raise LongRowError(at + end, len(block) - end)
        held = block[end:]
        at += end
        if end:
            yield block[:end]
    if held:
        yield held


def _goes_on(text: bytes, end: int) -> bool:
    """Whether the row goes on behind the line that ends at `end`."""
    around = 64
    while True:
        line = text[max(0, end - around) : end].removesuffix(b"\n").removesuffix(b"\r")
        bare = line.rstrip(b"\\")
        if bare or around >= end:
            return (len(line) - len(bare)) % 2 == 1
        around *= 8


def _end_of_last_row(block: bytes) -> int:
    """Where the last row ends that does not go on behind a block; 0 where there is none."""
    end = block.rfind(b"\n", 0, len(block) - 1) + 1
    while end and _goes_on(block, end):
        end = block.rfind(b"\n", 0, end - 1) + 1
    return end


class UnknownOrderSegment(Segment):
    """Rows of which nobody can say which value stands in which column."""

    def blocks(self) -> Iterator[Block]:
        raise BackupError(
            f"Table {self.table} inherits, and its INSERTs name no columns: they do not follow the"
            " order of its definition, and which they follow cannot be known.",
            "Make a backup with pg_dump --column-inserts, or without --inserts.",
        )


class InsertSegment(_Judged):
    """Rows that INSERT statements hold, turned into COPY text as they stream.

    Args:
        columns: what is wanted, in order.
        own: what a statement that names no columns means, in order.
        names: what is asked of the names that one gives.
    """

    loses_signs = True

    def __init__(
        self,
        file: PlainFile,
        data: Data,
        columns: Sequence[str],
        checks: Mapping[str, tuple[str, Check]],
        own: Sequence[str],
        names: inserts.Names,
    ) -> None:
        super().__init__(file, data, columns, checks)
        self._own, self._names = own, names

    def _in_utf8(self, statements: Iterator[bytes]) -> Iterator[bytes]:
        """Yield statements in UTF-8, and say of one that cannot be read where it stands."""
        data = self._data
        convert = self._file.transcoder(data.encoding)
        lines = 0
        for run in statements:
            try:
                text = convert(run) if convert else run
            except OddTextError as error:
                lines += run.count(b"\n", 0, error.at) + 1
                line = count_rows(self._file, 0, data.start) + lines
                raise DamagedBackupError(
                    f"{self._file.path} is damaged within the rows of table {self.table}: line"
                    f" {line} holds {error.words}.",
                    ODD_HINT,
                ) from error
            if convert:
                lines += run.count(b"\n")
            yield text

    def blocks(self) -> Iterator[Block]:
        data = self._data
        chunks = self._file.chunks(data.start, data.end, _CHUNK)
        statements = self._bounded(
            inserts.whole_statements(chunks, data.standard_strings, self.max_row)
        )
        rows = inserts.copy_blocks(
            self._in_utf8(statements),
            self._own or self.columns,
            self.columns,
            data.standard_strings,
            self._names,
        )
        try:
            yield from self._sound(rows)
        except inserts.OddStatementError as error:
            line = count_rows(self._file, 0, data.start) + error.line
            if data.written_for is None:
                # People write what a server understands, and this reader need not.
                raise BackupError(
                    f"The rows of table {self.table} cannot be read from line {line} of"
                    f" {self._file.path} on: {error.message}",
                    error.hint,
                ) from error
            raise DamagedBackupError(
                f"{self._file.path} is damaged within the rows of table {self.table}, at line"
                f" {line}: {error.message}",
                error.hint,
            ) from error


class HarmedSegment(Segment):
    """Rows that may stand where a dump is damaged.

    Reading them fails, so that nobody overlooks them.

    Args:
        words: what is wrong there.
    """

    def __init__(
        self, file: PlainFile, table: TableName, columns: Sequence[str], words: str
    ) -> None:
        super().__init__(table, columns)
        self._error = DamagedBackupError(
            f"{file.path} is damaged where rows of table {table} are or may be: {words}.",
            _FLAW_HINT,
        )

    def blocks(self) -> Iterator[Block]:
        raise self._error
