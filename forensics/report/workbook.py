"""The report as a workbook.

Numbers and times are such where a spreadsheet keeps all of them; whatever else a row holds is
text: no formula, no link, nothing that a program runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from forensics.errors import ReportError
from forensics.model import TableName, TableResult
from forensics.report import told
from forensics.report.cells import number
from forensics.report.document import CLASSES, Document, Junction, largest_loss_first, of
from forensics.report.rows import MissingRows
from forensics.report.sections.method import method
from forensics.report.sections.overwritten import taken_for
from forensics.text import count, visible

ROWS = 5_000  # of one table's missing rows; the bundle holds all of them
TABLES = 60
_CELL = 32_767  # characters; Excel holds no more
_NAME = 31  # characters of a sheet's name
_WIDEST = 60
_TIME = "yyyy-mm-dd hh:mm:ss"
_MEASURED = 200  # rows that a column's width is measured by

_AS_TEXT = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_RESULTS = (
    "schema",
    "table",
    "state",
    "junction",
    "in backup",
    "in live",
    "missing",
    "added",
    "changed",
    "unchanged",
    "key",
    "compared by",
    "reason",
    "notes",
)
_COLUMNS = (
    "schema",
    "table",
    "column",
    "change",
    "in backup",
    "in live",
    "values missing",
)
_OVERWRITTEN = (
    "table",
    "column",
    "pattern",
    "before",
    "after",
    "taken for",
    "rows",
    "of changed",
)
_WORST = (
    "junction table",
    "parent",
    "key",
    "name",
    "gone from live",
    "links in backup",
    "missing",
    "links now",
)

Cells = Sequence[Any]


def write(
    document: Document,
    missing: Sequence[MissingRows],
    path: Path,
    *,
    limit: int = ROWS,
) -> None:
    """Write the workbook.

    Its sheets: verdict, actions, cause, recovery, tables, columns, changed rows, junctions,
    parents, and one of missing rows a table; those that have nothing to say are left out.

    Args:
        document: what the report says.
        missing: the missing rows, as they may be shown; of the first `TABLES` tables.
        path: where to.
        limit: at most so many rows of each table.

    Raises:
        ReportError: it cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxWriterException

    # Two reports of one case are the same bytes.
    properties = {
        "title": f"Incident report: {visible(document.title)}",
        "created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None),
    }
    try:
        with xlsxwriter.Workbook(str(path), dict(_AS_TEXT)) as book:
            book.set_properties(properties)
            _fill(_Book(book), document, missing, limit)
    except (OSError, XlsxWriterException) as error:
        raise ReportError(
            f"{path} could not be written: {error}.",
            "Is the disk full, or the file open in another program?",
        ) from error


def _fill(
    book: _Book,
    d: Document,
    missing: Sequence[MissingRows],
    limit: int,
) -> None:
    book.letter("verdict", d.verdict, _verdict(d))
    told.add(book, d)
    book.sheet("tables", _RESULTS, _results(d))
    book.sheet("columns", _COLUMNS, _columns(d))
    if d.findings:
        book.sheet("findings", ("kind", "finding"), d.findings)
    if d.patterns:
        book.sheet("overwritten", _OVERWRITTEN, _overwritten(d))
    classes = CLASSES if d.classes else ()
    head = ("junction table", "links", "in backup", "missing", *classes, "now in")
    book.sheet("junctions", head, (_junction(j, classes) for j in d.junctions))
    book.sheet("worst hit", _WORST, _worst(d))
    for table in missing[:TABLES]:
        name = str(table.result.name)
        unread = (table.result.missing or 0) - limit
        note = ""
        if unread > 0:
            note = (
                f"{count(unread)} more rows are not in this sheet; a .zip report holds all of them."
            )
        rows = _read(table, limit)
        book.sheet(name, table.columns, rows, null=True, note=note)


