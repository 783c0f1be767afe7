"""`runbook.md`: every command in order, what to check between them, and how to back out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forensics.documents import plain
from forensics.model import TableName
from forensics.recovery.choose.options import UNREHEARSED
from forensics.recovery.write.definitions import Definitions
from forensics.recovery.write.sqltext import comment, in_a_line
from forensics.store import Store
from forensics.text import code, count, counted, listed, marked, prose

PSQL = 'psql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f {script}; echo "exit $?"'


@dataclass
class Step:
    """One step of the runbook.

    Attributes:
        title: what it is for.
        parts: in order, either {"text": a paragraph} or {"commands": lines for a shell} or
            {"list": sentences}. Names and files stand between backticks in sentences, everything
            else is as it is.
    """

    title: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    def say(self, text: str) -> Step:
        """Add a paragraph."""
        self.parts.append({"text": text})
        return self

    def run(self, *lines: str) -> Step:
        """Add commands."""
        self.parts.append({"commands": "\n".join(lines)})
        return self

    def points(self, sentences: Sequence[str]) -> Step:
        """Add a list."""
        self.parts.append({"list": [*sentences]})
        return self


def steps(plan: Mapping[str, Any], defined: Definitions) -> list[Step]:
    """Work out what is to be done, in order.

    Args:
        plan: the plan as JSON has it.
        defined: what is made again.
    """
    if not brings_back(plan):
        found = [_nothing(plan), *map(_next_time, plan["migrations"])]
        return [*found, _what_stays(plan, defined)]
    found = [_before(), _bring_back(plan), _check(plan)]
    if "backfill.sql" in plan["files"]:
        found.append(_fill())
    found += map(_next_time, plan["migrations"])
    return [*found, _back(plan), _what_stays(plan, defined)]


def brings_back(plan: Mapping[str, Any]) -> bool:
    """Whether the plan's scripts do anything.

    Args:
        plan: the plan as JSON has it.
    """
    if plan["columns"] or plan["partitions"] or "backfill.sql" in plan["files"]:
        return True
    if any(values["back"] for values in plan["overwritten"]):
        return True
    return any(table["restorable"] or table["kind"] == "recreate" for table in plan["tables"])


def _nothing(plan: Mapping[str, Any]) -> Step:
    step = Step("Nothing to bring back").say(
        "`recovery.sql` changes nothing: it brings back no row and no value."
    )
    if any(stay["class"] in ("blocked", "conflicting") for stay in plan["stays"]):
        return step.say("What is lost and cannot return as it is, stands below with the reasons.")
    return step


def runbook(store: Store, plan: Mapping[str, Any]) -> str:
    """Return the page as Markdown.

    Args:
        store: the case.
        plan: the plan as JSON has it, its steps included.
    """
    backup, live = store.evidence()
    compared = f"Compared with {code(live.dsn or live.path)}"
    if live.taken_at:
        compared += f" as of {plain(live.taken_at)}"
    lines = [
        f"# Runbook: {_title(plan)}",
        "",
        f"Backup: {code(backup.path or backup.dsn)}. {compared}.",
        "",
        f"**{prose(plan['recommendation'])}**",
        "",
        _rehearsed(plan),
        "",
        "| option | recovers | of them freed | destroys | blocked | verified | seconds |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |",
        *map(_row, plan["options"]),
        "",
        *_freed(plan),
        *_proofs(plan),
        "",
    ]
    lines += _selected(plan)
    for step in plan["runbook"]:
        lines += [f"## {step['title']}", "", *markdown(step["parts"])]
    return "\n".join(lines)


def _selected(plan: Mapping[str, Any]) -> Iterator[str]:
    """What belongs to the rows that were named, table by table."""
    chosen = plan["selection"]
    if not chosen:
        return
    said = [code(words) for words in (*chosen["where"], *chosen["rows"])]
    yield f"## What belongs to {listed(said)}"
    yield ""
    if chosen["tables"]:
        yield "| table | rows | of them only needed | by | told by names and values |"
        yield "| --- | ---: | ---: | --- | --- |"
    for share in chosen["tables"]:
        name = code(f"{share['schema']}.{share['table']}")
        numbers = f"{share['rows']:,} | {share['needed']:,}"
        by, told = [", ".join(map(code, share[word])) for word in ("needed_by", "undeclared")]
        yield f"| {name} | {numbers} | {by} | {told} |"
    yield ""
    if chosen["unexplained"] and chosen["tables"]:
        yield "No statement is known to have taken these rows; they return because they were named."
        yield ""
    yield "What is lost and stays behind stands below, under What stays, with the reasons."
    yield ""


def _title(plan: Mapping[str, Any]) -> str:
    if plan.get("into"):
        return "look at the lost rows beside the tables"
    if brings_back(plan):
        return "bring the rows back"
    return "nothing to bring back"


def _row(option: Mapping[str, Any]) -> str:
    """An option, as a row of the table."""
    numbers = [option["recovers"], option["freed"], option["destroys"], option["blocked"]]
    rows = " | ".join(map(count, numbers))
    verified = "yes" if option["verified"] else "no"
    seconds = "" if option["seconds"] is None else option["seconds"]
    return f"| {option['name']} | {rows} | {verified} | {seconds} |"


def _freed(plan: Mapping[str, Any]) -> Iterator[str]:
    """What the column says that few will know, where anything is freed."""
    if any(option["freed"] for option in plan["options"]):
        yield "Freed rows are blocked today, and come back because their parents come back first."
        yield ""


def markdown(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a step's parts as Markdown."""
    for part in parts:
        if "commands" in part:
            yield from ("```sh", part["commands"], "```")
        elif "list" in part:
            for sentence in part["list"]:
                yield f"- {marked(sentence)}"
        else:
            yield marked(part["text"])
        yield ""


