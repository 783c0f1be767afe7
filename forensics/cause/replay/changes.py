"""Follows the values of changed rows: each is laid at the statement since which it is another.

The changed rows are kept as they were, each value as text, and for each value the step since which
the table holds another one, or none: a value that came back is at no step. Only columns are looked
at in which live differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg
from psycopg import sql

from forensics.cause.replay.database import Database, query_of
from forensics.cause.replay.spellings import hangs_on_zone, spelled
from forensics.cause.replay.watched import (
    MARKS,
    TAKEN,
    Shape,
    Watched,
    aliased,
    marked_columns,
    own,
    same,
)

_AND = sql.SQL(" AND ")
_NULL = sql.SQL("NULL")
# What a value's text hangs on, and a migration may set.
_SPELLING = ("TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "bytea_output")


class Changes:
    """The changed rows of the tables that are followed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept_under: dict[str, str] = {}

    def keep(self, watched: Watched, marked: Iterable[bytes]) -> str | None:
        """Keep the changed rows as they are now; return why that cannot be done, or None.

        Args:
            marked: COPY text: the keys of the rows, and a letter for each of `watched.changed`.
        """
        self._database.execute(
            sql.SQL("CREATE TABLE {} AS SELECT {}, NULL::text AS {} FROM ONLY {} LIMIT 0").format(
                watched.wanted, aliased(watched.key), MARKS, sql.Identifier(*watched.name)
            )
        )
        words = self._database.copy_in(watched.wanted, marked_columns(watched), marked)
        if words:
            return words
        texts = []
        for column in dict.fromkeys((*watched.key, *watched.changed)):
            value, ours = sql.Identifier("t", column), sql.Identifier(own(column))
            texts.append(sql.SQL("{}::text AS {}").format(value, ours))
        pairs = [same(sql.Identifier("t", k), sql.Identifier("k", own(k))) for k in watched.key]
        kept = self._database.execute(
            query_of("keep_changed").format(
                shadow=watched.shadow,
                marks=MARKS,
                taken=TAKEN,
                number=sql.Literal(len(watched.changed)),
                texts=sql.SQL(", ").join(texts),
                rows=watched.rows,
                wanted=watched.wanted,
                same=_AND.join(pairs),
            )
        ).rowcount
        wanted = sql.SQL("SELECT count(*) FROM {}").format(watched.wanted)
        watched.unseen = self._database.number(wanted) - kept
        self._database.execute(sql.SQL("ANALYZE {}").format(watched.shadow))
        watched.types = watched.shape.types
        self._kept_under = self._settings()
        return None

    def look(self, watched: Watched, before: Shape, step: int) -> None:
        """Lay the values that a step changed, and take back those that it restored.

        Args:
            before: how the table stood before the step.
        """
        _note_names(watched, step)
        names = {}
        for column in (*watched.key, *watched.changed):
            names[column] = _name_now(watched, column)
        _note_zones(watched, names)
        # Where another table takes the name, and the rows live on, they may come one by one.
        taken = watched.shape.named and not before.named and before.oid == watched.oid
        gone = not taken or watched.shape.oid == watched.oid
        self._lay(watched, names, dict.fromkeys(watched.changed, step), gone=gone)

    def finish(self, watched: Watched) -> None:
        """Look once more at columns whose name another column has at the end."""
        names = {key: _name_now(watched, key) for key in watched.key}
        steps = {}
        for column, step in watched.away.items():
            if column in watched.shape.numbers:
                names[column], steps[column] = column, step
        if steps:
            self._lay(watched, names, steps)

    def _lay(
        self,
        watched: Watched,
        names: Mapping[str, str | None],
        steps: Mapping[str, int],
        *,
        gone: bool = True,
    ) -> None:
        """Lay values of some columns.

        Args:
            names: by column, what it is called now.
            steps: by column, the step at which its values are laid.
            gone: whether those of rows that are gone are laid too.
        """
        watched.blind = watched.shape.oid is not None and not all(names[k] for k in watched.key)
        if watched.blind:
            return
        try:
            self._run(_laying(watched, names, steps, gone, by_value=True))
        except psycopg.DataError:
            self._run(_laying(watched, names, steps, gone, by_value=False))

    def _run(self, laying: sql.Composed) -> None:
        with self._database.block():
            # The tables have no statistics, and a loop over both of them would never end.
            theirs = self._settings()
            self._set({**self._kept_under, "enable_nestloop": "off"})
            self._database.execute(laying)
            self._set(theirs)

    def _settings(self) -> dict[str, str]:
        parts = []
        for name in (*_SPELLING, "enable_nestloop"):
            part = sql.SQL("pg_catalog.current_setting({}) AS {}")
            parts.append(part.format(sql.Literal(name), sql.Identifier(name)))
        asked = sql.SQL("SELECT {}").format(sql.SQL(", ").join(parts))
        return dict(self._database.execute(asked).fetchone() or {})

    def _set(self, settings: Mapping[str, str]) -> None:
        parts = []
        for name, value in settings.items():
            part = sql.SQL("pg_catalog.set_config({}, {}, true)")
            parts.append(part.format(sql.Literal(name), sql.Literal(value)))
        self._database.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(parts)))


