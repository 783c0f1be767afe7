"""What the slides of a walkthrough say: a question, then what was found; one idea each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from forensics.report.actions import actions, good
from forensics.report.brief import SENTENCE, as_of, cause_sentences, headline, statement
from forensics.report.document import Document
from forensics.report.impact import Hit, gone, hits
from forensics.report.parts import Part, parts
from forensics.report.sections.actions import said as action_said
from forensics.report.sections.story import rest, took
from forensics.report.sections.unsure import unsure
from forensics.report.sections.wayout import worth_showing
from forensics.text import count, duration, fact, percent

MINUTES = 20
_FITS = 5  # rows of a table, points of a list


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: the one idea, or the question.
        weight: its share of the time.
        asks: whether it is a question to the room.
        kicker: stands small above the title.
        said, points: sentences; names and commands stand between backticks.
        parts: of the missing rows, drawn as a bar.
        head, rows, numbers: a table, and which of its columns hold numbers.
        fill: whether the table is to be filled in.
        notes: for the speaker.
        since, until: in minutes from the beginning.
    """

    title: str
    weight: float = 1
    asks: bool = False
    kicker: str = ""
    said: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[str, ...] = ()
    fill: bool = False
    notes: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


def slides(d: Document) -> list[Slide]:
    """Return the slides of a case, in their order.

    Args:
        d: what the report says.
    """
    found = [_title(d)]
    if not good(d):
        found += [*_found(d), *_meaning(d), *_people(d), *_why(d), *_way_out(d)]
    else:
        found += _held(d)
    found += [*_unknown(d), *_next_time(d), *_actions(d)]
    return found


def _ask(title: str, *notes: str, kicker: str = "What would you have checked?") -> Slide:
    wait = "Wait for answers before you go on; write them down where all can see them."
    return Slide(title, asks=True, kicker=kicker, notes=(*notes, wait))


def _title(d: Document) -> Slide:
    return Slide(
        f"What happened to {d.title}, and what we learn from it",
        kicker="Walkthrough, 20 minutes",
        said=(as_of(d),),
        points=(
            "Nobody is to blame: we look at what could be seen, and when.",
            "Each question comes before its answer. Guess first.",
        ),
        notes=(
            "Say who is here and what for. Numbers are measured on both sides, none is guessed.",
            "Keys: arrows, N notes, O overview, P print.",
        ),
    )


# --- what was found ---


def _found(d: Document) -> Iterator[Slide]:
    yield _ask(
        "The change went through, and nothing complained. How would you know that something "
        "is gone?",
        "Row counts? Errors in the log? A customer? Ask who would have noticed first, and when.",
    )
    rows = []
    for result in d.hit[:_FITS]:
        share = percent(result.missing, result.backup_rows)
        rows.append((f"`{result.name}`", count(result.missing), share, result.state))
    more = len(d.hit) - len(rows)
    notes = ["A row is missing when the backup has it and live does not, under the same key."]
    if more > 0:
        notes.append(f"{more:,} more tables lost or changed rows; the report lists them.")
    yield Slide(
        headline(d),
        weight=2,
        head=("table", "missing", "of the table", "now"),
        rows=tuple(rows),
        numbers=("missing", "of the table"),
        notes=(d.verdict, *notes),
    )


def _meaning(d: Document) -> Iterator[Slide]:
    found = parts(d)
    if not found:
        return
    yield _ask(
        "A row is missing. Is it lost?",
        "Where else could it be? Another table, another key, a column. Who deletes on purpose?",
        kicker="Missing is not lost",
    )
    yield Slide(
        f"Of {count(d.totals['missing'])} missing rows",
        weight=2,
        parts=found,
        notes=("The parts add up to all missing rows. Take them one by one.",),
    )


def _people(d: Document) -> Iterator[Slide]:
    found, others = hits(d), gone(d)
    if not found and not others:
        return
    yield _ask(
        "Whom does it hit, and what do they see?",
        "Think of a page of the product: what is empty on it now?",
        kicker="From tables to people",
    )
    notes = [_worst(hit) for hit in found[:_FITS]]
    if others:
        notes.append(f"Rows that are gone themselves, of {others}.")
    points = tuple(f"{hit.who} {hit.lost}." for hit in found[:_FITS])
    yield Slide(
        "Who is hit",
        weight=2,
        points=points or (f"Rows of {others}.",),
        notes=tuple(notes),
    )


def _worst(hit: Hit) -> str:
    names = []
    for row in hit.worst:
        name = row.label if row.legible else f"`{row.key}`"
        names.append(f"{name} ({row.missing:,} of {row.had:,})")
    return f"{hit.parent.name}, worst hit: {', '.join(names)}. {hit.behind}"


