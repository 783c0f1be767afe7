"""The report as Markdown, for an issue, a wiki or a chat."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.markup import text
from forensics.report.document import Document
from forensics.report.sections import SECTIONS, Section

_CLOSING = "Written by the incident forensics kit from a case on disk."


def render(document: Document, wanted: Sequence[Section] = ()) -> str:
    """Return the report as Markdown (CommonMark with GitHub's tables).

    Args:
        document: what it says.
        wanted: sections, where only some are asked for.
    """
    parts = []
    if wanted:
        parts.append(f"# Incident report: {text(document.title)}")
    for section in wanted or SECTIONS:
        parts += section.markdown(document)
    parts.append(_CLOSING)
    return "\n\n".join(parts) + "\n"