def _read(table: MissingRows, limit: int) -> Iterator[Cells]:
    """Missing rows, their numbers and times as such."""
    read = [table.readers.get(column) for column in table.columns]
    for row in table.read(limit):
        cells: list[Any] = []
        for how, value in zip(read, row, strict=True):
            if how is None or value is None:
                cells.append(value)
            else:
                cells.append(how(value))
        yield cells


# --- what the sheets hold ---


def _overwritten(d: Document) -> Iterator[Cells]:
    for entry in d.patterns:
        yield (
            str(entry.name),
            entry.column,
            entry.how,
            entry.before,
            entry.after,
            taken_for(entry),
            entry.rows,
            entry.of,
        )


def _known(number: int | None) -> int | str:
    return "unknown" if number is None else number


def _verdict(d: Document) -> Iterator[Cells]:
    for name, value in d.totals.items():
        said = "tables of either side" if name == "tables" else name.replace("_", " ")
        yield said, _known(value)
    yield "links missing", _known(d.links_missing)
    yield "values of dropped columns", d.values_missing
    for name, links in (d.classes or {}).items():
        if name != "missing":
            yield name, _known(links)
    yield ()
    for result in d.failed:
        yield f"could not be compared: {result.name}", result.reason
    if d.damage:
        yield "the backup is not whole", d.damage
    if d.masked:
        yield "values of rows", "masked"
    else:
        yield "values of rows", "shown: treat this file like the database itself"
    for one in d.moments:
        yield one.said, one.at
    yield "", "backup", "live"
    yield from d.facts
    yield ()
    for heading, sentences in method(d):
        for said in sentences:
            yield heading, said
            heading = ""


def _results(d: Document) -> Iterator[Cells]:
    for result in sorted(d.results, key=_failed_first):
        yield (
            result.name.schema,
            result.name.table,
            result.state,
            "yes" if result.junction else "",
            result.backup_rows,
            result.live_rows,
            result.missing,
            result.added,
            result.changed,
            result.unchanged,
            ", ".join(result.key),
            result.key_source,
            result.reason,
            "; ".join(result.notes),
        )


def _failed_first(result: TableResult) -> tuple[bool, tuple[int, int, TableName]]:
    return result.state != "failed", largest_loss_first(result)


def _columns(d: Document) -> Iterator[Cells]:
    changes = list(d.drift)
    for added in d.added_columns.values():
        changes += added
    for change in changes:
        yield (
            change.name.schema,
            change.name.table,
            change.column,
            change.change,
            change.before,
            change.after,
            change.values_missing,
        )


def _junction(junction: Junction, classes: tuple[str, ...]) -> Cells:
    places = [f"{of(place)}: {count(place['rows'])}" for place in junction.moved_to]
    return (
        junction.name,
        ", ".join(str(parent.name) for parent in junction.parents),
        junction.result.backup_rows,
        junction.result.missing,
        *map(junction.classes.get, classes),
        "; ".join(places),
    )


def _worst(d: Document) -> Iterator[Cells]:
    for junction in d.junctions:
        for parent in junction.parents:
            for row in parent.worst:
                yield (
                    junction.name,
                    str(parent.name),
                    number(row.key) if parent.numbered else row.key,
                    row.label,
                    "yes" if row.gone else "",
                    row.had,
                    row.missing,
                    row.now,
                )


# --- the book ---


