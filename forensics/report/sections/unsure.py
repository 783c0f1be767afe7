"""What we do not know."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.markup import bullets
from forensics.report.actions import good
from forensics.report.document import Document
from forensics.report.parts import unexplained
from forensics.report.sections.section import Context, Section
from forensics.text import counted, marked


def html(d: Document) -> Context | None:
    """The open ends, in sentences."""
    found = list(unsure(d))
    if not found:
        return None
    return {"said": found}


def markdown(d: Document) -> list[str]:
    """The open ends, in sentences."""
    found = [marked(said) for said in unsure(d)]
    if not found:
        return []
    return ["## What we do not know", bullets(found)]


def unsure(d: Document) -> Iterator[str]:
    """Yield what is not known, in sentences; names stand between backticks.

    Args:
        d: what the report says.
    """
    if d.failed:
        yield f"What {counted(len(d.failed), 'table')} lost: they could not be compared."
    if d.damage:
        yield "What the backup held that it was cut off from."
    if good(d):
        yield from _limits()
        return
    if d.cause is None:
        yield "What did it: the cause was not worked out."
    yield from (d.cause or {}).get("unknown") or ()
    rest = unexplained(d)
    if rest:
        yield f"Who removed {counted(rest, 'row')}, and whether on purpose."
    yield from _window(d)
    yield from _rehearsed(d)
    yield from _limits()


def _window(d: Document) -> Iterator[str]:
    window = (d.loss or {}).get("window") or {}
    if not window.get("incident_at"):
        yield _when((window.get("basis") or {}).get("incident_at") or "")
    likely = high = 0
    for entry in window.get("unobservable") or ():
        if None in (entry["likely"], entry["high"]):
            continue
        likely += entry["likely"]
        high += entry["high"]
    if high:
        yield (
            f"Which rows were written after the backup and destroyed before anyone looked: "
            f"probably about {likely:,}, at most {high:,}. They come back from nowhere, and "
            "are counted nowhere else here."
        )


def _when(basis: str) -> str:
    """That the time is not known, what speaks of it all the same, and which option says it."""
    if "by its version" in basis:
        return f"When it happened: {basis} (`compare --incident-at TIME`)."
    return "When it happened: no history says it. `compare --incident-at TIME` tells the kit."


def _rehearsed(d: Document) -> Iterator[str]:
    if d.recovery and not d.recovery.get("rehearsal"):
        yield "Whether the recovery works: it was not rehearsed."


def _limits() -> Iterator[str]:
    yield "What was written to live since it was read; and what indexes, views and functions lost."


SECTION = Section("unsure", "What we do not know", html, markdown, folded=False)
