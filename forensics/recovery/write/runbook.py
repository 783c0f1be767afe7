"""`runbook.md`: every command in order, what to check between them, and how to back out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forensics.model import TableName, plain
from forensics.recovery.choose.options import UNREHEARSED
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.sqltext import comment, in_a_line
from forensics.store import Store
from forensics.text import code, counted, marked, prose


@dataclass
class Step:
    """One step of the runbook.

    Attributes:
        title: what it is for.
        parts: in order, either {"text": a paragraph} or {"commands": lines for a shell} or {"list": sentences}. Names and
            files stand between backticks in sentences, everything else is as it is.
    """

    title: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    def say(self, text: str) -> Step:
        self.parts.append({"text": text})
        return self

    def run(self, *lines: str) -> Step:
        self.parts.append({"commands": "\n".join(lines)})
        return self

    def points(self, sentences: Sequence[str]) -> Step:
        self.parts.append({"list": [*sentences]})
        return self


def steps(plan: Mapping[str, Any], defined: Definitions) -> list[Step]:
    """Work out what is to be done, in order.

    Args:
        plan: the plan as JSON has it.
        defined: what is made again.
    """
    return [*_forward(plan), *_next_time(plan), _back(plan), _what_stays(plan, defined)]


def runbook(store: Store, plan: Mapping[str, Any]) -> str:
    """Return the page as Markdown.

    Args:
        store: the case.
        plan: the plan as JSON has it, its steps included.
    """
    backup, live = store.evidence()
    lines = [
        "# Runbook: bring the rows back",
        "",
        f"Backup: {code(backup.path or backup.dsn)}. Compared with {code(live.dsn or live.path)}"
        + (f" as of {plain(live.taken_at)}." if live.taken_at else "."),
        "",
        f"**{prose(plan['recommendation'])}**",
        "",
        _rehearsed(plan),
        "",
        "| option | recovers | destroys | blocked | verified | seconds |",
        "| --- | ---: | ---: | ---: | --- | ---: |",
    ]
    for option in plan["options"]:
        seconds = "" if option["seconds"] is None else option["seconds"]
        verified = "yes" if option["verified"] else "no"
        lines.append(
            f"| {option['name']} | {option['recovers']:,} | {option['destroys']:,} | {option['blocked']:,} | {verified} | {seconds} |"
        )
    lines += ["", *_proofs(plan), ""]
    for step in plan["runbook"]:
        lines += [f"## {step['title']}", "", *markdown(step["parts"])]
    return "\n".join(lines)


def markdown(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a step's parts as Markdown."""
    for part in parts:
        if "commands" in part:
            yield from ("```sh", part["commands"], "```", "")
        elif "list" in part:
            yield from (*(f"- {marked(s)}" for s in part["list"]), "")
        else:
            yield from (marked(part["text"]), "")


def _forward(plan: Mapping[str, Any]) -> Iterator[Step]:
    rehearsal = plan["rehearsal"]
    yield (
        Step("1. Before")
        .say(
            "Set `DATABASE` to live's connection string, and keep this folder with its scripts at hand. Every script is one transaction: if it "
            "stops or is cut off, live is as it was."
        )
        .say("A backup of what is there now, which is what you go back to if all else fails:")
        .run(
            'pg_dump -Fc -f before_recovery.dump -d "$DATABASE"',
            "pg_restore --list before_recovery.dump | tail -n 3",
        )
        .say(
            "Check: the list shows entries, and the file is not empty. Tell whoever deploys that no migration may run until this is done."
        )
    )
    yield (
        Step("2. Bring the rows back")
        .run('psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f recovery.sql; echo "exit $?"')
        .say(
            "Check: it prints `Recovered: …` and `exit 0`. Where it stops it says why, and nothing was changed: compare again where live moved on "
            "in the meantime, and write the recovery anew. Writers to the tables it fills wait while it runs"
            + (f" (rehearsed: {rehearsal['seconds']} seconds)." if rehearsal else ".")
        )
    )
    counts = [_count(t) for t in plan["tables"] if t["restorable"]]
    counts += [
        f"SELECT count({in_a_line(c)}) AS {in_a_line(f'values of {c}')} FROM {in_a_line(TableName(r['schema'], r['table']))};"
        for r in plan["columns"]
        for c in r["columns"]
    ]
    yield (
        Step("3. Check")
        .run("psql -X -d \"$DATABASE\" <<'SQL'", *counts, "SQL")
        .say(
            "Each answer is at least the number beside it. Run `recovery.sql` once more if you like: it says that there is nothing to do."
        )
    )
    if "backfill.sql" in plan["files"]:
        yield (
            Step("4. Fill the new columns")
            .say("Only where the application now reads links from its new columns:")
            .run('psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f backfill.sql; echo "exit $?"')
            .say(
                "Check: it says for each table how many rows were given links. Look at some pages of the application."
            )
        )


