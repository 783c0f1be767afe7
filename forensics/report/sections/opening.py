"""What is said first: the verdict, what makes it doubtful, the numbers."""

from __future__ import annotations

from forensics import figures
from forensics.report.document import Document
from forensics.report.markup import table, text
from forensics.report.pictures import in_both_widths
from forensics.report.sections.section import Context, Section
from forensics.text import count, counted, prose


def html(d: Document) -> Context:
    """The header of the page."""
    return {"figure": in_both_widths(figures.totals, d.counted)}


def markdown(d: Document) -> list[str]:
    """The same, the numbers as a table."""
    return [
        f"# Incident report: {text(d.title)}",
        f"**{prose(d.verdict)}**",
        *_alarms(d),
        table(("", "rows"), _numbers(d)),
    ]


def _numbers(d: Document) -> list[tuple[str, str]]:
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


def _alarms(d: Document) -> list[str]:
    said = []
    if d.failed:
        tables = counted(len(d.failed), "table")
        said.append(
            f"> **{tables} could not be compared.** "
            "Nothing in this report says that they are intact."
        )
    if d.damage:
        said.append(f"> **The backup is not whole:** {prose(d.damage)}.")
    if not d.complete and not said:
        said.append(
            "> **The comparison did not run to its end.** "
            "Tables that are not named here were not looked at."
        )
    if d.masked:
        said.append("Values of rows are masked.")
    else:
        said.append(
            "> **Not masked.** This report shows values of rows. Treat it like the database itself."
        )
    return said


SECTION = Section("opening", html, markdown)
