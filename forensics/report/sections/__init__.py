"""The sections of a report, one a file, in their order.

To add one: a file here with its `SECTION`, a template of its name, and its place in the list.
"""

from forensics.report.sections import (
    blocked,
    cause,
    drift,
    failed,
    findings,
    intact,
    links,
    loss,
    method,
    notes,
    opening,
    overwritten,
    provenance,
    recovery,
    runbook,
    survives,
    window,
)
from forensics.report.sections.section import Section

SECTIONS: tuple[Section, ...] = (
    opening.SECTION,
    loss.SECTION,
    findings.SECTION,
    overwritten.SECTION,
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
