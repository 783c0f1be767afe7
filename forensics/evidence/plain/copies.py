"""A pass over a plain dump as far as COPY goes: its statement, and the rows behind it."""

from __future__ import annotations

import mmap
import re
from dataclasses import replace

from forensics.evidence.encodings import odd_bytes
from forensics.evidence.files import PlainFile
from forensics.evidence.names import known_columns
from forensics.evidence.plain import going_on, patterns
from forensics.evidence.plain.context import Context
from forensics.evidence.plain.copyforms import CopyForm, is_known
from forensics.evidence.plain.index import Data, Draft, Harm
from forensics.evidence.plain.markers import Ending, Lines, count_sound_rows, find_ending
from forensics.model import TableName

_UNMARKED = "lacks the line that ends the rows"
_HARMS = 100


class CopyWalk:
    """What a pass over the unpacked text, up to `size`, knows, and how it takes COPY in."""

    def __init__(self, text: mmap.mmap, file: PlainFile) -> None:
        self.text = text
        self.file = file
        self.size = len(text)
        self.here = Context(file)
        self.draft = Draft()
        self.nul: int | None = None
        self.lines = Lines(file)

    def _line(self, at: int) -> re.Match[bytes]:
        """The line from `at` on, its line feed included."""
        line = patterns.LINE.match(self.text, at)
        assert line
        return line

    def _text_until(self, end: int, start: int) -> int:
        """Return `end`, or where the text from `start` on ends before it.

        What stands behind a NUL is not what was written.
        """
        nul = self.text.find(b"\0", start, end)
        if nul < 0:
            return end
        self._end_at(nul)
        return nul

    def _end_at(self, nul: int) -> None:
        self.nul = self.size = nul

    def _harm(self, at: int, words: str, after: int, table: TableName | None = None) -> int:
        """Take note of what is wrong at a place; return where it goes on."""
        said = f"{words} at line {self.lines.number(at)}"
        table = table or self.here.within
        self.draft.harms.append(Harm(said, table, self.here.database))
        if len(self.draft.harms) >= _HARMS:
            self.draft.damage = f"it is damaged in {_HARMS} places and more; {said}"
        return after

    def _doubt_text(self, at: int, text: bytes, table: TableName | None = None) -> None:
        """Take note where a statement, or a name in it, holds bytes that are no text."""
        if text.isascii() or self.file.transcoder(self.here.encoding) is not None:
            return
        odd = odd_bytes(text)
        if odd is not None:
            self._harm(at + odd.at, f"{odd.words} stand", at, table)

    # --- rows that COPY brings in -----------------------------------------------------------------

    def _copy_statement(self, at: int, end: int, head: bytes) -> int | None:
        """Read a COPY and its rows; return where they end, or None where it brings none in."""
        form = self._copy_form(self.text[at:end])
        if form is not None:
            self._doubt_text(at, self.text[at:end], form.table)
            return self._copy_from(end, form)
        of_stdin = patterns.FROM_STDIN.search(head)
        if not of_stdin and (going_on.copies_elsewhere(head) or is_known(self.here.said(head))):
            return None
        # Its rows would be taken for statements.
        into = going_on.COPIES_INTO.match(head)
        table = self.here.within
        if into and not table:
            table = self.here.table(into[1])
        words = "a COPY statement that PostgreSQL would not understand begins"
        after = going_on.resume(self.text, at, None, self.size)
        return self._harm(at, words, after, table)

    def _copy_from(self, end: int, form: CopyForm) -> int:
        """Take the rows behind a COPY that ends at `end`; return where they end."""
        line = self._line(end)
        behind = line[0].strip()
        if not behind or behind.startswith((b"--", b"/*")) or form.file is not None:
            return self._copy(line.end(), form)
        words = f"the first row of table {form.table} stands behind its COPY"
        self._harm(end, words, end, form.table)
        return self._copy(end, form, "lacks a line feed before the rows")

    def _unended_copy(self, copy: re.Match[bytes]) -> int:
        form = self._copy_form(copy[1] + b";")
        assert form
        start = copy.end()
        if not self._line(start)[0].strip():
            start = self._line(start).end()
        words = f"the COPY of table {form.table} lacks its semicolon"
        self._harm(copy.start(), words, start, form.table)
        return self._copy(start, form, "lacks the end of the COPY before the rows")

    def _copy_form(self, statement: bytes) -> CopyForm | None:
        match = patterns.COPY.match(statement)
        if match is None:
            return self.here.copy(statement)
        table = self.here.table(match[1])
        if match[2] is None:
            return CopyForm(table, None)
        columns = known_columns(self.here.said(match[2]))
        if match[3]:
            columns.insert(0, "oid")  # a row's oid stands before what the list names
        return CopyForm(table, tuple(columns))

    def _copy(self, start: int, form: CopyForm, broken: str | None = None) -> int:
        """Take the rows that begin at `start`; return where they end.

        Args:
            broken: what is wrong with the statement before them, or None.
        """
        table = form.table
        if form.file is not None:
            self.draft.elsewhere.append(
                f"the rows of table {table} are in {form.file}, which is not read"
            )
            return start
        ending = find_ending(self.file.fd, start, self.size)
        if ending.nul is not None:
            self._end_at(ending.nul)
        run = replace(self.here.run(table, start, start), columns=form.columns)
        if not self.here.fresh:
            run = replace(run, written_for=None)
        self.here.fresh = False
        if form.encoding or not form.usual:
            run = replace(run, copy=form)
        line_end = self.text[start - 2 : start]
        if broken:
            line_end = self._line(start)[0][-2:]
        if line_end == b"\r\n":
            run = replace(run, line_end=line_end)
        self.draft.note_tables(self.here.database)
        if broken:
            run = replace(run, complete=False, broken=f"{broken} of table {table}")
        after = self._lost_marker(start, ending, form)
        if after is not None:
            self._harm(after, f"the end mark of the rows of table {table} is lost", after, table)
            self._keep(replace(run, end=going_on.end_of_rows(self.text, start, after)), _UNMARKED)
            return after
        if ending.marker is not None:
            self._keep(replace(run, end=ending.marker, lines=ending.lines))
            return self._line(ending.marker).end()
        # What follows the last line feed is part of a row at best.
        stop = max(self.text.rfind(b"\n", start - 1, self.size) + 1, start)
        rows = count_sound_rows(self.file, replace(run, end=stop))
        self._keep(replace(run, end=stop, rows=rows, complete=False))
        self.draft.damage = f"the rows of table {table} break off after {rows} whole rows"
        return self.size

    def _keep(self, run: Data, broken: str | None = None) -> None:
        """Keep a run of rows, with what else is wrong with it."""
        if broken:
            said = f"{broken} of table {run.table}"
            run = replace(run, complete=False, broken=run.broken or said)
        self.draft.data.append(run)

    def _lost_marker(self, start: int, ending: Ending, form: CopyForm) -> int | None:
        """Where what follows a table's rows begins, if their end marker was lost; or None."""
        if not form.usual or self.nul is not None:
            return None
        marker = ending.marker
        if marker is None:
            return going_on.heading(self.text, start, self.size)
        if not ending.copies:
            return None
        width = len(form.columns or ()) or self._line(start)[0].count(b"\t") + 1
        stray = going_on.stray_copy(self.text, start, marker, width)
        if stray is None:
            return None
        return going_on.heading_above(self.text, start, stray, first=width > 1)
