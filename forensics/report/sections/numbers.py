"""All rows of the backup, and of the links those that come back."""

from __future__ import annotations

from forensics import figures
from forensics.markup import table
from forensics.report.document import Document
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count


def html(d: Document) -> Context:
    """The bar of all rows, and the numbers."""
    return {
        "figure": in_both_widths(figures.totals, d.counted),
        "numbers": numbers(d),
    }


def markdown(d: Document) -> list[str]:
    """The numbers as a table."""
    return ["## Rows in all", table(("", "rows"), numbers(d))]


def numbers(d: Document) -> list[tuple[str, str]]:
    """What is counted, and how many: unknown is not nought.

    Args:
        d: what the report says.
    """
    rows = [
        ("in the backup", count(d.totals["backup_rows"])),
        ("missing from live", count(d.totals["missing"])),
        ("of them links of junction tables", count(d.links_missing)),
        ("changed", count(d.totals["changed"])),
        ("unchanged", count(d.totals["unchanged"])),
        ("added to live since", count(d.totals["added"])),
    ]
    if d.outlook:
        rows.append(("lost links that can be put back", count(d.outlook.returns)))
        if d.outlook.freed:
            rows.append(("of them blocked until their parents are back", count(d.outlook.freed)))
        rows.append(("lost links blocked or conflicting", count(d.outlook.stays)))
    elif d.loss:
        rows.append(("lost links that can be put back", "not classified"))
    if d.values_missing:
        rows.append(("values taken by dropped columns", count(d.values_missing)))
    if d.values_destroyed:
        rows.append(("values overwritten by one pattern each", count(d.values_destroyed)))
    return rows


SECTION = Section("numbers", "Rows in all", html, markdown)
