"""The way out and its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.markup import table, text
from forensics.report.document import Document
from forensics.report.sections.section import Context, Section
from forensics.text import count, fact, prose

_COUNTS = ("recovers", "destroys", "blocked")
_HEAD = ("way", "brings back", "destroys", "cannot bring back", "verified", "seconds")


def html(d: Document) -> Context | None:
    """What is recommended, and what each way costs."""
    if not d.recovery:
        return None
    return {"options": worth_showing(d.recovery["options"])}


def worth_showing(options: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Options that would do something; one that is nought throughout is none."""
    found = []
    for option in options:
        numbers = [option[name] for name in _COUNTS]
        if None in numbers or any(numbers):
            found.append(option)
    return found


def markdown(d: Document) -> list[str]:
    """What is recommended, and what each way costs."""
    if not d.recovery:
        return []
    parts = ["## The way out"]
    if d.unrehearsed:
        parts.append(f"> **{prose(d.unrehearsed)}**")
    if d.recovery.get("recommendation"):
        parts.append(prose(d.recovery["recommendation"]))
    rows = []
    for option in worth_showing(d.recovery["options"]):
        numbers = [count(option[name]) for name in _COUNTS]
        proof = text(fact(option["verified"])), text(fact(option.get("seconds")))
        rows.append((text(option["name"]), *numbers, *proof))
    if rows:
        parts.append(table(_HEAD, rows))
    return parts


SECTION = Section("wayout", "The way out", html, markdown, folded=False)
