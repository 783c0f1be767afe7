"""The first screen: how bad, over or not, what comes back, why, what to do, what is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from forensics.recovery.proof import OVERWRITTEN, REINSERT
from forensics.report.actions import actions, good
from forensics.report.document import Document, of_table
from forensics.report.impact import hits
from forensics.report.parts import option, unexplained
from forensics.text import count, counted, listed, moment, one_line, percent

_HIT = 3  # parents, on the first screen
_ASKED = 3  # of the reader, on the first screen
_STATEMENT = 90  # characters of a statement in a sentence
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_DATED = re.compile(r"20\d{2}[-_]?[01]\d[-_]?[0-3]\d")
_VERBS = {
    "drop-table": "dropped",
    "drop-schema": "dropped",
    "drop-column": "dropped columns of",
    "truncate": "emptied",
    "delete-all": "emptied",
    "delete-where": "deleted rows of",
    "delete-cascades": "deleted rows of",
    "update-all": "wrote over",
    "update-where": "wrote over",
}


class Answer(NamedTuple):
    """A question of the reader’s, and what is answered: sentences, names between backticks."""

    question: str
    said: tuple[str, ...]
    kind: str = ""


def headline(d: Document) -> str:
    """What a manager repeats on the phone.

    Args:
        d: what the report says.
    """
    missing = d.totals["missing"]
    if good(d):
        if any(result.history and result.missing for result in d.results):
            return "Nothing is missing but notes of the migration tool itself, which it replaced."
        return "Nothing is missing: every row of the backup is in live."
    if missing is None:
        return _at_least(d)
    if not missing:
        return _without_rows(d)
    chosen = option(d, REINSERT)
    be = "is" if missing == 1 else "are"
    said = f"{counted(missing, 'row')} {be} missing from live"
    if chosen is None or chosen["recovers"] is None:
        return f"{said}; what comes back is not worked out yet."
    returns = chosen["recovers"]
    if not returns:
        return f"{said}; none of them comes back by itself."
    if not chosen["verified"]:
        return f"{said}; {returns:,} can come back, which has not been proven yet."
    return f"{said}; {returns:,} of them can come back."


def _at_least(d: Document) -> str:
    failed = counted(len(d.failed), "table")
    known = d.counted["missing"]
    if known:
        return f"At least {counted(known, 'row')} missing from live; {failed} could not be read."
    return f"Not known: {failed} could not be compared."


def _without_rows(d: Document) -> str:
    """Where every row stands under its key."""
    if d.values_destroyed:
        return f"No row is missing; {counted(d.values_destroyed, 'value')} overwritten."
    if d.values_missing:
        return f"No row is missing; dropped columns took {counted(d.values_missing, 'value')}."
    if not d.nothing_missing:
        return "No row is missing, and yet not everything is as it was."
    return "Nothing that was compared is missing; not everything was compared."


def as_of(d: Document) -> str:
    """The times of both sides, as far as they are known."""
    times = {one.said: moment(one.at) for one in d.moments}
    backup = times.get("backup", "not known (`compare --backup-at TIME` says it)")
    live = times.get("comparison", "not known")
    return f"Backup: {backup}. Live: {live}."


def answers(d: Document) -> tuple[Answer, ...]:
    """Return the first screen’s questions, each with its answer.

    Args:
        d: what the report says.
    """
    found = [
        Answer("How bad is it?", tuple(_bad(d)), "" if good(d) else "bad"),
        Answer("Is it over?", tuple(_over(d))),
        Answer("What comes back?", tuple(_returns(d)), "good" if d.recovery else ""),
        Answer("What caused it?", tuple(cause_sentences(d))),
        Answer("What do we recommend?", tuple(_recommended(d))),
        Answer("What is needed from you?", tuple(_needed(d)), "ask"),
    ]
    return tuple(answer for answer in found if answer.said)


def _bad(d: Document) -> Iterator[str]:
    yield d.verdict
    found = hits(d)
    if found:
        yield f"Hit: {listed([hit.who[0].lower() + hit.who[1:] for hit in found[:_HIT]])}."


# --- over or not ---


def _over(d: Document) -> Iterator[str]:
    if good(d):
        return
    if d.cause is None:
        yield "Not known: nobody has asked yet what did it, so it may go on."
        return
    ended = _ended(d)
    if ended is None:
        yield "Not known: no migration is known to have done it, so whatever did may go on."
        return
    yield ended
    rest = unexplained(d)
    if rest:
        be = "it" if rest == 1 else "them"
        yield (
            f"Not known for {counted(rest, 'other row')}: the application may have removed "
            f"{be}. Compare again: the number tells."
        )
    elif rest is None:
        yield "For the other missing rows it is not known."


def _ended(d: Document) -> str | None:
    """Whether what did it has ended; None where no migration did."""
    if d.rebuild:
        return "The rebuild was one event and is over."
    named = {entry["migration"] for entry in d.struck if entry["migration"]}
    if not named:
        return None
    for migration in (d.cause or {})["migrations"]:
        if migration["name"] in named and migration.get("state") == "failed":
            return "Not known: the migration failed on its way, and may be tried again."
    return "Yes for what the migration did: it has run, and does not run again here."


# --- what comes back ---


def _returns(d: Document) -> Iterator[str]:
    if good(d):
        return
    chosen, values = option(d, REINSERT), option(d, OVERWRITTEN)
    if chosen is None:
        yield from _by_loss(d)
        return
    missing, returns = d.totals["missing"], chosen["recovers"]
    if returns is None:
        yield "Not known: the plan could not count it."
    elif missing:
        yield f"{returns:,} of {missing:,} missing rows ({percent(returns, missing)})."
    if values and values["recovers"]:
        yield f"{counted(values['recovers'], 'overwritten value')}."
    if chosen["blocked"]:
        stays = counted(chosen["blocked"], "lost row")
        yield f"{stays} cannot: what they refer to is gone, or live’s rules refuse them."
    if d.values_missing:
        yield f"{counted(d.values_missing, 'value')} of dropped columns: {_values(d)}."


def _values(d: Document) -> str:
    for entry in (d.recovery or {}).get("stays", ()):
        if entry["column"] and entry["class"] == "left out":
            return "only if you ask for them"
    return "see the plan"


def _by_loss(d: Document) -> Iterator[str]:
    lost = (d.classes or {}).get("lost")
    if d.outlook is None or not lost:
        yield "Not worked out yet: no plan was made."
        return
    yield (
        f"{d.outlook.returns:,} of {count(lost)} lost links can be put back as live stands. "
        "Other rows: not worked out yet, no plan was made."
    )


# --- why ---


def cause_sentences(d: Document) -> Iterator[str]:
    """Yield the cause in a sentence, and what it does not account for.

    Args:
        d: what the report says.
    """
    if good(d):
        return
    if d.cause is None:
        yield "Not worked out yet."
        return
    if d.rebuild:
        yield f"{d.rebuild['title']}."
    worst = [s for s in d.struck if s["migration"]]
    if worst:
        yield _blamed(d, worst)
    elif not d.rebuild:
        yield "No missing row is laid at a migration."


def _blamed(d: Document, struck: list[Mapping[str, Any]]) -> str:
    first = struck[0]
    name = first["migration"]
    same = [s for s in struck if s["migration"] == name]
    at = _applied(d, name)
    did = _did(same, first)
    others = len({s["migration"] for s in struck}) - 1
    also = f" {counted(others, 'other migration')} had a part in it." if others else ""
    return f"{at}`{name}` {did}. The worst: `{statement(first)}` (line {first['line']}).{also}"


def _did(same: list[Mapping[str, Any]], first: Mapping[str, Any]) -> str:
    """What a migration’s statements did: those of the worst one’s kind, and the others."""
    verb = _VERBS.get(first["hazard"])
    if verb is None:
        return _effect(same) or "changed rows"
    alike: list[Mapping[str, Any]] = []
    others: list[Mapping[str, Any]] = []
    for entry in same:
        kin = alike if _VERBS.get(entry["hazard"]) == verb else others
        kin.append(entry)
    tables = {of_table(entry) for entry in alike}
    what = f"`{of_table(first)}`"
    if len(tables) > 1:
        what = counted(len(tables), "table")
    said, effect = f"{verb} {what}", _effect(alike)
    if effect:
        said += f" and so {effect}"
    also = _effect(others)
    if also:
        said += f"; other statements of it {also}"
    return said


def _effect(statements: list[Mapping[str, Any]]) -> str:
    """What statements took and overwrote, in words."""
    rows = values = written = 0
    for entry in statements:
        if entry["rows"] is None:
            return "took an unknown number of rows"
        if entry.get("column"):
            values += entry["rows"]
        else:
            rows += entry["rows"]
        written += entry.get("changed") or 0
    taken = []
    if rows:
        taken.append(counted(rows, "row"))
    if values:
        taken.append(counted(values, "value"))
    said = []
    if taken:
        said.append(f"took {listed(taken)}")
    if written:
        said.append(f"overwrote {counted(written, 'value')}")
    return listed(said)


def _applied(d: Document, name: str) -> str:
    for migration in (d.cause or {}).get("migrations", ()):
        if migration["name"] == name and migration["applied_at"]:
            return f"On {when(migration['applied_at'])}, "
    if _DATED.match(name):
        return "At a time that no history says, "
    return ""


def when(text: str) -> str:
    """A time of the contract’s JSON, as people read it."""
    from datetime import datetime

    return moment(datetime.fromisoformat(text))


def statement(entry: Mapping[str, Any]) -> str:
    """A statement on one line, cut where it is long."""
    text = one_line(entry["sql"] or "").replace("`", "'")
    if len(text) > _STATEMENT:
        return text[: _STATEMENT - 1] + "…"
    return text


# --- what to do ---


def _recommended(d: Document) -> Iterator[str]:
    if good(d):
        yield "Nothing needs to be done."
        return
    text = (d.recovery or {}).get("recommendation")
    if not text:
        yield "Make a plan and have it rehearsed, before anybody writes to the tables."
        return
    yield SENTENCE.split(text)[0]
    price = _price(d)
    if price:
        yield price


def _price(d: Document) -> str:
    chosen = option(d, REINSERT)
    if not chosen or not chosen["recovers"]:
        return ""
    if not chosen["verified"]:
        return _unproven_price(d, chosen)
    seconds = chosen.get("seconds")
    if seconds is None:
        return ""
    destroys = counted(chosen["destroys"] or 0, "row") if chosen["destroys"] else "nothing"
    return (
        f"Price: {destroys} of live is lost, and writers to those tables wait for about "
        f"{_seconds(seconds)} (rehearsed)."
    )


def _unproven_price(d: Document, chosen: Mapping[str, Any]) -> str:
    """What the plan alone says of the price."""
    if not d.unrehearsed or chosen["destroys"] is None:
        return "It has not been rehearsed: its price is not known."
    destroys = counted(chosen["destroys"], "row") if chosen["destroys"] else "nothing"
    return f"Price by the plan: {destroys} of live is lost. It has not been rehearsed."


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    return counted(round(seconds), "second")


def _needed(d: Document) -> Iterator[str]:
    asked = [action for action in actions(d) if action.asked]
    for action in asked[:_ASKED]:
        kind = {"decide": "A decision: ", "name": "A name: "}.get(action.kind, "")
        said = action.said
        if kind:
            said = said[0].lower() + said[1:]
        yield f"{kind}{said}"
