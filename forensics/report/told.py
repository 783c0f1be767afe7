"""The workbook’s sheets of what is to be done, what did it, what comes back, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from forensics.report.actions import actions
from forensics.report.brief import headline
from forensics.report.cells import Read, number
from forensics.report.document import Document, of
from forensics.report.sections.actions import said
from forensics.report.sections.wayout import worth_showing
from forensics.text import count, counted, one_line

_ACTIONS = ("what", "owner", "date", "done")
_CAUSE = ("migration", "line", "statement", "hazard", "of", "missing", "overwritten", "filled")
_UNEXPLAINED = ("table", "missing rows that no statement accounts for")
_MIGRATIONS = ("migration", "applied", "before the backup", "in live", "file", "state")
_OPTIONS = (
    "way",
    "recovers",
    "of them freed",
    "destroys",
    "blocked",
    "verified",
    "seconds",
    "what the application needs",
)
_STAYS = ("table or column", "class", "why", "rows or values")
_CHANGED = ("table", "key", "column", "in backup", "in live")

Cells = Sequence[Any]


class Book(Protocol):
    """What sheets are added to."""

    def sheet(
        self, name: str, head: Sequence[str], rows: Iterable[Cells], *, note: str = ""
    ) -> None: ...


def add(book: Book, d: Document) -> None:
    """Add the sheets, those left out that have nothing to say.

    Args:
        book: what to add them to.
        d: what the report says.
    """
    todo = [(said(action).replace("`", ""),) for action in actions(d)]
    book.sheet("actions", _ACTIONS, todo, note=headline(d))
    if d.cause:
        book.sheet("cause", _CAUSE, _statements(d))
        rest = [(of(e), e["rows"]) for e in d.cause["unexplained"] if e["rows"]]
        if rest:
            book.sheet("unexplained", _UNEXPLAINED, rest)
        if d.cause["migrations"]:
            book.sheet("migrations", _MIGRATIONS, _migrations(d))
    if d.recovery:
        note = " ".join(filter(None, (d.unrehearsed, d.recovery.get("recommendation"))))
        book.sheet("recovery", _OPTIONS, _options(d), note=note)
        if d.recovery.get("stays"):
            book.sheet("stays", _STAYS, _stays(d))
    if d.changed:
        book.sheet("changed rows", _CHANGED, _changed(d), note=_left_out(d))


def _statements(d: Document) -> Iterator[Cells]:
    for entry in d.struck:
        yield (
            entry["migration"],
            entry["line"],
            one_line(entry["sql"] or "the schema was rebuilt"),
            entry["hazard"],
            of(entry),
            entry["rows"],
            entry.get("changed"),
            entry.get("blanked"),
        )


def _migrations(d: Document) -> Iterator[Cells]:
    for entry in (d.cause or {})["migrations"]:
        applied = entry["applied_at"]
        yield (
            entry["name"],
            datetime.fromisoformat(applied) if applied else None,
            _known(entry["in_backup"]),
            _known(entry["in_live"]),
            entry["file"],
            entry.get("state"),
        )


def _options(d: Document) -> Iterator[Cells]:
    for way in worth_showing((d.recovery or {})["options"]):
        yield (
            way["name"],
            way["recovers"],
            way.get("freed"),
            way["destroys"],
            way["blocked"],
            _known(way["verified"]),
            way.get("seconds"),
            way.get("application"),
        )


def _stays(d: Document) -> Iterator[Cells]:
    for entry in (d.recovery or {})["stays"]:
        reason = entry["reason"].replace("`", "")
        yield of(entry), entry["class"], reason, entry["rows"]


def _changed(d: Document) -> Iterator[Cells]:
    for table in d.changed:
        for change in table.changes:
            key = number(change.key) if table.numbered else change.key
            read = table.readers.get(change.column, str)
            before, after = _cell(change.before, read), _cell(change.after, read)
            yield str(table.name), key, change.column, before, after


def _cell(value: str | None, read: Read) -> Any:
    return "NULL" if value is None else read(value)


def _left_out(d: Document) -> str:
    more = [f"{table.name} {count(table.more)}" for table in d.changed if table.more]
    if not more:
        return ""
    rows = sum(table.more for table in d.changed)
    return f"{counted(rows, 'more changed row')} not in this sheet: {', '.join(more)}."


def _known(value: bool | None) -> str:
    if value is None:
        return "not known"
    return "yes" if value else "no"
