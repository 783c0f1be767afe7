"""A plain dump from its beginning to its end, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from forensics.errors import DamagedBackupError
from forensics.evidence.blocks import LongRowError
from forensics.evidence.encodings import OddTextError
from forensics.evidence.files import PlainFile
from forensics.evidence.pieces import Connecting, Copying, Inserting, Piece, Saying, Words
from forensics.evidence.plain import inserts
from forensics.evidence.plain.index import Data, Index, Statement
from forensics.evidence.source import Segment

_SETS_STRINGS = re.compile(r"\s*SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(\w+)", re.I)
_COMMENT = re.compile(r"[ \t]*--[^\n]*\n?|[ \t]*\n", re.M)
_LONGEST_GAP = 1 << 20
_CHUNK = 4 << 20


class Walk:
    """Goes through a plain dump.

    Args:
        file: its bytes.
        part: what stands where, of the database that is meant.
        texts: its statements, in order.
        segments: its runs of rows, in order.
    """

    def __init__(
        self, file: PlainFile, part: Index, texts: Sequence[str], segments: Sequence[Segment]
    ) -> None:
        self._file, self._part, self._texts = file, part, texts
        self._segments = segments
        self._strings = True
        self._database: str | None = None

    def pieces(self) -> Iterator[Piece]:
        """Yield its pieces."""
        places: list[tuple[int, int, Statement | Data, object]] = []
        for statement, text in zip(self._part.statements, self._texts, strict=True):
            places.append((statement.start, statement.end, statement, text))
        for data, segment in zip(self._part.data, self._segments, strict=True):
            places.append((data.start, data.end, data, segment))
        places.sort(key=lambda place: place[0])
        at = 0
        for start, end, found, held in places:
            yield from self._between(at, start, found.encoding)
            if found.database != self._database and found.database is not None:
                self._database = found.database
                yield Connecting(found.database)
            if isinstance(found, Statement):
                yield self._statement(str(held))
            else:
                assert isinstance(held, Segment)
                yield self._rows(found, held)
            at = max(at, end)
        yield from self._between(at, self._file.size, None)

    def _between(self, start: int, end: int, encoding: str | None) -> Iterator[Words]:
        """The comments between two places; anything else there is psql's, or damaged."""
        if not 0 < end - start <= _LONGEST_GAP:
            return
        text = self._file.text(start, end, encoding)
        kept = []
        for line in text.splitlines(keepends=True):
            if _COMMENT.fullmatch(line):
                kept.append(line)
        said = "".join(kept)
        if said.strip():
            yield Words(said.strip("\n") + "\n")

    def _statement(self, text: str) -> Saying:
        if setting := _SETS_STRINGS.match(text):
            self._strings = setting[1].lower() == "on"
        return Saying(text, self._strings)

    def _rows(self, data: Data, segment: Segment) -> Piece:
        if data.form == "copy":
            return Copying(segment.table, segment)

        def statements() -> Iterator[bytes]:
            return self._inserts(data, segment.max_row)

        return Inserting(data.table, statements, data.standard_strings)

    def _inserts(self, data: Data, max_row: int | None) -> Iterator[bytes]:
        convert = self._file.transcoder(data.encoding)
        chunks = self._file.chunks(data.start, data.end, _CHUNK)
        said = f"{self._file.path} is damaged within the rows of table {data.table}"
        try:
            for run in inserts.whole_statements(chunks, data.standard_strings, max_row):
                yield convert(run) if convert else run
        except inserts.OddStatementError as error:
            raise DamagedBackupError(f"{said}: {error.message}", error.hint) from error
        except OddTextError as error:
            raise DamagedBackupError(f"{said}: it holds {error.words}.", error.hint) from error
        except LongRowError as error:
            raise DamagedBackupError(
                f"{said}: a row is longer than --max-row allows.", "Allow more with --max-row."
            ) from error
        if not data.complete:
            raise DamagedBackupError(
                f"{self._file.path} {data.broken or f'breaks off within the rows of {data.table}'}."
            )