def _before() -> Step:
    step = Step("1. Before")
    step.say(
        "Set `DATABASE` to live's connection string, and keep this folder with its scripts at "
        "hand. Every script is one transaction: if it stops or is cut off, live is as it was."
    )
    step.say("A backup of what is there now, which is what you go back to if all else fails:")
    step.run(
        'pg_dump -Fc -f before_recovery.dump -d "$DATABASE"',
        "pg_restore --list before_recovery.dump | tail -n 3",
    )
    return step.say(
        "Check: the list shows entries, and the file is not empty. "
        "Tell whoever deploys that no migration may run until this is done."
    )


def _bring_back(plan: Mapping[str, Any]) -> Step:
    took = ""
    if plan["rehearsal"]:
        took = f" (rehearsed: {plan['rehearsal']['seconds']} seconds)"
    step = Step("2. Bring the rows back").run(PSQL.format(script="recovery.sql"))
    return (
        step.say(
            "Check: it prints `Recovered: …` and `exit 0`. Where it stops it says why, and nothing "
            f"was changed. Writers to the tables it fills wait while it runs{took}."
        )
        .say(
            "The application may go on writing: what it wrote since is held against the rows that "
            "return, and nothing of it is overwritten. Where it took the key of a returning row, "
            "removed or replaced its parent, or made a link again, the script stops and names "
            "them. Then look at these, and leave them out; what was left out is listed, with why:"
        )
        .run(PSQL.format(script="recovery.sql").replace(" -f", " -v accept_changes=on -f"))
    )


def _check(plan: Mapping[str, Any]) -> Step:
    counts: list[str] = []
    for table in plan["tables"]:
        if table["restorable"]:
            name = in_a_line(TableName(table["schema"], table["table"]))
            # More than live held: what was there already proves nothing.
            least = table["live_rows"] + table["restorable"]
            counts.append(f'SELECT count(*) AS "at least {least}" FROM {name};')
    for restored in plan["columns"]:
        name = in_a_line(TableName(restored["schema"], restored["table"]))
        for column in restored["columns"]:
            label = in_a_line(f"values of {column}")
            counts.append(f"SELECT count({in_a_line(column)}) AS {label} FROM {name};")
    for values in plan["overwritten"]:
        name = in_a_line(TableName(values["schema"], values["table"]))
        column = in_a_line(values["column"])
        label = in_a_line(f"different values of {values['column']}")
        # As text: json knows no equality. No value is shown where people look over a shoulder.
        counts.append(f"SELECT count(DISTINCT {column}::text) AS {label} FROM {name};")
    step = Step("3. Check")
    step.say("The very rows, looked for by their keys; it changes nothing:")
    step.run('psql -X -d "$DATABASE" -f check.sql')
    step.say("Check: nothing is `still lacking`.")
    if not counts:
        return step
    step.say("What the tables hold by now:")
    step.run("psql -X -d \"$DATABASE\" <<'SQL'", *counts, "SQL")
    return step.say(
        "Each answer is at least the number beside it, which is what live held when it was "
        "compared and what comes back; it may be less where the application deleted rows since. "
        "Run `recovery.sql` once more if you like: it says that there is nothing to do."
    )


def _fill() -> Step:
    step = Step("4. Fill the new columns")
    step.say("Only where the application now reads links from its new columns:")
    step.run(PSQL.format(script="backfill.sql"))
    return step.say(
        "Check: it says for each table how many rows were given links. "
        "Look at some pages of the application."
    )