# --- why, and back ---


def _why(d: Document) -> Iterator[Slide]:
    yield _ask(
        "Which line did it?",
        "Who read the migration before it ran? What would a reader have had to know?",
    )
    rows = []
    for entry in d.struck[:_FITS]:
        line = count(entry["line"]) if entry["line"] else "–"
        rows.append((f"`{statement(entry)}`" if entry["sql"] else "–", line, took(entry)))
    said = tuple(cause_sentences(d))
    more = len(d.struck) - len(rows)
    notes = [rest(d)] if rest(d) else []
    if more > 0:
        notes.append(f"{more:,} more statements had a part in it; the report lists them.")
    yield Slide(
        _blamed(d),
        weight=2,
        said=said,
        head=("statement", "line", "took"),
        rows=tuple(rows),
        numbers=("line",),
        notes=(*notes, "Each statement was replayed on a copy of the backup, and counted."),
    )


def _blamed(d: Document) -> str:
    if d.cause is None:
        return "We do not know yet what did it"
    if d.struck:
        return "The cause, statement by statement"
    return "No statement is known to have done it"


def _way_out(d: Document) -> Iterator[Slide]:
    if not d.recovery:
        return
    yield _ask(
        "We have a backup. Why not simply restore it?",
        "What was written since the backup? Who loses that?",
        kicker="What would it cost?",
    )
    rows = []
    for way in worth_showing(d.recovery["options"]):
        numbers = (count(way["recovers"]), count(way["destroys"]), count(way["blocked"]))
        rows.append((way["name"], *numbers, fact(way["verified"])))
    sentences = d.recovery.get("recommendation") or ""
    said = SENTENCE.split(sentences)[:1]
    if d.unrehearsed:
        said.append(d.unrehearsed)
    yield Slide(
        "Each way back, and its price",
        weight=2,
        said=tuple(said),
        head=("way", "brings back", "destroys", "cannot bring back", "verified"),
        rows=tuple(rows),
        numbers=("brings back", "destroys", "cannot bring back"),
        notes=(sentences, "Destroys: rows written to live since the backup."),
    )


def _held(d: Document) -> Iterator[Slide]:
    yield _ask(
        "Everything looks right. How sure are you?",
        "What would have to be compared so that you would sign it?",
    )
    yield Slide(
        headline(d),
        weight=3,
        points=(
            f"{count(d.totals['backup_rows'])} rows in {d.backup_tables:,} tables were compared, "
            "one by one.",
            f"{count(d.totals['added'])} rows were added since.",
        ),
        notes=(d.verdict,),
    )


# --- what stays ---


def _unknown(d: Document) -> Iterator[Slide]:
    points = tuple(unsure(d))
    if points:
        yield Slide(
            "What we do not know",
            points=points[:_FITS],
            notes=("Say it plainly. Whoever knows more says so now.", *points[_FITS:]),
        )


def _next_time(d: Document) -> Iterator[Slide]:
    if good(d):
        return
    yield _ask(
        "What would have stopped it before it ran?",
        "A second reader, a count before the deployment, a rehearsal on a copy, a later backup.",
        kicker="The next time",
    )
    points = []
    if d.struck:
        points.append(
            "A count: `forensics preflight MIGRATION LIVE` says before it runs how many rows "
            "each statement would destroy."
        )
    for variant in (d.recovery or {}).get("migrations", ()):
        if variant.get("lost") == 0:
            points.append(
                f"Another migration: `{variant['name']}` does the same and keeps "
                f"{count(variant['rows'])} rows (tried on a copy)."
            )
    seconds = ((d.loss or {}).get("window") or {}).get("seconds")
    if seconds:
        points.append(
            f"A later backup: {duration(timedelta(seconds=seconds))} lay between the backup and "
            "the incident; what was written then is in neither side."
        )
    points.append("A look right afterwards: compare the backup with live after each deployment.")
    yield Slide("The next time", points=tuple(points[:_FITS]), notes=("Which of these is cheap?",))


def _actions(d: Document) -> Iterator[Slide]:
    rows = [(action_said(action), "", "") for action in actions(d)]
    pages = -(-len(rows) // _FITS)
    for page in range(pages):
        which = f" ({page + 1} of {pages})" if pages > 1 else ""
        yield Slide(
            f"Who does what by when{which}",
            weight=3 / pages,
            head=("what", "owner", "date"),
            rows=tuple(rows[page * _FITS : (page + 1) * _FITS]),
            fill=True,
            notes=(
                "Fill it in together, an owner and a date each. For the tracker: "
                "`forensics report CASE --section actions --out actions.md`.",
            ),
        )
