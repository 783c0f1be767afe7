"""`runbook.md`: every command in order, what to check between them, and how to back out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from forensics.model import TableName, plain
from forensics.recovery.definitions import Definitions
from forensics.recovery.options import UNREHEARSED
from forensics.recovery.sqltext import comment, in_a_line
from forensics.store import Store
from forensics.text import code, prose


def runbook(store: Store, plan: Mapping[str, Any], defined: Definitions) -> str:
    """Return the page as Markdown.

    Args:
        store: the case.
        plan: the plan as JSON has it.
        defined: what is made again.
    """
    backup, live = store.evidence()
    rehearsal = plan["rehearsal"]
    lines = [
        "# Runbook: bring the rows back", "",
        f"Backup: {code(backup.path or backup.dsn)}. Compared with {code(live.dsn or live.path)}"
        + (f" as of {plain(live.taken_at)}." if live.taken_at else "."),
        "", f"**{prose(plan['recommendation'])}**", "", _rehearsed(plan), "",
        "| option | recovers | destroys | blocked | verified | seconds |", "| --- | ---: | ---: | ---: | --- | ---: |",
    ]  # fmt: skip
    for option in plan["options"]:
        seconds = "" if option["seconds"] is None else option["seconds"]
        verified = "yes" if option["verified"] else "no"
        lines.append(
            f"| {option['name']} | {option['recovers']:,} | {option['destroys']:,} | {option['blocked']:,} | {verified} | {seconds} |"
        )
    lines += ["", *_proofs(plan)]
    counts = [_count(t) for t in plan["tables"]]
    counts += [
        f"SELECT count({in_a_line(c)}) AS {in_a_line(f'values of {c}')} FROM {in_a_line(TableName(r['schema'], r['table']))};"
        for r in plan["columns"] for c in r["columns"]
    ]  # fmt: skip
    lines += [
        "", "Set `DATABASE` to live's connection string, and keep this folder with its scripts at hand. Every script is one",
        "transaction: if it stops or is cut off, live is as it was.", "",
        "## 1. Before", "", "A backup of what is there now, which is what you go back to if all else fails:", "",
        "```sh", 'pg_dump -Fc -f before_recovery.dump -d "$DATABASE"', "pg_restore --list before_recovery.dump | tail -n 3", "```", "",
        "Check: the list shows entries, and the file is not empty. Tell whoever deploys that no migration may run until this is done.", "",
        "## 2. Bring the rows back", "",
        "```sh", 'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f recovery.sql; echo "exit $?"', "```", "",
        "Check: it prints `Recovered: …` and `exit 0`. Where it stops it says why, and nothing was changed: compare again where live",
        "moved on in the meantime, and write the recovery anew. Writers to the tables it fills wait while it runs"
        + (f" (rehearsed: {rehearsal['seconds']} seconds)." if rehearsal else "."), "",
        "## 3. Check", "", "```sh", 'psql -X -d "$DATABASE" <<\'SQL\'', *counts, "SQL", "```", "",
        "Each answer is at least the number beside it. Run `recovery.sql` once more if you like: it says that there is nothing to do.", "",
    ]  # fmt: skip
    if "backfill.sql" in plan["files"]:
        lines += [
            "## 4. Fill the new columns", "", "Only where the application now reads links from its new columns:", "",
            "```sh", 'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f backfill.sql; echo "exit $?"', "```", "",
            "Check: it says for each table how many rows were given links. Look at some pages of the application.", "",
        ]  # fmt: skip
    for trial in plan["migrations"]:
        tried = (
            "not tried"
            if trial["lost"] is None
            else (
                f"tried on a copy of the backup: {trial['rows']:,} rows, {trial['values']:,} values and {trial['links']:,} links kept, {trial['lost']:,} lost"
            )
        )
        lines += [
            "## The next time", "", f"{code('migrations/' + trial['name'])} stands in for {code(trial['original'])} ({tried}).",
            "Commit it in place of the original for databases where that has not run yet.", "",
            *(f"- {prose(note)}" for note in (*trial["problems"], *trial["notes"])), "",
        ]  # fmt: skip
    lines += ["## Back out", "", "The later step first:", "", "```sh"]
    if "backfill.sql" in plan["files"]:
        lines.append('psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f undo_backfill.sql')
    lines += [
        'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f undo.sql', "```", "",
        "`undo.sql` refuses where the application uses what came back, and then changes nothing.", "",
        "## What stays", "",
    ]  # fmt: skip
    stays = [
        f"- {_rows(r['rows'])} of {code(r['table'])}: {prose(r['reason'])}."
        for o in plan["options"]
        if o["name"] == "reinsert lost rows"
        for r in o["reasons"]
    ]
    stays += [
        f"- Missing rows of {code(TableName(t['schema'], t['table']))}: {t['rows']:,}, not asked for. No statement of a migration is known to have "
        "taken them; `--include-unexplained` brings them back too." for t in plan["left"]
    ]  # fmt: skip
    stays += [f"- View {code(view)} stood on a dropped table and is not made again." for view in defined.views]
    stays += [f"- {prose(note)}" for note in plan["notes"]]
    return "\n".join([*lines, *(stays or ["Nothing."]), ""])


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _count(table: Mapping[str, Any]) -> str:
    return f'SELECT count(*) AS "at least {table["restorable"]}" FROM {in_a_line(TableName(table["schema"], table["table"]))};'


def _proofs(plan: Mapping[str, Any]) -> Iterator[str]:
    """What was found when each option was rehearsed, and why others were not."""
    for option in plan["options"]:
        proof = option["proof"]
        if proof:
            said = " ".join((*proof["checks"], *proof["notes"]))
            failed = f" **It does not hold: {comment(' '.join(proof['problems']))}**" if proof["problems"] else ""
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
        return "**The rehearsal failed. Do not run these scripts on live.** " + prose(" ".join(found["problems"]))
    return (
        f"Rehearsed on a copy: {found['lost_before']:,} rows lost before, {found['lost_after']:,} after, which are the {found['blocked']:,} that are "
        f"blocked; a second run changed nothing, all constraints hold, and `undo.sql` brought every table back as it was. It took "
        f"{found['seconds']} seconds."
    )
