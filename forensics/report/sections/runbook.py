"""The runbook: what to do, command by command."""

from __future__ import annotations

from forensics import recovery
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section, where
from forensics.text import prose


def html(d: Document) -> Context | None:
    """The steps."""
    return where(d.recovery and d.recovery.get("runbook"))


def markdown(d: Document) -> list[str]:
    """The steps."""
    steps = (d.recovery or {}).get("runbook")
    if not steps:
        return []
    parts = ["## Runbook"]
    if d.unrehearsed:
        parts.append(f"> **{prose(d.unrehearsed)}**")
    for step in steps:
        said = "\n".join(recovery.markdown(step["parts"]))
        parts += [f"### {prose(step['title'])}", said.rstrip("\n")]
    return parts


SECTION = Section("runbook", "Runbook", html, markdown)