def _next_time(trial: Mapping[str, Any]) -> Step:
    """The safer migration that stands in for one that took rows."""
    tried = "not tried"
    if trial["lost"] is not None:
        tried = (
            f"tried on a copy of the backup: {trial['rows']:,} rows, {trial['values']:,} values "
            f"and {trial['links']:,} links kept, {trial['lost']:,} lost"
        )
    step = Step("The next time").say(
        f"{code('migrations/' + trial['name'])} stands in for {code(trial['original'])} "
        f"({tried}). Commit it in place of the original for databases where that has not run yet."
    )
    said = [*trial["problems"], *trial["notes"]]
    return step.points(said) if said else step


def _back(plan: Mapping[str, Any]) -> Step:
    step = Step("Back out")
    if "backfill.sql" in plan["files"]:
        step.say("The later step first:")
        scripts = ["undo_backfill.sql", "undo.sql"]
    else:
        step.say("This takes back what `recovery.sql` did, and nothing else:")
        scripts = ["undo.sql"]
    step.run(*(PSQL.format(script=script) for script in scripts))
    return step.say(
        "Check: it prints `exit 0`. `undo.sql` refuses where the application uses what came back, "
        "and then changes nothing."
    )


def _what_stays(plan: Mapping[str, Any], defined: Definitions) -> Step:
    stays = [*_missing(plan), *_kept(plan)]
    for view in defined.views:
        stays.append(f"View {code(view)} stood on a dropped table and is not made again.")
    stays += plan["notes"]
    step = Step("What stays").points(stays or ["Nothing."])
    if any(stay["class"] == "unexplained" for stay in plan["stays"]):
        step.say("`--include-unexplained` brings back what no statement is known to have taken.")
    return step


def _missing(plan: Mapping[str, Any]) -> Iterator[str]:
    """The missing rows and values that do not come back, and why."""
    for stay in plan["stays"]:
        place = f"{stay['schema']}.{stay['table']}"
        what = "row"
        if stay["column"]:
            place, what = f"{place}.{stay['column']}", "value"
        if stay["rows"] is None:
            yield f"Nobody knows how many {what}s of {code(place)}: {stay['reason']}."
        else:
            yield f"{counted(stay['rows'], what)} of {code(place)}: {stay['reason']}."


def _kept(plan: Mapping[str, Any]) -> Iterator[str]:
    """The values that changed otherwise than by the pattern, and are left as they are."""
    for found in plan["overwritten"]:
        place = code(f"{found['schema']}.{found['table']}.{found['column']}")
        if found["kept"] is None:
            yield f"Changed values of {place} that were not overwritten by the pattern."
        elif found["kept"]:
            yield f"{counted(found['kept'], 'value')} of {place}, which changed otherwise."


def _proofs(plan: Mapping[str, Any]) -> Iterator[str]:
    """What was found when each option was rehearsed, and why others were not."""
    for option in plan["options"]:
        proof = option["proof"]
        if proof:
            said = comment(" ".join((*proof["checks"], *proof["notes"])))
            if proof["problems"]:
                said += f" **It does not hold: {comment(' '.join(proof['problems']))}**"
            elif proof["lacks"]:
                said += f" **Not verified: {comment(' '.join(proof['lacks']))}**"
            word = "verified" if option["verified"] else "rehearsed"
            yield f"- {option['name']}, {word}: {said}"
        for caveat in option["caveats"]:
            if caveat.startswith(UNREHEARSED):
                yield f"- {option['name']}: {comment(caveat)}"


def _rehearsed(plan: Mapping[str, Any]) -> str:
    found = plan["rehearsal"]
    into = plan.get("into")
    if plan["problem"]:
        return f"**The rehearsal could not be held:** {prose(plan['problem'])}"
    if found is None:
        return (
            "This was not rehearsed. "
            "Run `python -m forensics recover CASE --out DIR --rehearse` before you go on."
        )
    if found["problems"]:
        problems = prose(" ".join(found["problems"]))
        return f"**The rehearsal failed. Do not run these scripts on live.** {problems}"
    if into:
        return (
            f"Rehearsed on a copy of live's schema: {found['lost_before'] - found['lost_after']:,} "
            f"of {into['rows']:,} lost rows stood in schema {code(into['schema'])} afterwards, no "
            "other table was written to, a second run was refused, and `undo.sql` left the schema "
            f"as it was. It took {found['seconds']} seconds."
        )
    return (
        f"Rehearsed on a copy: {found['lost_before']:,} rows lost before, "
        f"{found['lost_after']:,} after, which are the {found['blocked']:,} that are blocked; "
        "a second run changed nothing, all constraints hold, and `undo.sql` brought every table "
        f"back as it was. It took {found['seconds']} seconds."
    )
