"""What is to be done and decided, each with room for an owner and a date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from forensics.recovery.proof import BACKFILL, OVERWRITTEN, REINSERT
from forensics.report.parts import option, unexplained
from forensics.text import counted, listed, plural

if TYPE_CHECKING:
    from forensics.report.document import Document

_NAMED = 3  # tables in a sentence


class Action(NamedTuple):
    """Something to do.

    Attributes:
        kind: "decide", "name" (somebody who knows or does it) or "do".
        said: what, in a sentence; names and commands stand between backticks.
        asked: whether it is asked of the reader on the first screen.
    """

    kind: str
    said: str
    asked: bool = False


def actions(d: Document) -> tuple[Action, ...]:
    """Return what is to be done, in the order in which it is best done.

    Args:
        d: what the report says.
    """
    return (*_unread(d), *_way_out(d), *_open_questions(d), *_afterwards(d))


def good(d: Document) -> bool:
    """Whether there is nothing to do but to sign."""
    return d.nothing_missing and d.complete and not d.values_destroyed


def _unread(d: Document) -> Iterator[Action]:
    """What stands between the reader and a whole answer."""
    if d.failed:
        names = _few([str(result.name) for result in d.failed])
        yield Action(
            "name",
            f"Who makes {names} readable: "
            f"{counted(len(d.failed), 'table')} could not be compared. "
            "Then run `compare` again with `--resume`.",
            asked=True,
        )
    if d.damage:
        yield Action(
            "name",
            "Who finds another backup of that time: this one is not whole.",
            asked=True,
        )


def _way_out(d: Document) -> Iterator[Action]:
    """The recovery itself."""
    if good(d):
        yield Action("name", "Who signs that this was seen, and files it.", asked=True)
        return
    if not d.totals["missing"] and not d.values_missing and not d.values_destroyed:
        return
    if d.recovery is None:
        yield Action(
            "do",
            "Have the way back written and tried: `forensics recover CASE --out DIR --rehearse`.",
            asked=True,
        )
        return
    yield from _planned(d)


def _planned(d: Document) -> Iterator[Action]:
    chosen, values = option(d, REINSERT), option(d, OVERWRITTEN)
    ways = []
    for way in (chosen, values):
        if way and way["recovers"]:
            ways.append(way)
    if not ways:
        return
    if not all(way["verified"] for way in ways):
        yield Action(
            "do",
            "Have the recovery rehearsed until it holds: "
            "`forensics recover CASE --out DIR --rehearse`.",
            asked=True,
        )
        return
    yield Action(
        "decide",
        "Whether `recovery.sql` runs as recommended, and who runs it, when.",
        asked=True,
    )
    yield Action("do", "Take a backup of live as it is now, before anything is run (runbook, 1).")
    yield Action("do", "Run `recovery.sql`, then `check.sql` (runbook, 2 and 3).")
    backfill = option(d, BACKFILL)
    if backfill and backfill["recovers"]:
        yield Action(
            "decide",
            f"Whether the application’s new columns are filled as well: `backfill.sql`, "
            f"{counted(backfill['recovers'], 'link')}.",
        )


def _open_questions(d: Document) -> Iterator[Action]:
    if d.cause is None and not good(d):
        yield Action(
            "do",
            "Have the cause worked out: `forensics cause CASE --migrations DIR`.",
            asked=True,
        )
    rest = unexplained(d)
    if rest:
        names = [str(name) for name in d.unlaid_tables]
        yield Action(
            "name",
            f"Who knows whether {counted(rest, 'row')} of {_few(names)} "
            f"{'was' if rest == 1 else 'were'} deleted on purpose: no migration took "
            f"{'it' if rest == 1 else 'them'}.",
            asked=True,
        )
    for entry in (d.recovery or {}).get("stays", ()):
        if entry["column"] and entry["class"] == "left out":
            number = entry["rows"]
            what = "the values" if number is None else counted(number, "value")
            yield Action(
                "decide",
                f"Whether {what} of `{entry['table']}.{entry['column']}` "
                "come back: `recover --columns`.",
            )


def _afterwards(d: Document) -> Iterator[Action]:
    if good(d):
        return
    for variant in (d.recovery or {}).get("migrations", ()):
        if variant.get("lost") == 0:
            yield Action(
                "do",
                f"Where `{variant['original']}` has not run yet, commit `{variant['name']}` in "
                "its place, and let nothing be deployed until then.",
            )
    if d.struck:
        yield Action(
            "do",
            "Have `forensics preflight MIGRATION LIVE` run before every migration: it counts "
            "what one would destroy.",
        )
    yield Action(
        "do",
        "Keep the evidence: `forensics report CASE --out evidence.zip`, with both dumps, "
        "until the case is closed.",
    )


def _few(names: list[str]) -> str:
    """Names for a sentence; how many more there are."""
    shown = [f"`{name}`" for name in names[:_NAMED]]
    more = len(names) - _NAMED
    if more > 0:
        shown.append(f"{more} more {plural(more, 'table')}")
    return listed(shown)