class _Book:
    """A workbook with our formats, whose sheets have names of their own.

    Args:
        book: xlsxwriter's own.
    """

    def __init__(self, book: Any) -> None:
        wrapped = {"text_wrap": True, "valign": "top"}
        text = {"num_format": "@", "valign": "top"}
        head = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        self._book = book
        self._head = book.add_format(head)
        self._count = book.add_format({"num_format": "#,##0"})
        self._id = book.add_format({"num_format": "0"})
        self._plain = book.add_format({"num_format": "General"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self._time = book.add_format({"num_format": _TIME, "align": "left"})
        self._zoned = book.add_format({"num_format": f'{_TIME} "UTC"', "align": "left"})
        self._ids: frozenset[int] = frozenset()
        self._text = book.add_format(text)
        self._wrapped = book.add_format({"num_format": "@", **wrapped})
        self._large = book.add_format({"bold": True, "font_size": 14, **wrapped})
        self._null = book.add_format({"italic": True, "font_color": "#8a949e"})
        self._names: set[str] = set()

    def letter(self, name: str, heading: str, lines: Iterable[Cells]) -> None:
        """Add a sheet to be read: a heading, then lines of what it is about and what is said."""
        sheet = self._add(name)
        self._ids = frozenset()
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 2, 62)
        sheet.merge_range(0, 0, 0, 2, "", self._large)
        sheet.write_string(0, 0, _cell(heading), self._large)
        sheet.set_row(0, 62)
        for i, line in enumerate(lines, 2):
            for j, value in enumerate(line):
                self._put(sheet, i, j, value, self._wrapped)

    def sheet(
        self,
        name: str,
        head: Sequence[str],
        rows: Iterable[Cells],
        *,
        null: bool = False,
        note: str = "",
    ) -> None:
        """Add a sheet that is a table.

        Args:
            name: what it is called, as near as may be.
            head: its columns' names.
            rows: its cells.
            null: whether None is shown as NULL, not as nothing.
            note: stands below it.
        """
        sheet = self._add(name)
        # What a row holds is written as it is: no comma in an id.
        self._ids = frozenset(j for j, title in enumerate(head) if null or title == "key")
        widths = [min(len(title) + 2, _WIDEST) for title in head]
        for j, title in enumerate(head):
            sheet.write_string(0, j, _cell(title), self._head)
        i = 0
        for i, row in enumerate(rows, 1):
            self._line(sheet, i, row, null)
            if i < _MEASURED:
                widths = list(map(_wider, widths, row)) + widths[len(row) :]
        for j, width in enumerate(widths):
            sheet.set_column(j, j, width)
        sheet.freeze_panes(1, 0)
        if head:
            sheet.autofilter(0, 0, max(i, 1), len(head) - 1)
        if note:
            sheet.write_string(i + 2, 0, _cell(note))

    def _line(self, sheet: Any, number: int, row: Cells, null: bool) -> None:
        for j, value in enumerate(row):
            if value is None and null:
                sheet.write_string(number, j, "NULL", self._null)
            else:
                self._put(sheet, number, j, value, self._text)

    def _put(self, sheet: Any, row: int, column: int, value: Any, how: Any) -> None:
        if isinstance(value, datetime):
            told_at = value.replace(tzinfo=None)
            zoned = self._zoned if value.tzinfo else self._time
            sheet.write_datetime(row, column, told_at, zoned)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self._day)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            sheet.write_number(row, column, value, self._number(column, value))
        elif value is not None and value != "":
            sheet.write_string(row, column, _cell(value), how)

    def _number(self, column: int, value: float) -> Any:
        if isinstance(value, float):
            return self._plain
        return self._id if column in self._ids else self._count

    def _add(self, name: str) -> Any:
        """A sheet of that name, as near as Excel's rules for names allow, unlike every other."""
        plain = re.sub(r"[\[\]:*?/\\]", "_", visible(name)).strip("'")[:_NAME]
        plain = plain or "table"
        found, number = plain, 1
        while found.casefold() in self._names or found.casefold() == "history":
            number += 1
            room = _NAME - 1 - len(str(number))
            found = f"{plain[:room]}~{number}"
        self._names.add(found.casefold())
        return self._book.add_worksheet(found)


def _cell(value: object) -> str:
    said = visible(value)
    if len(said) > _CELL:
        return said[: _CELL - 1] + "…"
    return said


def _wider(width: int, value: object) -> int:
    """A column's width, with a cell of that value in it."""
    length = len(str(value or "")) + 2
    return min(max(width, length), _WIDEST)
