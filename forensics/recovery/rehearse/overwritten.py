"""Overwritten values on a copy of live: which it refuses, and whether the others came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from forensics.evidence.live.source import LiveSource
from forensics.recovery.choose.overwritten import Values
from forensics.recovery.proof import Tell, silent
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.copies import LiveCopy
from forensics.recovery.rehearse.offer import offer
from forensics.recovery.rehearse.session import (
    Session,
    copy_rows,
    one,
    own_fingerprint,
    pinned_session,
    run,
    words_of,
)
from forensics.recovery.write.overwritten.script import held_each, same, set_values, staged
from forensics.recovery.write.sqltext import literal, quoted, tag_for

_AT_RISK = """
SELECT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = to_regclass(%(table)s)
                  AND o.contype IN ('c', 'x'))
    OR EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
                WHERE i.indrelid = to_regclass(%(table)s) AND (i.indisunique OR i.indisexclusion)
                  AND ((a.attnum = ANY (i.indkey) AND a.attname = ANY (%(columns)s))
                       OR i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
    OR EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(%(table)s) AND c.relkind = 'p')
    OR EXISTS (SELECT FROM pg_attrdef e JOIN pg_attribute a ON a.attrelid = e.adrelid
                  AND a.attnum = e.adnum WHERE e.adrelid = to_regclass(%(table)s)
                  AND to_jsonb(a) ->> 'attgenerated' <> '')
"""
_TRIGGERS = """
SELECT g.tgname AS name FROM pg_trigger g
 WHERE g.tgrelid = to_regclass({table}) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
   AND (g.tgtype & 16) <> 0 ORDER BY 1
