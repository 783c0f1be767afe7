"""The plan of rows that are laid beside the tables: nothing of the application's is written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from forensics.errors import UsageError
from forensics.recovery.beside.layout import Laid
from forensics.recovery.choose.options import Option
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Scope
from forensics.recovery.proof import REINSERT, Proof, Rehearsal
from forensics.recovery.write.runbook import PSQL, Step
from forensics.recovery.write.sqltext import in_a_line
from forensics.text import code, counted

UNASKED = "--into only looks; it is rehearsed without that."


@dataclass(frozen=True)
class Beside:
    """What is laid beside the tables.

    Attributes:
        schema: where.
        tables: its tables.
    """

    schema: str
    tables: tuple[Laid, ...]

    @property
    def rows(self) -> int:
        """How many rows are laid there."""
        return sum(laid.rows for laid in self.tables)

    def as_json(self) -> dict[str, Any]:
        """As `plan.json` has it."""
        return {
            "schema": self.schema,
            "rows": self.rows,
            "tables": [laid.as_json() for laid in self.tables],
        }


def expect_alone(scope: Scope) -> None:
    """Make sure that nothing is asked for that cannot be laid beside the tables.

    Raises:
        UsageError: something is.
    """
    if scope.columns or scope.values or scope.fire_triggers:
        raise UsageError(
            "--into lays rows beside the tables, and no values into rows that are there.",
            "Leave out --columns and --fire-triggers, or --into.",
        )


def with_laying(
    options: Sequence[Option], laid: Beside, rehearsal: Rehearsal | None
) -> tuple[Option, ...]:
    """The options, with the rows laid into the schema in place of the tables."""
    caveats = (
        f"Into schema {laid.schema}, beside the tables: nobody sees the rows there before "
        "somebody chooses from them.",
    )
    found = []
    for option in options:
        if option.name == REINSERT:
            option = replace(
                option,
                recovers=laid.rows,
                blocked=0,
                freed=0,
                reasons=(),
                caveats=caveats,
                application="Nothing: no table of its own is written to.",
                proof=_proof(laid, rehearsal) if rehearsal else None,
            )
        found.append(option)
    return tuple(found)


def proofs_of(options: Sequence[Option]) -> dict[str, Proof]:
    """The proofs that options have."""
    return {option.name: option.proof for option in options if option.proof}


def _proof(laid: Beside, rehearsal: Rehearsal) -> Proof:
    back = rehearsal.lost_before - rehearsal.lost_after
    checks = [f"{back:,} of {laid.rows:,} lost rows stood in schema {laid.schema} afterwards."]
    if rehearsal.unchanged:
        checks.append("No other table was written to.")
    if rehearsal.idempotent:
        checks.append("A second run was refused, and changed nothing.")
    if rehearsal.undo_restores:
        checks.append("After undo.sql the schema was as before.")
    return Proof(back, 0, rehearsal.seconds, tuple(checks), rehearsal.problems, rehearsal.notes)


def advice(laid: Beside, rehearsal: Rehearsal | None) -> str:
    """What to do with it, in a sentence or two."""
    said = (
        f"Look at the lost rows in schema {laid.schema}, beside live's tables: "
        f"{counted(laid.rows, 'row')} of {counted(len(laid.tables), 'table')}. "
        "Nothing of the application's is written to before somebody chooses."
    )
    if rehearsal is None:
        return f"{said} This was not rehearsed: run recover with --rehearse before you act on it."
    if rehearsal.problems:
        return f"{said} Its rehearsal failed: do not run the scripts on live before that is mended."
    return said


def now() -> datetime:
    """When a rehearsal was held."""
    return datetime.now(UTC).replace(microsecond=0)


# --- what to do -----------------------------------------------------------------------------------


def steps(laid: Beside, selection: Selection, stays: Sequence[Mapping[str, Any]]) -> list[Step]:
    """What is to be done, in order."""
    lay = Step("1. Lay the rows beside the tables")
    lay.say(
        "Set `DATABASE` to live's connection string. The script makes schema "
        f"{code(laid.schema)} where it is not there, and writes into no table that is."
    )
    lay.run(PSQL.format(script="recovery.sql"))
    lay.say(
        "Check: it prints `Laid beside the tables: …` and `exit 0`. Where a table there bears a "
        "name that it needs, it stops, and nothing was changed."
    )
    found = [lay, *_look(laid, selection)]
    back = Step("Take them away").run(PSQL.format(script="undo.sql"))
    back.say("It drops what `recovery.sql` laid there. A schema that was there before stays.")
    left = []
    for stay in stays:
        if stay["class"] == "left out" and stay["rows"]:
            place = code(f"{stay['schema']}.{stay['table']}")
            left.append(f"{counted(stay['rows'], 'row')} of {place}: {stay['reason']}.")
    return [*found, back, Step("What is not laid there").points(left or ["Nothing."])]


def _look(laid: Beside, selection: Selection) -> list[Step]:
    """Queries to look, and to choose."""
    look = Step("2. Look")
    choose = Step("3. Choose")
    look.say("For example, in psql. How many rows, and the first of them; which live lacks still:")
    choose.say(
        "Rows that are to return, parents before children, in a transaction that you end with "
        "COMMIT once it shows what you expect. What is unique, and what is referred to, live "
        "checks itself:"
    )
    looks: list[str] = []
    chosen: list[str] = []
    live = selection.store.catalogs()[1].tables
    for one in laid.tables:
        name = in_a_line(one.name)
        looks.append(f"SELECT count(*) FROM {name};")
        looks.append(f"TABLE {name} LIMIT 10;")
        if one.target.name not in live or not one.target.key:
            continue
        there = in_a_line(one.target.name)
        key = [in_a_line(column) for column in one.target.key]
        same = " AND ".join(f"t.{column} = r.{column}" for column in key)
        lacking = f"NOT EXISTS (SELECT FROM {there} t WHERE {same})"
        looks.append(f"SELECT r.* FROM {name} r WHERE {lacking} LIMIT 10;")
        columns = ", ".join(map(in_a_line, one.target.columns))
        chosen.append(
            f"INSERT INTO {there} ({columns}) {_overriding(live[one.target.name], one)}"
            f"SELECT {columns} FROM {name} r WHERE {lacking} /* AND r.{key[0]} IN (…) */;"
        )
    look.run("psql -X -d \"$DATABASE\" <<'SQL'", *looks, "SQL")
    if not chosen:
        choose.say("No table that live has lost any: `recover` without `--into` makes them again.")
        return [look, choose]
    choose.run('psql -X -d "$DATABASE"', "BEGIN;", *chosen, "-- COMMIT; or ROLLBACK;")
    return [look, choose]


def _overriding(table: Any, one: Laid) -> str:
    """What an INSERT needs to say where a column numbers rows by itself."""
    for name in one.target.columns:
        column = table.column(name)
        if column and column.identity == "always":
            return "OVERRIDING SYSTEM VALUE "
    return ""
