"""How the findings came about and where they end, in plain words."""

from __future__ import annotations

from forensics.markup import bullets
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section
from forensics.text import counted, prose

_HOW = (
    "The backup was read as it is: nothing of it was executed, and it was not restored.",
    "Live was asked for the same rows in one read-only snapshot, so that all tables show the "
    "same moment.",
    "Rows are compared by their key, on the columns that both sides have, as the text that "
    "PostgreSQL writes for each value. Equal means equal to the byte, after times and other "
    "values that a server may spell in several ways were brought to one spelling.",
    "For every table, missing, changed and unchanged rows add up to the backup’s, and added, "
    "changed and unchanged rows to live’s; a table for which they do not is not reported as "
    "compared.",
)
_LIMITS = (
    "A missing row need not be a loss: people and programs delete rows on purpose, before the "
    "incident and after it. Only what the report calls lost survives nowhere in live.",
    "Rows that were written after the backup and destroyed before live was read are in neither "
    "side.",
    "Compared are the rows of tables and the definitions of columns. Indexes, views, functions, "
    "triggers, privileges and what large objects hold are not.",
    "The report speaks of the two sides as they were when they were read, and of nothing that "
    "was written since.",
)


def method(document: Document) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return how the findings came about and where they end: (heading, sentences)."""
    how: tuple[str, ...] = _HOW
    keyless = 0
    for result in document.results:
        if result.state == "compared" and result.key_source == "all columns":
            keyless += 1
    if keyless:
        how = (*how, _without_key(keyless))
    return ("How it was found out", how), ("What it does not say", _LIMITS)


def _without_key(tables: int) -> str:
    was = "was" if tables == 1 else "were"
    return (
        f"{counted(tables, 'table')} without a usable key {was} compared by whole rows: there, "
        "a changed row shows as one missing and one added."
    )


def html(d: Document) -> Context:
    """Both lists."""
    return {"method": method(d)}


def markdown(d: Document) -> list[str]:
    """Both lists."""
    parts = []
    for heading, sentences in method(d):
        said = [prose(sentence) for sentence in sentences]
        parts += [f"## {heading}", bullets(said)]
    return parts


SECTION = Section("method", "Method and limits", html, markdown)
