"""What is said first: the questions of whoever has five seconds, and their answers."""

from __future__ import annotations

from forensics.markup import bullets, table, text
from forensics.report.actions import good
from forensics.report.brief import answers, as_of, headline
from forensics.report.document import Document
from forensics.report.parts import parts
from forensics.report.sections.section import Context, Section
from forensics.text import count, counted, marked, prose


def html(d: Document) -> Context:
    """The header of the page."""
    return {
        "headline": headline(d),
        "as_of": as_of(d),
        "answers": answers(d),
        "parts": parts(d),
        "good": good(d),
    }


def markdown(d: Document) -> list[str]:
    """The same, the numbers as a table."""
    said = []
    for answer in answers(d):
        said.append(f"**{answer.question}** {marked(' '.join(answer.said))}")
    return [
        f"# Incident report: {text(d.title)}",
        f"**{prose(headline(d))}**",
        marked(as_of(d)),
        *_alarms(d),
        bullets(said),
        *_numbers(d),
    ]


def _numbers(d: Document) -> list[str]:
    found = parts(d)
    if not found:
        return []
    rows = [(f"**{counted(d.totals['missing'] or 0, 'missing row')}**, of which", "")]
    for part in found:
        rows.append((text(part.said), count(part.rows)))
    return [table(("rows", ""), rows)]


def _alarms(d: Document) -> list[str]:
    said = []
    if d.failed:
        tables = counted(len(d.failed), "table")
        they = "it is" if len(d.failed) == 1 else "they are"
        said.append(
            f"> **{tables} could not be compared.** Nothing in this report says that {they} intact."
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


SECTION = Section("opening", "At a glance", html, markdown, folded=False)