"""


def with_triggers(source: LiveSource, every: Sequence[Values]) -> tuple[Values, ...]:
    """The tables with the triggers that an UPDATE would fire on live."""
    from psycopg import sql

    found = []
    for values in every:
        question = sql.SQL(_TRIGGERS).format(table=sql.Literal(values.name.sql))
        names = tuple(row["name"] for row in source.ask(question))
        found.append(replace(values, triggers=names))
    return tuple(found)


def foresee_values(
    every: Sequence[Values], copy: LiveCopy, tell: Tell = silent
) -> tuple[Values, ...]:
    """The tables without the rows whose values live would refuse.

    Args:
        every: the tables, whose rows the copy has.
        copy: of live; it is as before afterwards.
    """
    if not every:
        return ()
    found = []
    with pinned_session(copy.scratch, copy.database) as session:
        for n, values in enumerate(every, 1):
            tell("offering the overwritten values to a copy of live", str(values.name))
            session.execute("BEGIN")
            try:
                refused = _refused(session, n, values)
            finally:
                session.execute("ROLLBACK")
            found.append(values.refused(refused) if refused else values)
    return tuple(found)


def _refused(session: Session, n: int, values: Values) -> list[tuple[int, str]]:
    words = {"table": values.name.sql, "columns": values.names}
    found = session.execute(_AT_RISK, words).fetchone()
    at_risk = bool(found and found[0])
    if not at_risk and _of_one_type(values):
        # What stood in these columns fits them, and nothing else looks at it.
        return []
    made, columns = staged(n, values)
    run(session, made)
    table = f"pg_temp.overwritten_{n}"
    refused = _loaded(session, table, columns, values)
    if not at_risk:
        return _plain(refused)
    gone = sorted(place for place, _ in refused)
    run(session, f"ALTER TABLE {table} ADD COLUMN line bigint")
    run(
        session,
        f"UPDATE {table} v SET line = s.line FROM (SELECT ctid, row_number() OVER "
        f"(ORDER BY ctid) - 1 AS line FROM {table}) s WHERE s.ctid = v.ctid",
    )
    for place in gone:
        # Those that did not fit are not there: the lines after them stand one further on.
        run(session, f"UPDATE {table} SET line = line + 1 WHERE line >= {place}")
    alone = literal(values.name.sql)
    run(session, filled("rehearse", "alone", table=alone, tag=tag_for(alone)))
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    session.execute("SET LOCAL search_path TO DEFAULT")
    last = one(session, f"SELECT coalesce(max(line), -1) FROM {table}")
    return [*_plain(refused), *_halved(session, n, values, (0, last + 1))]


def _of_one_type(values: Values) -> bool:
    """Whether the columns are of the types that they had."""
    backup, live = values.selection.store.catalogs()
    for name in values.names:
        then = backup.tables[values.name].column(name)
        now = live.tables[values.name].column(name)
        if then is None or now is None or then.type != now.type:
            return False
    return True


def _loaded(
    session: Session, table: str, columns: Sequence[str], values: Values
) -> list[tuple[int, str]]:
    """Load the values: all at once, and without those that do not fit where some do not."""
    session.execute("SAVEPOINT loaded")
    try:
        copy_rows(session, table, columns, values.lines())
    except psycopg.Error:
        session.execute("ROLLBACK TO SAVEPOINT loaded")
        return offer(session, table, columns, values.selection, values.lines_query())
    session.execute("RELEASE SAVEPOINT loaded")
    return []


def _plain(refused: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(place, "its value does not fit the column of live") for place, _ in refused]


def _halved(
    session: Session, n: int, values: Values, span: tuple[int, int]
) -> list[tuple[int, str]]:
    """Try the UPDATE; halve what is refused until single rows are left."""
    todo, refused = [span], []
    while todo:
        first, end = todo.pop()
        if first >= end:
            continue
        where = f"v.line >= {first} AND v.line < {end}"
        session.execute("SAVEPOINT tried")
        try:
            run(session, set_values(n, values, back=True, where=where))
            session.execute("RELEASE SAVEPOINT tried")
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in ("22", "23"):
                raise
            session.execute("ROLLBACK TO SAVEPOINT tried")
            if end - first == 1:
                refused.append((first, _why(error)))
            else:
                half = (first + end) // 2
                todo += [(half, end), (first, half)]
    return refused


def _why(error: psycopg.Error) -> str:
    """Why a value was refused, without any value."""
    name = error.diag.constraint_name
    if error.sqlstate == "23505":
        return f"it collides with unique index {name}"
    if error.sqlstate == "23P01":
        return f"it collides with exclusion constraint {name}"
    if error.sqlstate == "23514" and name:
        return f"it breaks check constraint {name}"
    return words_of(error) if not error.diag.message_detail else "live refuses it"


class ReturnedValues:
    """Looks whether values came back and nothing else changed. Made before the recovery."""

    def __init__(self, session: Session, every: Sequence[Values], problems: list[str]) -> None:
        self._session, self._every, self._problems = session, every, problems
        self._before: list[int] = []
        for n, values in enumerate(every, 1):
            made, columns = staged(n, values)
            run(session, made.replace("ON COMMIT DROP ", ""))
            copy_rows(session, f"pg_temp.overwritten_{n}", columns, values.lines())
            run(session, f"ANALYZE pg_temp.overwritten_{n}")
            self._before.append(self._cells(n, values, back=True))

    def look(self) -> int:
        """How many values are back; says where fewer are than stood overwritten."""
        found = 0
        for n, values in enumerate(self._every, 1):
            cells = self._cells(n, values, back=False)
            wanted = self._before[n - 1]
            if cells != wanted:
                self._problems.append(
                    f"{cells:,} overwritten values of {values.name} are back, "
                    f"and {wanted:,} were to be."
                )
            found += cells
        return found

    def as_before(self, n: int, columns: Sequence[str]) -> tuple[str, ...]:
        """The fingerprint of a table as if its values had not come back.

        Args:
            n: which of the tables, from 1.
            columns: all of its columns.
        """
        values = self._every[n - 1]
        shown = []
        for column, name in zip(columns, quoted(columns), strict=True):
            if column in values.names:
                i = values.names.index(column)
                back = f"(t.{name})::text IS NOT DISTINCT FROM (v.b{i})::text"
                shown.append(f"CASE WHEN v.m{i} AND {back} THEN v.a{i} ELSE t.{name} END AS {name}")
            else:
                shown.append(f"t.{name}")
        source = (
            f"(SELECT {', '.join(shown)} FROM {values.source} t "
            f"LEFT JOIN pg_temp.overwritten_{n} v ON {same(values)})"
        )
        found = run(self._session, own_fingerprint(source, columns)).fetchone()
        assert found is not None
        return tuple(found)

    def _cells(self, n: int, values: Values, *, back: bool) -> int:
        """How many values stand as they were overwritten, or are back."""
        each = held_each(values, back=back)
        counts = [f"count(*) FILTER (WHERE {condition})" for condition in each]
        return one(
            self._session,
            f"SELECT {' + '.join(counts)} FROM {values.source} t "
            f"JOIN pg_temp.overwritten_{n} v ON {same(values)}",
        )
