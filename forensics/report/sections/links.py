"""Links that are missing: by junction table, and of which rows."""

from __future__ import annotations

from typing import Any

from forensics import figures
from forensics.markup import code, table, text
from forensics.report.document import CLASSES, Document, Junction
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count

_ALWAYS = ("lost", "restorable")
_WORST = 5  # rows of a parent


def html(d: Document) -> Context | None:
    """What became of the links, the worst hit, and before and after for the worst table."""
    if not d.junctions and not d.unclassified:
        return None
    hit = [junction for junction in d.junctions if junction.holder]
    shown: dict[str, Any] = {"classes": _worth_a_column(d), "hit": hit}
    if d.classes and d.classes["missing"]:
        shown["figure"] = in_both_widths(figures.classes, d.classes)
    worst = hit[0].holder if hit else None
    if worst:
        shown["spread"] = in_both_widths(
            figures.distribution,
            worst.before,
            worst.after,
            parent=str(worst.name),
        )
    return shown


def _worth_a_column(d: Document) -> list[str]:
    """What is lost and can be put back, and of the other classes those that there are."""
    found = d.classes or {}
    names = []
    for name in CLASSES:
        if name in _ALWAYS or found.get(name) != 0:
            names.append(name)
    return names


def markdown(d: Document) -> list[str]:
    """A line for each junction table, and a table for each of its worst rows."""
    unclassified = []
    for name, why in d.unclassified:
        said = f"The loss of {code(name)} was not classified, because: {text(why)}"
        unclassified.append(said)
    if not d.junctions:
        return unclassified
    classes = CLASSES if d.classes else ()
    rows = [_line(junction, classes) for junction in d.junctions]
    if d.classes:
        rows.append(["**all**", ""])
        for name in ("missing", *classes):
            rows[-1].append(count(d.classes[name]))
    head = ("junction table", "links", "missing", *classes)
    parts = ["## Links that are missing", table(head, rows, 2), *unclassified]
    for junction in d.junctions:
        parts += _worst(junction)
    return parts


def _line(junction: Junction, classes: tuple[str, ...]) -> list[str]:
    parents = ", ".join(code(parent.name) for parent in junction.parents)
    line = [code(junction.name), parents, count(junction.result.missing)]
    for name in classes:
        line.append(count(junction.classes.get(name)))
    return line


def _worst(junction: Junction) -> list[str]:
    """The rows that miss the most links of a junction table."""
    parent = junction.holder
    if parent is None:
        return []
    key = text(", ".join(parent.key))
    head = [key, "had", "missing"]
    if parent.labelled:
        head.insert(1, "name")
    rows = []
    for row in parent.worst[:_WORST]:
        line = [code(row.key), count(row.had), count(row.missing)]
        if parent.labelled:
            line.insert(1, text(row.label or "–"))
        rows.append(line)
    return [
        f"Rows of {code(parent.name)} that miss the most links of {code(junction.name)}:",
        table(head, rows, len(head) - 2),
    ]


SECTION = Section("links", "Links that are missing", html, markdown)
