"""Values that were overwritten: what the changed ones of a column have in common."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.markup import bullets, code, table, text
from forensics.model import Overwritten
from forensics.report.document import Document, of_table
from forensics.report.sections.section import Context, Section
from forensics.text import count, counted

_HEAD = ("column", "pattern", "before", "after", "taken for", "rows", "of changed")


def html(d: Document) -> Context | None:
    """Columns whose changed values have a pattern in common, with an example of each."""
    if not d.patterns:
        return None
    entries = [(entry, taken_for(entry)) for entry in d.patterns]
    return {"entries": entries, "hit": list(hit(d))}


def markdown(d: Document) -> list[str]:
    """Columns whose changed values have a pattern in common, with an example of each."""
    if not d.patterns:
        return []
    rows = []
    for entry in d.patterns:
        rows.append(
            (
                code(f"{entry.name}.{entry.column}"),
                text(entry.how),
                text("NULL" if entry.before is None else entry.before),
                text("NULL" if entry.after is None else entry.after),
                text(taken_for(entry)),
                count(entry.rows),
                count(entry.of),
            )
        )
    parts = ["## Overwritten values", table(_HEAD, rows, 5)]
    said = [f"{code(name)}: {text(sentence)}" for name, sentence in hit(d)]
    if said:
        parts += ["Whose references they were:", bullets(said)]
    return parts


def hit(d: Document) -> Iterator[tuple[str, str]]:
    """The parents that overwritten references named: (the reference, what became of it)."""
    for entry in (d.loss or {}).get("references") or ():
        parent = of_table(entry["parent"])
        columns = ", ".join(entry["columns"])
        yield (
            f"{of_table(entry)}.{columns}",
            f"{counted(entry['affected'], 'row')} of {parent} lost "
            f"{counted(entry['rows'], 'reference')}, {entry['emptied']:,} of them emptied",
        )


def taken_for(entry: Overwritten) -> str:
    """What a pattern is taken for, in words."""
    if not entry.destroyed:
        return entry.why or "ordinary changes"
    if entry.undoable:
        return "overwritten; live alone tells what stood there"
    return "destroyed"


SECTION = Section("overwritten", "Overwritten values", html, markdown)
