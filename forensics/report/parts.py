"""What becomes of the missing rows, as parts that add up to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics.recovery.proof import REINSERT
from forensics.text import together

if TYPE_CHECKING:
    from forensics.report.document import Document

GOOD, BAD, ELSEWHERE, OPEN = "good", "bad", "elsewhere", "open"


class Part(NamedTuple):
    """Some of the missing rows: what becomes of them, how many, and how that is coloured."""

    said: str
    rows: int
    kind: str


def option(d: Document, name: str) -> Mapping[str, Any] | None:
    """An option of the plan, or None where there is none of that name, or no plan."""
    for entry in (d.recovery or {}).get("options", ()):
        if entry["name"] == name:
            found: Mapping[str, Any] = entry
            return found
    return None


def parts(d: Document) -> tuple[Part, ...]:
    """Return what becomes of the missing rows, largest share first within its kind.

    None of it where the parts do not add up, or where a number is not known: then nothing is
    said rather than something wrong.

    Args:
        d: what the report says.
    """
    missing = d.totals["missing"]
    if not missing:
        return ()
    found = _planned(d, missing) or _classified(d, missing)
    return tuple(part for part in found if part.rows)


def _planned(d: Document, missing: int) -> list[Part]:
    """By the plan."""
    chosen = option(d, REINSERT)
    if chosen is None or not d.recovery:
        return []
    returns, blocked = chosen["recovers"], chosen["blocked"]
    elsewhere = _elsewhere(d.recovery["tables"])
    if returns is None or blocked is None or elsewhere is None:
        return []
    rest = missing - returns - blocked - elsewhere
    if rest < 0:
        return []
    return [
        Part("come back with the recommended way", returns, GOOD),
        Part("stay away for reasons that the plan gives", blocked, BAD),
        Part("are still in live, in another place", elsewhere, ELSEWHERE),
        Part(_rest(d, rest), rest, OPEN),
    ]


def _elsewhere(tables: Iterable[Mapping[str, Any]]) -> int | None:
    found: int | None = 0
    for table in tables:
        found = together(found, together(table["moved"], table["superseded"]))
    return found


def _rest(d: Document, rest: int) -> str:
    if d.cause is None:
        return "are not laid at anything: cause has not run"
    if rest == unexplained(d):
        return "no migration took, as far as is known"
    return "are left out of the plan"


def unexplained(d: Document) -> int | None:
    """How many missing rows no statement accounts for; None where that is not known."""
    if d.cause is None:
        return None
    total = 0
    for entry in d.cause["unexplained"]:
        if entry["rows"] is None:
            return None
        total += entry["rows"]
    return total


def _classified(d: Document, missing: int) -> list[Part]:
    """By the classes of the missing links alone; the other rows have none."""
    found, links = d.classes, d.links_missing
    if found is None or not links or None in found.values() or links != found["missing"]:
        return []
    known: dict[str, int] = {}
    for name, number in found.items():
        known[name] = number or 0
    return [
        Part("links can be put back as live stands", known["restorable"], GOOD),
        Part("links are blocked or conflicting", known["blocked"] + known["conflicting"], BAD),
        Part("links are still in live elsewhere", known["moved"] + known["superseded"], ELSEWHERE),
        Part("are rows of other tables; no plan was made yet", missing - links, OPEN),
    ]
