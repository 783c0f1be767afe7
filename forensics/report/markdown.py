"""The report as Markdown, for an issue, a wiki or a chat."""

from __future__ import annotations

from forensics.report.document import Document
from forensics.report.sections import SECTIONS

_CLOSING = "Written by the incident forensics kit from a case on disk."


def render(document: Document) -> str:
    """Return the report as Markdown (CommonMark with GitHub's tables)."""
    parts = []
    for section in SECTIONS:
        parts += section.markdown(document)
    parts.append(_CLOSING)
    return "\n\n".join(parts) + "\n"
