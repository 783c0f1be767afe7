"""`backfill.sql`, rehearsed: links stand in their new place, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.model import quote_identifier
from forensics.recovery.proof import Proof, failed, off
from forensics.recovery.rehearse.database import Prints, Rehearsed, State
from forensics.recovery.rehearse.session import run
from forensics.recovery.write.backfill import Place


def rehearse_backfill(
    database: Rehearsed,
    before: State,
    places: Sequence[Place],
) -> Proof:
    """Run `backfill.sql` twice and `undo_backfill.sql` once, and look at what each did.

    Args:
        database: a copy of live, as it was before any script.
        before: what it is like.
        places: the new places of links.
    """
    return _Run(database, before, places).run()


class _Run:
    def __init__(
        self,
        database: Rehearsed,
        before: State,
        places: Sequence[Place],
    ) -> None:
        self._database = database
        self._before, self._places = before, places
        self._problems: list[str] = []

    def run(self) -> Proof:
        database, problems = self._database, self._problems
        for n, place in enumerate(self._places, 1):
            rows = f"SELECT {_kept(place)} FROM {place.owner.name.sql} t"
            run(database.session, f"CREATE TEMP TABLE filled_{n} AS {rows}")
        seconds = database.script("backfill.sql", problems)
        if seconds is None:
            return failed(" ".join(problems))
        links, overwritten = self._filled()
        now = database.prints()
        self._again(now)
        self._undo()
        self._elsewhere(now)
        wanted = sum(place.links for place in self._places)
        problems += off(wanted, links, "recovers")
        problems += off(0, overwritten, "destroys")
        checks = [
            f"{links:,} links stood in the new columns that were empty before, "
            f"and {overwritten:,} values that were there had changed."
        ]
        if not problems:
            checks.append(
                "A second run changed nothing, "
                "and undo_backfill.sql brought every table back as it was."
            )
        return Proof(links, overwritten, round(seconds, 3), tuple(checks), tuple(problems))

    def _filled(self) -> tuple[int, int]:
        """How many links were written, and how many values that were there have changed."""
        links = overwritten = 0
        for n, place in enumerate(self._places, 1):
            counts = run(self._database.session, _difference(n, place)).fetchone()
            assert counts is not None
            links += int(counts[0])
            overwritten += int(counts[1])
        return links, overwritten

    def _again(self, now: Prints) -> None:
        """Run it a second time."""
        done = self._database.script("backfill.sql", self._problems)
        if done is not None and self._database.prints() != now:
            self._problems.append("Running backfill.sql a second time changed something.")

    def _undo(self) -> None:
        """Take it back."""
        done = self._database.script("undo_backfill.sql", self._problems)
        if done is not None and not self._database.is_as(self._before):
            self._problems.append("After undo_backfill.sql the tables are not as they were before.")

    def _elsewhere(self, now: Prints) -> None:
        """Look for changes of other tables than those that have a new place."""
        before = self._before.prints
        if _counts(now) != _counts(before):
            self._problems.append("backfill.sql changed how many rows a table holds.")
        owners = {place.owner.name for place in self._places}
        changed = []
        for name in sorted(now):
            if name not in owners and now[name] != before.get(name):
                changed.append(str(name))
        if changed:
            self._problems.append(f"backfill.sql changed rows of {', '.join(changed)}.")


def _counts(prints: Prints) -> dict[object, str]:
    """How many rows each table holds."""
    return {name: found[0] for name, found in prints.items()}


def _kept(place: Place) -> str:
    """The columns of the table that remembers a new place as it was."""
    key = quote_identifier(place.owner.parent_columns[0])
    column = quote_identifier(place.column.name)
    cover = "NULL::text"
    if place.cover:
        cover = f"t.{quote_identifier(place.cover.name)}::text"
    empty = f"t.{column} IS NULL"
    if place.empty:
        nothing = f"({place.empty})::{place.column.type}::text"
        empty = f"coalesce(t.{column}::text = {nothing}, true)"
    return f"t.{key} AS key, t.{column}::text AS list, {cover} AS cover, {empty} AS empty"


def _difference(n: int, place: Place) -> str:
    """The query for how many links a place was given, and how many values it lost."""
    key = quote_identifier(place.owner.parent_columns[0])
    column = quote_identifier(place.column.name)
    other = f"t.{column}::text IS DISTINCT FROM f.list"
    lost = f"({other} AND NOT f.empty)"
    if place.cover:
        cover = f"t.{quote_identifier(place.cover.name)}::text"
        lost = f"({lost} OR (f.cover IS NOT NULL AND {cover} IS DISTINCT FROM f.cover))"
    links = f"coalesce(sum({place.length}) FILTER (WHERE {other}), 0)::bigint"
    return (
        f"SELECT {links}, count(*) FILTER (WHERE {lost}) "
        f"FROM {place.owner.name.sql} t JOIN pg_temp.filled_{n} f ON f.key = t.{key}"
    )
