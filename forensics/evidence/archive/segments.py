"""The data of an archive's entry as rows.

Rows that COPY wrote end with a line that is exactly a backslash and a point, then blank lines: what
lacks that line was cut off, whatever the form and the compression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext
from forensics.evidence.archive.container import Container
from forensics.evidence.archive.runs import Run
from forensics.evidence.archive.toc import Entry
from forensics.evidence.blocks import LongRowError
from forensics.evidence.columns import Check
from forensics.evidence.encodings import OddTextError, lines_converted, odd_bytes, transcoder
from forensics.evidence.flaws import Flaws, Judge, is_even
from forensics.evidence.judged import JudgedSegment
from forensics.evidence.plain import inserts
from forensics.evidence.source import Block

_END = b"\\."
_MARKED = b"\n\\.\n"
_HEAD = 1 << 20  # how long a first statement may be that is looked at
_SHORT = 16  # longer than the end marker with the blank lines after it
_LINE_FEED, _TAB = 10, 9


class _Judged(JudgedSegment):
    """Rows of an archive, whose values are looked at before they are handed on.

    Args:
        container: the archive.
        run: the entry.
    """

    def __init__(
        self,
        container: Container,
        run: Run,
        columns: Sequence[str],
        checks: Mapping[str, tuple[str, Check]],
    ) -> None:
        super().__init__(run.own, columns, checks)
        self._container = container
        self._run = run

    def _sound(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield the rows that are sound, and raise where some are not."""
        checks = self._checks if self.thorough else {}
        if not checks:
            yield from blocks
        else:
            judge = Judge(self.columns, checks)
            yield from judge.sound(blocks)
            if judge.flaws.first:
                raise self._flawed(judge.flaws)
        if not self._run.is_defined:
            said = f"the definition of table {self._run.target} is lost or damaged"
            raise self._container.damaged(said)

    def _flawed(self, flaws: Flaws) -> DamagedBackupError:
        assert flaws.first
        said = f"row {flaws.first.row + 1} {flaws.first.words}"
        if flaws.count > 1:
            said += f", and {flaws.count - 1} more are damaged,"
        return self._damaged(said)

    def _damaged(self, what: str) -> DamagedBackupError:
        return damaged(self._container, self._run, what)


class CopySegment(_Judged):
    """Rows that COPY wrote.

    Only gzip has a checksum, so every block is held against what COPY text can be: as many tabs and
    line feeds as so many rows of so many columns have. Rows that ran together, or one that was torn
    in two, are not counted as rows.
    """

    waits = True  # for what is packed, and parted

    def blocks(self) -> Iterator[Block]:
        return self._sound(self._rows())

    def as_stored(self) -> Iterator[Block] | None:
        run, encoding = self._run, self._container.toc.encoding
        if self.thorough or run.damage or not run.is_defined or transcoder(encoding):
            return None
        return self._lines()

    def is_sound(self, rows: bytes) -> bool:
        return odd_bytes(rows) is None and is_even(rows, self.columns)

    def _lines(self) -> Iterator[bytes]:
        """The rows' lines as they are, up to the end marker."""
        stream = self._container.stream(self._run.entry)

        def read(_: int) -> bytes:
            return next(stream, b"")

        lines = copytext.read_blocks(read, max_row=self.max_row)
        return _without_end(lines, self._without_marker)

    def _rows(self) -> Iterator[Block]:
        if self._run.damage:
            raise self._damaged(self._run.damage)
        width = len(self.columns)
        rows = 0
        try:
            for block in self._lines():
                size, good = _good_part(block, width)
                if size:
                    yield from self._as_text(block[:size], rows)
                rows += good
                if size < len(block):
                    raise self._damaged(
                        f"another number of fields than {width} stands after row {rows}"
                    )
        except LongRowError as error:
            raise self._too_long(error, f"line {rows + 1} of its rows") from error

    def _as_text(self, block: bytes, rows: int) -> Iterator[bytes]:
        """Yield rows in UTF-8, up to the first that is not."""
        if convert := transcoder(self._container.toc.encoding):

            def damaged_at(row: int, words: str) -> DamagedBackupError:
                return self._damaged(f"row {rows + row + 1} holds {words}")

            yield from lines_converted([block], convert, damaged_at)
            return
        odd = odd_bytes(block)
        if odd is None:
            yield block
            return
        sound = block[: block.rfind(b"\n", 0, odd.at) + 1]
        if sound:
            yield sound
        row = rows + sound.count(b"\n") + 1
        raise self._damaged(f"row {row} holds {odd.words}")

    def _without_marker(self) -> DamagedBackupError:
        return self._damaged("the line that ends them is missing, or stands among them")


