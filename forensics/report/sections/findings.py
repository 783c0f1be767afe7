"""What the counts do not say."""

from __future__ import annotations

from forensics.markup import bullets
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import prose


def html(d: Document) -> Context | None:
    """What was found beside the counts."""
    return where(d.findings)


def markdown(d: Document) -> list[str]:
    """What was found beside the counts."""
    if not d.findings:
        return []
    said = [f"{kind}: {prose(sentence)}" for kind, sentence in d.findings]
    return ["## What the counts do not say", bullets(said)]


SECTION = Section("findings", "What the counts do not say", html, markdown)
