"""The checks, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from forensics.model import TableName, TableResult, that_count
from forensics.prove.conditions import Conditions
from forensics.prove.older import Made, Older, Taken
from forensics.prove.past import FEWEST, Key, Night, Past, limit
from forensics.text import counted, duration, listed, moment, near_matches, percent, plural

State = Literal["holds", "fails", "not known", "not judged"]

UNKNOWN = "unknown"  # the kind of what stands for findings that nobody looked for to the end
_NAMED = 5
# Of rows that the backup lacks although they are older: how many are none to speak of.
_FEW, _SHARE_TWICE, _SHARE_ONCE = 10, 0.01, 0.1
_MANY = 100  # rows of a table that is empty in the backup, of which nothing says since when
_SLACK = timedelta(minutes=5)  # between two clocks
_MOST_MISSING = 1_000  # rows more than on past nights that are no trifle, of however many
_MEANT = "What was made after it, or is left out of it on purpose, --without names."
_OLDER = "live has {rows} of {name} that {are} older than the backup ({basis}) and not in it"


@dataclass(frozen=True)
class Check:
    """One check: what it is called, what came out, and in words."""

    name: str
    state: State
    text: str

    def as_json(self) -> dict[str, str]:
        """The check, for the proof."""
        return {"check": self.name, "state": self.state, "text": self.text}


@dataclass(frozen=True)
class Evidence:
    """All that a judgement rests on.

    Attributes:
        results: what was found of each table.
        same: whether both sides are the very same file or database.
        damage: why the backup is not whole, or None.
        findings: what the counts alone do not say, by kind and text.
        older: by table, live's rows that the backup lacks although they are older; None where
            nothing tells.
        made: what is known of when live's tables were made.
        referred: tables that the backup's foreign keys name.
        taken: when the backup was taken.
        now: when it is asked.
        past: earlier proofs; None where none were given.
        before: the last of them that was made before the backup was.
    """

    results: Sequence[TableResult]
    same: bool
    damage: str | None
    findings: Sequence[tuple[str, str]]
    older: dict[TableName, Older | None]
    made: Made
    referred: frozenset[TableName]
    taken: Taken
    now: datetime
    past: Past | None
    before: Night | None

    @property
    def counting(self) -> list[TableResult]:
        """The tables that count: all but migration histories."""
        return that_count(self.results)


def judge(evidence: Evidence, wanted: Conditions) -> list[Check]:
    """Return every check that is made of a backup."""
    found = [
        _whole(evidence),
        _compared(evidence, wanted),
        _alike(evidence),
        _tables(evidence, wanted),
        _rows(evidence, wanted),
    ]
    if wanted.max_age is not None:
        found.append(_age(evidence, wanted.max_age))
    if wanted.expect_tables is not None or wanted.expect:
        found.append(_expected(evidence, wanted))
    if wanted.max_missing is not None:
        found.append(_missing(evidence, wanted, wanted.max_missing))
    if evidence.past is not None:
        found.append(_in_line(evidence, wanted, evidence.past))
    return found


def holds(checks: Iterable[Check]) -> bool | None:
    """What checks come to: one that fails is an answer, whatever else could not be asked."""
    states = {check.state for check in checks}
    if "fails" in states:
        return False
    if "not known" in states:
        return None
    return True


def verdict(checks: Sequence[Check]) -> str:
    """What checks come to, in sentences."""
    if holds(checks):
        [compared] = [check.text for check in checks if check.name == "compared"]
        return f"The backup holds what it should. {compared}"
    said = [check.text for check in checks if check.state == "fails"]
    if said:
        return f"The backup does NOT hold what it should. {' '.join(said)}"
    said = [check.text for check in checks if check.state == "not known"]
    return f"Whether the backup holds what it should is not known. {' '.join(said)}"


def amount(results: Iterable[TableResult]) -> dict[str, int]:
    """How much was really compared: tables that both sides have, and their rows."""
    found = dict.fromkeys(("tables", "backup_rows", "live_rows", "unchanged"), 0)
    for result in results:
        if result.state == "compared":
            found["tables"] += 1
            for name in ("backup_rows", "live_rows", "unchanged"):
                found[name] += getattr(result, name) or 0
    return found


# --- the backup by itself -------------------------------------------------------------------------


def _whole(evidence: Evidence) -> Check:
    """Whether the backup is there to its end, and could be restored."""
    said, unsure = [], []
    if evidence.damage:
        said.append(f"The backup is not whole: {evidence.damage.rstrip('.')}.")
    for result in evidence.results:
        if result.unsound == "damaged" and result.reason:
            said.append(result.reason)
        if result.repeated:
            rows = counted(result.repeated, "row")
            said.append(f"The backup holds {rows} of {result.name} once more under the same key.")
    for kind, text in evidence.findings:
        if kind == "garbled text":
            said.append(text)
        elif kind in ("rows hidden", UNKNOWN):
            unsure.append(text)
    if said:
        return Check("whole", "fails", _some(said))
    if unsure:
        return Check("whole", "not known", _some(unsure))
    return Check("whole", "holds", "The backup is whole, as far as it was read: all its rows.")


def _some(sentences: Sequence[str]) -> str:
    """The first sentences, and how many more there are."""
    said = " ".join(sentences[:_NAMED])
    if len(sentences) > _NAMED:
        said += f" And {len(sentences) - _NAMED} more like it."
    return said


def _names(names: Sequence[object]) -> str:
    if len(names) <= _NAMED:
        return listed(names)
    return f"{', '.join(map(str, names[:_NAMED]))} and {len(names) - _NAMED} more"


def _age(evidence: Evidence, most: timedelta) -> Check:
    taken = evidence.taken
    if taken.at is None:
        said = "How old the backup is cannot be known: it does not say when it was made."
        hint = "pg_dump --verbose has a plain dump say it; else give --backup-at."
        return Check("age", "not known", f"{said} {hint}")
    age = evidence.now - taken.at
    when = f"It was made at {moment(taken.at)} ({taken.basis})"
    if age < -_SLACK:
        why = "a time that is yet to come: give --backup-at with its zone"
        return Check("age", "not known", f"How old the backup is cannot be known. {when}, {why}.")
    age = max(age, timedelta(0))
    if age > most:
        said = f"The backup is {duration(age)} old, and may be {duration(most)}. {when}."
        return Check("age", "fails", said)
    return Check("age", "holds", f"The backup is {duration(age)} old. {when}.")


# --- how much was compared ------------------------------------------------------------------------


def _compared(evidence: Evidence, wanted: Conditions) -> Check:
    """Whether something was compared, and everything that could be."""
    done = amount(evidence.counting)
    tables, rows = counted(done["tables"], "table"), counted(done["backup_rows"], "row")
    said = f"{tables} and {rows} of the backup were compared with live."
    if not done["tables"] or not done["backup_rows"]:
        return Check("compared", "fails", f"{said} That proves nothing.")
    failed = []
    for result in evidence.results:
        if result.state == "failed" and not result.unsound and not wanted.leaves_out(result.name):
            failed.append(f"{result.name} could not be compared: {result.reason}")
    if failed:
        return Check("compared", "not known", f"{said} {_some(failed)}")
    return Check("compared", "holds", said)


def _alike(evidence: Evidence) -> Check:
    """Whether the two sides are of one database at all."""
    if evidence.same:
        text = "Backup and live are one and the same: to compare them proves nothing."
        return Check("alike", "not known", text)
    done = amount(evidence.counting)
    rows = done["backup_rows"]
    same = done["unchanged"]
    if rows and not same:
        text = (
            f"Not one of the backup's {counted(rows, 'row')} is in live as it was: this is another "
            "database, or live lost everything."
        )
        return Check("alike", "fails", text)
    sums = dict.fromkeys(("missing", "changed", "added"), 0)
    for result in evidence.counting:
        if result.state == "compared":
            for name in sums:
                sums[name] += getattr(result, name) or 0
    text = (
        f"{percent(same, rows)} of them are in live as they were; {sums['missing']:,} are missing, "
        f"{sums['changed']:,} changed, and live has {counted(sums['added'], 'row')} more."
    )
    dropped = [result for result in evidence.counting if result.state == "dropped"]
    if dropped:
        gone = sum(result.backup_rows or 0 for result in dropped)
        text += (
            f" {counted(len(dropped), 'table')} more of the backup, with {counted(gone, 'row')}, "
            f"{_are(len(dropped))} not in live."
        )
    return Check("alike", "holds", text)


# --- what the backup lacks ------------------------------------------------------------------------


def _tables(evidence: Evidence, wanted: Conditions) -> Check:
    """Whether the backup has the tables that live had when it was taken."""
    lacking: list[str] = []
    unsure: list[str] = []
    newer: list[TableName] = []
    for result in evidence.counting:
        if result.state != "new" or wanted.leaves_out(result.name):
            continue
        why = _was_there(evidence, result)
        if why:
            lacking.append(f"{result.name} ({why})")
        elif result.live_rows and not evidence.made.is_newer(result.name):
            unsure.append(f"{result.name} ({counted(result.live_rows, 'row')})")
        else:
            newer.append(result.name)
    if lacking:
        there = plural(len(lacking), "table")
        text = (
            f"The backup lacks {len(lacking):,} {there} that live has: {_names(lacking)}. {_MEANT}"
        )
        return Check("tables", "fails", text)
    if unsure:
        text = (
            f"Live has {counted(len(unsure), 'table')} that the backup lacks: {_names(unsure)}. "
            f"Migrations ran since, and may have made what is lacking. {_MEANT}"
        )
        return Check("tables", "not known", text)
    if newer:
        text = (
            f"Live has {counted(len(newer), 'table')} more, empty or made since: {_names(newer)}."
        )
        return Check("tables", "holds", text)
    return Check("tables", "holds", "The backup has every table that live has.")


def _was_there(evidence: Evidence, result: TableResult) -> str:
    """Why a table of live that the backup lacks was there when it was taken; "" where it is not so.

    A table with rows was, unless the ids of both sides' objects say that it is newer, or migrations
    ran since.
    """
    name = result.name
    if evidence.made.is_newer(name):
        return ""
    if name in evidence.referred:
        return "the backup's own foreign keys name it"
    if evidence.before is not None and name in evidence.before.tables:
        return "an earlier night's live had it"
    if result.live_rows and not _migrated(evidence):
        return counted(result.live_rows, "row")
    return ""


def _migrated(evidence: Evidence) -> bool:
    """Whether a migration tool noted since that something ran."""
    return any(result.history and result.added for result in evidence.results)


def _rows(evidence: Evidence, wanted: Conditions) -> Check:
    """Whether the backup has the rows that live had when it was taken."""
    said: list[str] = []
    unsure: list[str] = []
    for result in evidence.counting:
        if wanted.leaves_out(result.name):
            continue
        if result.unsound == "left out" and result.reason:
            said.append(result.reason)
        elif result.state == "compared" and result.added:
            _of_table(evidence, result, said, unsure)
    if said:
        return Check("rows", "fails", _some(said))
    if unsure:
        return Check("rows", "not known", _some(unsure))
    text = "No table lacks rows in the backup that live had before, as far as rows tell their age."
    return Check("rows", "holds", text)


def _of_table(evidence: Evidence, result: TableResult, said: list[str], unsure: list[str]) -> None:
    """Say of a table with rows that only live has what speaks against the backup."""
    older = evidence.older.get(result.name)
    live_rows = result.live_rows or 0
    if older is None:
        if not result.backup_rows and live_rows >= _MANY:
            unsure.append(
                f"{result.name} is empty in the backup and has {live_rows:,} rows in live, and "
                f"nothing tells since when: --without {result.name.table} where that is as it "
                "should be."
            )
        return
    share = _SHARE_TWICE if older.twice else _SHARE_ONCE
    most = max(_FEW, int(share * live_rows))
    if not result.backup_rows:
        most = _FEW - 1
    if older.rows > most:
        are = "is" if older.rows == 1 else "are"
        text = _OLDER.format(
            rows=counted(older.rows, "row"), name=result.name, are=are, basis=older.basis
        )
        said.append(f"{text[0].upper()}{text[1:]}; the backup has {result.backup_rows or 0:,}.")


def _expected(evidence: Evidence, wanted: Conditions) -> Check:
    """Whether the backup holds the tables, and as many, as it was said to."""
    held = [result for result in evidence.results if result.state in ("compared", "dropped")]
    said = []
    if wanted.expect_tables is not None and len(held) < wanted.expect_tables:
        said.append(
            f"The backup holds {counted(len(held), 'table')}, and is expected to hold "
            f"{wanted.expect_tables:,}."
        )
    for name in wanted.expect:
        said += _amiss(name, held)
    if said:
        return Check("expected", "fails", _some(said))
    text = f"The backup holds the tables that are expected: it has {len(held):,}."
    return Check("expected", "holds", text)


def _amiss(name: str, held: Sequence[TableResult]) -> Iterable[str]:
    """What is wrong with a table that is expected."""
    found = [result for result in held if _is_called(result.name, name)]
    for result in found:
        if not result.backup_rows and result.live_rows:
            yield (
                f"The backup holds no row of the table {name} that is expected; live holds "
                f"{result.live_rows:,}."
            )
    if not found:
        known = sorted({str(result.name) for result in held})
        hint = near_matches(name, known, "")
        yield f"The backup lacks the table {name} that is expected. {hint}".rstrip()


def _is_called(name: TableName, wanted: str) -> bool:
    return wanted in (name.table, f"{name.schema}.{name.table}", str(name))


# --- what live lost since -------------------------------------------------------------------------


def _missing(evidence: Evidence, wanted: Conditions, most: float) -> Check:
    said = []
    for result in _judged(evidence, wanted, ("compared", "dropped")):
        rows, missing = result.backup_rows or 0, result.missing or 0
        if missing * 100 > most * rows:
            share = percent(missing, rows)
            said.append(f"Live lacks {missing:,} of {rows:,} rows of {result.name} ({share}).")
    if said:
        return Check("missing", "fails", f"{_some(said)} At most {most:g} % may be missing.")
    text = f"Of no table are more than {most:g} % of the rows missing from live."
    return Check("missing", "holds", text)


def _judged(evidence: Evidence, wanted: Conditions, states: Sequence[str]) -> Iterable[TableResult]:
    """The tables whose churn is judged."""
    for result in evidence.counting:
        if result.state in states and not wanted.tolerates(result.name):
            yield result


def _in_line(evidence: Evidence, wanted: Conditions, past: Past) -> Check:
    """Whether as much came and went of each table as in past nights."""
    nights = counted(len(past.nights), "past night")
    if past.failed:
        nights += f" ({past.failed} more did not hold, and {_are(past.failed)} no measure)"
    if not past.is_enough:
        there = f"there {_are(len(past.nights))} {nights}, and {FEWEST} are needed"
        text = f"No trend is judged: {there}."
        return Check("past nights", "not judged", text)
    said: list[str] = []
    measured = 0
    for result in _judged(evidence, wanted, ("compared", "dropped")):
        outs = _out_of_line(result, past, evidence.before)
        measured += outs is not None
        said += outs or ()
    if said:
        return Check("past nights", "fails", f"{_some(said)} That is out of line with {nights}.")
    tables = counted(measured, "table")
    if not measured:
        text = f"No trend is judged: no table was in {FEWEST} of {nights}."
        return Check("past nights", "not judged", text)
    return Check("past nights", "holds", f"{tables} are in line with {nights}.")


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _out_of_line(result: TableResult, past: Past, before: Night | None) -> list[str] | None:
    """What of a table is out of line with past nights; None where there are too few of them."""
    key: Key = (result.name.schema, result.name.table)
    rows = result.backup_rows or 0
    said = []
    measured = False
    for counts, most in (("missing", _MOST_MISSING), ("changed", None)):
        shares = past.of(key, counts, "backup_rows")
        if len(shares) < FEWEST or not rows:
            continue
        measured = True
        number = getattr(result, counts) or 0
        if number / rows > limit(shares, rows, most):
            usual = _usual(shares)
            said.append(
                f"{number:,} of {rows:,} rows of {result.name} are {counts} "
                f"({percent(number, rows)}, as a rule {usual})."
            )
    shares = past.of(key, "added", "live_rows")
    live_rows = result.live_rows or 0
    if len(shares) >= FEWEST and live_rows:
        measured = True
        short = _short(result, before)
        if short / live_rows > limit(shares, live_rows):
            said.append(
                f"The backup has {rows:,} rows of {result.name} where live has {live_rows:,} and "
                f"had about as many at the last proof ({short:,} too few)."
            )
    return said if measured else None


def _short(result: TableResult, before: Night | None) -> int:
    """How many rows only live has that it did not grow by since before the backup was taken."""
    if before is None or before.tables.get(result.name) is None:
        return 0
    grown = max(0, (result.live_rows or 0) - (before.tables[result.name]["live_rows"] or 0))
    return max(0, (result.added or 0) - grown)


def _usual(shares: Sequence[float]) -> str:
    middle = sorted(shares)[len(shares) // 2]
    return percent(round(middle * 1_000_000), 1_000_000)