def _next_time(plan: Mapping[str, Any]) -> Iterator[Step]:
    for trial in plan["migrations"]:
        tried = (
            "not tried"
            if trial["lost"] is None
            else (
                f"tried on a copy of the backup: {trial['rows']:,} rows, {trial['values']:,} values and {trial['links']:,} links kept, {trial['lost']:,} lost"
            )
        )
        step = Step("The next time").say(
            f"{code('migrations/' + trial['name'])} stands in for {code(trial['original'])} ({tried}). Commit it in place of the original for "
            "databases where that has not run yet."
        )
        yield step.points(said) if (said := (*trial["problems"], *trial["notes"])) else step


def _back(plan: Mapping[str, Any]) -> Step:
    scripts = ["undo_backfill.sql", "undo.sql"] if "backfill.sql" in plan["files"] else ["undo.sql"]
    return (
        Step("Back out")
        .say(
            "The later step first:"
            if len(scripts) > 1
            else "This takes back what `recovery.sql` did, and nothing else:"
        )
        .run(
            *(f'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f {s}; echo "exit $?"' for s in scripts)
        )
        .say(
            "Check: it prints `exit 0`. `undo.sql` refuses where the application uses what came back, and then changes nothing."
        )
    )


def _what_stays(plan: Mapping[str, Any], defined: Definitions) -> Step:
    stays = [
        f"{counted(r['rows'], 'row')} of {code(r['table'])}: {r['reason']}."
        for o in plan["options"]
        if o["name"] == "reinsert lost rows"
        for r in o["reasons"]
    ]
    stays += [
        f"View {code(view)} stood on a dropped table and is not made again."
        for view in defined.views
    ]
    stays += plan["notes"]
    left = [
        f"{counted(t['rows'], 'row')} of {code(TableName(t['schema'], t['table']))}"
        for t in plan["left"]
    ]
    if left:
        stays.append(
            f"Missing rows that were not asked for, because no statement of a migration is known to have taken them: {', '.join(left)}. "
            "`--include-unexplained` brings them back too."
        )
    return Step("What stays").points(stays or ["Nothing."])


def _count(table: Mapping[str, Any]) -> str:
    return f'SELECT count(*) AS "at least {table["restorable"]}" FROM {in_a_line(TableName(table["schema"], table["table"]))};'


def _proofs(plan: Mapping[str, Any]) -> Iterator[str]:
    """What was found when each option was rehearsed, and why others were not."""
    for option in plan["options"]:
        proof = option["proof"]
        if proof:
            said = " ".join((*proof["checks"], *proof["notes"]))
            failed = (
                f" **It does not hold: {comment(' '.join(proof['problems']))}**"
                if proof["problems"]
                else ""
            )
            yield f"- {option['name']}, rehearsed: {comment(said)}{failed}"
        for caveat in (c for c in option["caveats"] if c.startswith(UNREHEARSED)):
            yield f"- {option['name']}: {comment(caveat)}"


def _rehearsed(plan: Mapping[str, Any]) -> str:
    found = plan["rehearsal"]
    if plan["problem"]:
        return f"**The rehearsal could not be held:** {prose(plan['problem'])}"
    if found is None:
        return "This was not rehearsed. Run `python -m forensics recover CASE --out DIR --rehearse` before you go on."
    if found["problems"]:
        return "**The rehearsal failed. Do not run these scripts on live.** " + prose(
            " ".join(found["problems"])
        )
    return (
        f"Rehearsed on a copy: {found['lost_before']:,} rows lost before, {found['lost_after']:,} after, which are the {found['blocked']:,} that are "
        f"blocked; a second run changed nothing, all constraints hold, and `undo.sql` brought every table back as it was. It took "
        f"{found['seconds']} seconds."
    )
