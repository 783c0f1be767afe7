"""The report as a workbook. Whatever a row holds is written as text: no formula, no link, nothing that a program runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from forensics.errors import ReportError
from forensics.report.rows import MissingRows
from forensics.report.tables import CLASSES, Document, method, of
from forensics.text import count, moment, visible

ROWS = 5_000  # of one table's missing rows; the bundle holds all of them
TABLES = 60
_CELL = 32_767  # characters; Excel holds no more
_WIDEST = 60


def write(
    document: Document, missing: Sequence[MissingRows], path: Path, *, limit: int = ROWS
) -> None:
    """Write the workbook: verdict, tables, columns, junctions, parents, and a sheet of missing rows a table.

    Args:
        document: what the report says.
        missing: the missing rows, as they may be shown; of the first `TABLES` tables.
        path: where to.
        limit: at most so many rows of each table.

    Raises:
        ReportError: it cannot be written.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            # Two reports of one case are the same bytes.
            book.set_properties(
                {
                    "title": f"Incident report: {visible(document.title)}",
                    "created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None),
                }
            )
            _Book(book).fill(document, missing, limit)
    except (OSError, XlsxWriterException) as error:
        raise ReportError(
            f"{path} could not be written: {error}.",
            "Is the disk full, or the file open in another program?",
        ) from error


class _Book:
    def __init__(self, book: Any) -> None:
        self._book = book
        self._head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        )
        self._count = book.add_format({"num_format": "#,##0"})
        self._text = book.add_format({"num_format": "@", "valign": "top"})
        self._wrapped = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        self._large = book.add_format(
            {"bold": True, "font_size": 14, "text_wrap": True, "valign": "top"}
        )
        self._null = book.add_format({"italic": True, "font_color": "#8a949e"})
        self._names: set[str] = set()

    def fill(self, d: Document, missing: Sequence[MissingRows], limit: int) -> None:
        self._verdict(d)
        self._sheet(
            "tables",
            (
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
            ),
            (
                (
                    r.name.schema,
                    r.name.table,
                    r.state,
                    "yes" if r.junction else "",
                    r.backup_rows,
                    r.live_rows,
                    r.missing,
                    r.added,
                    r.changed,
                    r.unchanged,
                    ", ".join(r.key),
                    r.key_source,
                    r.reason,
                    "; ".join(r.notes),
                )
                for r in sorted(
                    d.results,
                    key=lambda r: (
                        r.state != "failed",
                        -(r.missing or 0),
                        -(r.changed or 0),
                        r.name,
                    ),
                )
            ),
        )
        self._sheet(
            "columns",
            ("schema", "table", "column", "change", "in backup", "in live", "values missing"),
            (
                (
                    c.name.schema,
                    c.name.table,
                    c.column,
                    c.change,
                    c.before,
                    c.after,
                    c.values_missing,
                )
                for c in (*d.drift, *sum(d.added_columns.values(), ()))
            ),
        )
        if d.findings:
            self._sheet("findings", ("kind", "finding"), d.findings)
        classes = CLASSES if d.classes else ()
        self._sheet(
            "junctions",
            ("junction table", "links", "in backup", "missing", *classes, "now in"),
            (
                (
                    j.name,
                    ", ".join(str(p.name) for p in j.parents),
                    j.result.backup_rows,
                    j.result.missing,
                    *(j.classes.get(c) for c in classes),
                    "; ".join(f"{of(m)}: {count(m['rows'])}" for m in j.moved_to),
                )
                for j in d.junctions
            ),
        )
        self._sheet(
            "worst hit",
            (
                "junction table",
                "parent",
                "key",
                "name",
                "gone from live",
                "links in backup",
                "missing",
                "links now",
            ),
            (
                (
                    j.name,
                    str(p.name),
                    w.key,
                    w.label,
                    "yes" if w.gone else "",
                    w.had,
                    w.missing,
                    w.now,
                )
                for j in d.junctions
                for p in j.parents
                for w in p.worst
            ),
        )
        for table in missing[:TABLES]:
            rows = table.read(limit)
            left = (table.result.missing or 0) - limit
            self._sheet(
                str(table.result.name),
                table.columns,
                rows,
                null=True,
                note=f"{count(left)} more rows are not in this sheet; a .zip report holds all of them."
                if left > 0
                else None,
            )

    def _verdict(self, d: Document) -> None:
        sheet = self._add("verdict")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 2, 62)
        sheet.merge_range(0, 0, 0, 2, "", self._large)
        sheet.write_string(0, 0, _cell(d.verdict), self._large)
        sheet.set_row(0, 62)
        lines: list[tuple[str, Any, Any]] = [
            (n.replace("_", " "), v, None) for n, v in d.totals.items()
        ]
        lines.append(("links missing", d.links_missing, None))
        lines.append(("values of dropped columns", d.values_missing, None))
        lines += [(n, v, None) for n, v in (d.classes or {}).items() if n != "missing"]
        lines += [("", None, None)]
        lines += [(f"could not be compared: {r.name}", r.reason, None) for r in d.failed]
        if d.damage:
            lines.append(("the backup is not whole", d.damage, None))
        lines.append(
            (
                "values of rows",
                "masked" if d.masked else "shown: treat this file like the database itself",
                None,
            )
        )
        lines += [(m.said, moment(m.at), None) for m in d.moments]
        lines += [
            ("", "backup", "live"),
            *((f.name, f.backup, f.live) for f in d.facts),
            ("", None, None),
        ]
        lines += [
            (heading if not i else "", said, None)
            for heading, sentences in method(d)
            for i, said in enumerate(sentences)
        ]
        for i, line in enumerate(lines, 2):
            for j, value in enumerate(line):
                self._put(sheet, i, j, value, self._wrapped)

    def _sheet(
        self,
        name: str,
        head: Sequence[str],
        rows: Iterable[Sequence[Any]],
        *,
        null: bool = False,
        note: str | None = None,
    ) -> None:
        sheet = self._add(name)
        widths = [min(len(h) + 2, _WIDEST) for h in head]
        for j, title in enumerate(head):
            sheet.write_string(0, j, _cell(title), self._head)
        i = 0
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row):
                if value is None and null:
                    sheet.write_string(i, j, "NULL", self._null)
                else:
                    self._put(sheet, i, j, value, self._text)
                if i < 200:
                    widths[j] = min(max(widths[j], len(str(value or "")) + 2), _WIDEST)
        for j, width in enumerate(widths):
            sheet.set_column(j, j, width)
        sheet.freeze_panes(1, 0)
        if head:
            sheet.autofilter(0, 0, max(i, 1), len(head) - 1)
        if note:
            sheet.write_string(i + 2, 0, note)

    def _put(self, sheet: Any, row: int, column: int, value: Any, how: Any) -> None:
        if isinstance(value, int) and not isinstance(value, bool):
            sheet.write_number(row, column, value, self._count)
        elif value is not None and value != "":
            sheet.write_string(row, column, _cell(value), how)

    def _add(self, name: str) -> Any:
        """A sheet of that name, as near as Excel's rules for names allow, and unlike every other."""
        plain = re.sub(r"[\[\]:*?/\\]", "_", visible(name)).strip("'")[:31] or "table"
        found, number = plain, 1
        while found.casefold() in self._names or found.casefold() == "history":
            number += 1
            found = f"{plain[: 30 - len(str(number))]}~{number}"
        self._names.add(found.casefold())
        return self._book.add_worksheet(found)


def _cell(value: object) -> str:
    said = visible(value)
    return said if len(said) <= _CELL else said[: _CELL - 1] + "…"
