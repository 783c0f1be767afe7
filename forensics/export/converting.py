"""A backup as a plain dump that psql and older servers take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from forensics.errors import BackupError, UsageError
from forensics.evidence import Source
from forensics.evidence.archive.source import ArchiveSource
from forensics.evidence.bytewise import count_lines
from forensics.evidence.encodings import stray_bytes
from forensics.evidence.pieces import Connecting, Copying, Inserting, Lacking, Piece, Saying, Words
from forensics.evidence.plain.source import PlainSource
from forensics.export.exporting import expect_free
from forensics.export.literals import standard
from forensics.export.masking import statements
from forensics.export.older import Adapted, Said, Version, adapted
from forensics.export.script import END, copy_statement
from forensics.query.stream import Heard, unheard
from forensics.query.writing import to_file

_VERSION = re.compile(r"(\d+)(?:\.(\d+))?(?:\.\d+)?\Z")
_SETS = re.compile(r"\s*SET\s+(client_encoding|standard_conforming_strings)\b[^;]*;", re.I)
_SQL_ASCII = "SQL_ASCII"
_LAST_WORDS = re.compile(r"-- PostgreSQL database dump complete\b")


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        file: where.
        rows: how many, of COPY.
        damage: what could not be read, in sentences.
        refused: what the server that is meant will refuse, in sentences that name the line.
        notes: what was taken back, in sentences that name the line.
    """

    file: Path
    rows: int
    damage: tuple[str, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether all of the backup is there, and the server will take it."""
        return not self.damage and not self.refused


def version_of(text: str | None) -> Version | None:
    """Return a version as people write it: 14, 9.6, 15.4.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    found = _VERSION.match(text.strip())
    if not found:
        raise UsageError(
            f"{text} is no version of PostgreSQL.", "Write it like 14 or 9.6: --server-version 14."
        )
    major = int(found[1])
    return major, int(found[2] or 0) if major < 10 else 0


def convert(
    source: Source,
    to: Path,
    *,
    server_version: str | None = None,
    force: bool = False,
    heard: Heard = unheard,
) -> Converted:
    """Write a backup as a plain dump.

    Args:
        source: a dump.
        to: the file.
        server_version: of the server that is to take it.
        force: take the place of a file that is there.
        heard: is told of rows that were read.

    Raises:
        UsageError: the file is there, the version is none, or the backup is a database.
        ReportError: the file cannot be written.
    """
    target = version_of(server_version)
    if not isinstance(source, ArchiveSource | PlainSource):
        raise UsageError(
            "What is converted is a dump, and this is none.", "Take one with pg_dump first."
        )
    expect_free(to, force=force)
    with to_file(to) as file:
        writer = _Writer(file, target, source, heard)
        for piece in source.pieces():
            writer.take(piece)
        writer.close()
    return writer.converted(to)


class _Writer:
    """Writes pieces, and counts the lines."""

    def __init__(
        self, file: IO[bytes], target: Version | None, source: Source, heard: Heard
    ) -> None:
        self._file, self._target, self._heard = file, target, heard
        self._line = 1
        self._rows = 0
        self._damage: dict[str, None] = {}
        self._refused: list[str] = []
        self._notes: list[str] = []
        self._source = source
        self._any_bytes = source.identify().encoding == _SQL_ASCII
        self._held: Words | None = None
        self._is_closed = False

    def _write(self, data: bytes) -> None:
        if self._any_bytes:
            data = stray_bytes(data)
        self._file.write(data)
        self._line += count_lines(data)

    def _say(self, text: str) -> None:
        self._write(text.encode("utf-8", "surrogateescape"))

    def take(self, piece: Piece) -> None:
        """Write a piece."""
        if isinstance(piece, Words):
            self._words(piece)
        elif isinstance(piece, Connecting):
            quoted = piece.database.replace('"', '""')
            self._say(f'\\connect "{quoted}"\n\n')
        elif isinstance(piece, Saying):
            self._statement(piece)
        elif isinstance(piece, Copying):
            self._copy(piece)
        elif isinstance(piece, Inserting):
            self._inserts(piece)
        elif isinstance(piece, Lacking):
            self._damage[f"Not converted: {piece.words}."] = None

    def _words(self, words: Words) -> None:
        text = words.text
        if _LAST_WORDS.search(text):
            self._is_closed = True
            text = _LAST_WORDS.sub("--", text)
        self._say(f"{text}\n")

    # --- statements -------------------------------------------------------------------------------

    def _statement(self, piece: Saying) -> None:
        sql = piece.sql
        if setting := _SETS.match(sql):
            sql = self._setting(setting[1].lower())
        elif not piece.standard_strings:
            sql = standard(sql.encode("utf-8", "surrogateescape")).decode(
                "utf-8", "surrogateescape"
            )
        for one in statements(sql):
            if one.strip():
                self._adapted(adapted(one.strip("\n"), self._target))

    def _setting(self, name: str) -> str:
        if name == "standard_conforming_strings":
            return "SET standard_conforming_strings = on;"
        encoding = _SQL_ASCII if self._any_bytes else "UTF8"
        return f"SET client_encoding = '{encoding}';"

    def _adapted(self, made: Adapted) -> None:
        for said in made.said:
            self._note(said)
        if made.sql is not None:
            self._say(f"{made.sql.rstrip()}\n\n")

    def _note(self, said: Said) -> None:
        sentence = f"Line {self._line + said.line}: {said.words}."
        if said.fatal:
            self._refused.append(sentence)
        else:
            self._notes.append(sentence)

    # --- rows -------------------------------------------------------------------------------------

    def _copy(self, piece: Copying) -> None:
        segment = piece.segment
        segment.thorough = True
        columns = segment.columns
        begun = False
        try:
            for block in segment.blocks():
                if not begun:
                    self._say(f"{copy_statement(piece.table, columns)}\n")
                    begun = True
                rows = count_lines(bytes(block))
                self._rows += rows
                self._heard(piece.table, rows)
                self._write(bytes(block))
        except BackupError as error:
            self._damage[error.message] = None
        if begun:
            self._write(END)

    def _inserts(self, piece: Inserting) -> None:
        try:
            for run in piece.statements():
                if not piece.standard_strings:
                    run = standard(run)
                self._write(run)
        except BackupError as error:
            self._damage[error.message] = None
        self._say("\n\n")

    # --- the end ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Write the last words, which only a dump that is whole has."""
        for words in _unread(self._source):
            self._damage[words] = None
        if not self._damage and (self._is_closed or isinstance(self._source, ArchiveSource)):
            self._say("--\n-- PostgreSQL database dump complete\n--\n\n")

    def converted(self, to: Path) -> Converted:
        """What there is to say."""
        return Converted(
            to, self._rows, tuple(self._damage), tuple(self._refused), tuple(self._notes)
        )


def _unread(source: Source) -> Iterator[str]:
    """What of a backup nobody can read, besides rows that were asked for."""
    if damage := source.damage:
        yield f"The backup is damaged: {damage}."
    for name, held in source.contents().items():
        if not held.complete:
            yield f"The rows of {name} are cut off or corrupt in the backup."