def _note_names(watched: Watched, step: int) -> None:
    """Note since when a column's name is no longer its own, while the column is still there."""
    numbers = watched.shape.numbers
    for column in watched.changed:
        number = watched.places[column]
        if watched.shape.oid != watched.oid or numbers.get(column) == number:
            watched.away.pop(column, None)
        elif number in watched.shape.names:
            watched.away.setdefault(column, step)
        else:
            watched.away.pop(column, None)


def _note_zones(watched: Watched, names: Mapping[str, str | None]) -> None:
    for column in watched.changed:
        name = names[column]
        if name and hangs_on_zone(watched.types[column], watched.shape.types[name]):
            watched.zoned.add(column)


def _name_now(watched: Watched, column: str) -> str | None:
    """What a column is called now, or the one that has its name since it is gone; else None."""
    shape = watched.shape
    if shape.oid == watched.oid and watched.places[column] in shape.names:
        return shape.names[watched.places[column]]
    return column if column in shape.numbers else None


def _laying(
    watched: Watched,
    names: Mapping[str, str | None],
    steps: Mapping[str, int],
    gone: bool,
    *,
    by_value: bool,
) -> sql.Composed:
    """The UPDATE that lays values of some columns at steps."""
    laid = []
    for place, column in enumerate(watched.changed, 1):
        kept = sql.SQL("s.{}[{}]").format(TAKEN, sql.Literal(place))
        if column in steps:
            now, before = _sides(watched, column, names[column], by_value)
            laid.append(
                sql.SQL("CASE WHEN {} IS DISTINCT FROM {} THEN coalesce({}, {}) END").format(
                    now, before, kept, sql.Literal(steps[column])
                )
            )
        else:
            laid.append(kept)
    return query_of("lay_changes").format(
        shadow=watched.shadow,
        taken=TAKEN,
        steps=sql.SQL(", ").join(laid),
        joined=_beside(watched, names, gone, by_value),
    )


def _beside(
    watched: Watched, names: Mapping[str, str | None], gone: bool, by_value: bool
) -> sql.Composed:
    """The changed rows as they were (`s`) beside what they are now (`t`), for FROM."""
    if watched.shape.oid is None:
        return sql.SQL("{} s").format(watched.shadow)
    pairs = []
    for column in watched.key:
        pairs.append(sql.SQL("{} = {}").format(*_sides(watched, column, names[column], by_value)))
    join = sql.SQL("{} s LEFT JOIN {} t ON {}" if gone else "{} s JOIN {} t ON {}")
    return join.format(watched.shadow, watched.rows, _AND.join(pairs))


def _sides(
    watched: Watched, column: str, name: str | None, by_value: bool
) -> tuple[sql.Composable, sql.Composable]:
    """A value as it is now and as it was, in one spelling."""
    before = sql.Identifier("s", own(column))
    if name is None or watched.shape.oid is None:
        return _NULL, before
    now = sql.SQL("{}::text").format(sql.Identifier("t", name))
    old, new = watched.types[column], watched.shape.types[name]
    if old == new or not by_value:
        return now, before
    return spelled(now, new, old), spelled(before, old, new)