class InsertSegment(_Judged):
    """Rows that INSERT statements hold, turned into COPY text as they stream.

    Args:
        container: the archive.
        run: the entry.
        checks: by column, the name of its type and what tells values that this cannot hold.
        table_columns: what a statement without a list of columns means; none where the archive does
            not define the table.
        wanted: the columns that are wanted where the entry does not say which it has.
        known: the names that a statement may give, where that is sure.
    """

    def __init__(
        self,
        container: Container,
        run: Run,
        checks: Mapping[str, tuple[str, Check]],
        table_columns: Sequence[str],
        wanted: Sequence[str],
        known: frozenset[str] | None,
    ) -> None:
        super().__init__(container, run, run.columns or wanted, checks)
        self._names = inserts.Names(known)
        self._table_columns = table_columns or self.columns

    def blocks(self) -> Iterator[Block]:
        try:
            yield from self._sound(self._rows())
        except inserts.OddStatementError as error:
            said = self._damaged(f"line {error.line} is damaged").message
            raise DamagedBackupError(f"{said} {error.message}", error.hint) from error

    def _rows(self) -> Iterator[Block]:
        toc = self._container.toc
        convert = transcoder(toc.encoding)
        damage: list[BackupError] = []
        line = 1  # that the next statement begins on
        is_long = False

        def statements() -> Iterator[bytes]:
            # Held back until the rows before it are out.
            nonlocal line, is_long
            try:
                stream = self._container.stream(self._run.entry)
                for run in inserts.whole_statements(stream, toc.standard_strings, self.max_row):
                    begins, line = line, line + run.strip().count(b"\n") + 1
                    yield convert(run) if convert else run
            except OddTextError as error:
                at = begins + run[: error.at].lstrip().count(b"\n")
                damage.append(self._damaged(f"line {at} of its rows holds {error.words}"))
            except LongRowError as error:
                is_long = True
                damage.append(self._too_long(error, f"line {line} of its rows"))
            except BackupError as error:
                damage.append(error)

        yield from inserts.copy_blocks(
            statements(), self._table_columns, self.columns, toc.standard_strings, self._names
        )
        if not damage:
            return
        [error] = damage
        if isinstance(error, DamagedBackupError) or is_long:
            raise error
        raise damaged(self._container, self._run, "a statement without an end stands") from error


def first_columns(container: Container, entry: Entry) -> Sequence[str]:
    """What an entry's first INSERT says of its columns: their names, or how many they are."""
    if entry.copy_stmt:
        return ()
    toc = container.toc
    convert = transcoder(toc.encoding)
    try:
        for run in inserts.whole_statements(container.stream(entry), toc.standard_strings, _HEAD):
            text = convert(run) if convert else run
            return inserts.columns_of(text.decode("utf-8", "replace"), toc.standard_strings)
    except (BackupError, LongRowError):
        return ()  # whoever reads the rows is told
    return ()


def damaged(container: Container, run: Run, what: str) -> DamagedBackupError:
    """The error that says what is wrong with an entry's rows."""
    return container.damaged(f"{what} in the rows of table {run.own}")


def _without_end(blocks: Iterator[bytes], lacking: Callable[[], Exception]) -> Iterator[bytes]:
    """Yield blocks of whole lines without the end marker after the last row.

    Raises:
        What `lacking` makes, after the last whole line, where there is no such marker.
    """
    held = b""  # the last block so far: the marker may stand in it
    try:
        for block in blocks:
            if held and len(block) >= _SHORT:
                yield from _before_marker(held, lacking)
                held = block
            else:
                held += block
    except BackupError:
        if held:
            yield held
        raise
    rows = held.rstrip(b"\n")
    marked = rows != held and (rows == _END or rows.endswith(b"\n" + _END))
    whole = rows.removesuffix(_END) if marked else held[: held.rfind(b"\n") + 1]
    if whole:
        yield from _before_marker(whole, lacking)
    if not marked:
        raise lacking()


def _before_marker(rows: bytes, stray: Callable[[], Exception]) -> Iterator[bytes]:
    """Yield rows that are not the last; an end marker among them is none of theirs."""
    if b"\\" not in rows:  # one byte is found many times as fast as several
        yield rows
        return
    at = 0 if rows.startswith(_END + b"\n") else rows.find(_MARKED) + 1
    if at == 0 and not rows.startswith(_END + b"\n"):
        yield rows
        return
    if at:
        yield rows[:at]
    raise stray()


def _good_part(block: bytes, width: int) -> tuple[int, int]:
    """Return how many bytes of `block`, and how many lines, precede the first line that has not
    `width` fields."""
    data = np.frombuffer(block, dtype=np.uint8)
    lines = int(np.count_nonzero(data == _LINE_FEED))
    tabs = int(np.count_nonzero(data == _TAB))
    if width and tabs == lines * (width - 1):
        return len(block), lines
    if not width and lines == len(block):
        return len(block), lines
    size = lines = 0
    for line in block.splitlines(keepends=True):
        if not _has_fields(line, width):
            break
        size += len(line)
        lines += 1
    return size, lines


def _has_fields(line: bytes, width: int) -> bool:
    if width == 0:
        return line == b"\n"
    return line.count(b"\t") == width - 1
