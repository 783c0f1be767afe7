"""The sections of a report, one a file, in their order: what people read, then the evidence.

To add one: a file here with its `SECTION`, a template of its name, and its place in the list.
"""

from forensics.report.sections import (
    actions,
    blocked,
    cause,
    changed,
    drift,
    failed,
    findings,
    impact,
    intact,
    links,
    loss,
    method,
    notes,
    numbers,
    opening,
    overwritten,
    provenance,
    recovery,
    runbook,
    story,
    survives,
    unsure,
    wayout,
    window,
)
from forensics.report.sections.section import Section

SECTIONS: tuple[Section, ...] = (
    opening.SECTION,
    impact.SECTION,
    story.SECTION,
    wayout.SECTION,
    unsure.SECTION,
    actions.SECTION,
    numbers.SECTION,
    loss.SECTION,
    findings.SECTION,
    overwritten.SECTION,
    changed.SECTION,
    links.SECTION,
    survives.SECTION,
    blocked.SECTION,
    drift.SECTION,
    intact.SECTION,
    failed.SECTION,
    notes.SECTION,
    window.SECTION,
    cause.SECTION,
    recovery.SECTION,
    runbook.SECTION,
    provenance.SECTION,
    method.SECTION,
)

__all__ = ["SECTIONS", "Section"]
