"""Sequences that are behind their data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from forensics.compare.findings.finding import Finding, not_known
from forensics.errors import EvidenceError
from forensics.evidence import as_database
from forensics.evidence.ddl import split_qualified
from forensics.evidence.source import Source
from forensics.model import Catalog, Table, TableName

if TYPE_CHECKING:
    from forensics.evidence.live.source import LiveSource

# The whole of a default: one that reckons with what it draws draws other values than the sequence.
_DRAWN_FROM = re.compile(
    r"\(?nextval\('(?P<name>(?:[^']|'')+)'(?:::\w+)*\)\)?(?:::(?:smallint|integer|bigint|numeric))?"
)
_NUMBERS = re.compile(r"smallint|integer|bigint|numeric(\(\d+(,0)?\))?")
_STANDS = """
SELECT s.last_value, s.is_called,
       p.seqincrement AS step, p.seqmin AS lowest, p.seqmax AS highest
  FROM {sequence} s, pg_catalog.pg_sequence p
 WHERE p.seqrelid = {name}::pg_catalog.regclass
"""
_STANDS_BEFORE_10 = """
SELECT s.last_value, s.is_called,
       s.increment_by AS step, s.min_value AS lowest, s.max_value AS highest
  FROM {sequence} s
"""
_AHEAD = """
SELECT min({column})::bigint AS least, max({column})::bigint AS most
  FROM {table}
 WHERE {column} BETWEEN {lowest} AND {highest}
"""
_IN_STEP = " AND ({column}::numeric - {following}) % {step} = 0"


class _Draw(NamedTuple):
    """A column that draws its values from a sequence."""

    sequence: TableName
    table: TableName
    column: str


def behind(live: Source) -> list[Finding]:
    """Find sequences that will come to a value which a row holds already."""
    database = as_database(live)
    if database is None:
        return []
    found = []
    for draw in _draws(live.catalog):
        try:
            text = _look(database, draw)
        except EvidenceError as error:
            what = f"Whether {draw.sequence} is behind {draw.table}.{draw.column}"
            found.append(not_known(draw.table, what, error, str(draw.sequence)))
            continue
        if text:
            found.append(Finding("sequence behind", draw.table, text, str(draw.sequence)))
    return found


def _look(live: LiveSource, draw: _Draw) -> str | None:
    """What is to be said of one draw, or None where its sequence meets no row on its way.

    Raises:
        LiveError: the role may not look.
    """
    from psycopg import sql

    sequence = sql.Identifier(*draw.sequence)
    name = sql.Literal(draw.sequence.sql)
    stands = _STANDS
    major = re.match(r"\d+", live.provenance.server_version or "")
    if major and int(major[0]) < 10:
        stands = _STANDS_BEFORE_10
    [row] = live.ask(sql.SQL(stands).format(sequence=sequence, name=name))
    step = row["step"]
    following = row["last_value"]
    if row["is_called"]:
        following += step
    lowest, highest = following, row["highest"]
    if step < 0:
        lowest, highest = row["lowest"], following
    table = live.catalog.tables[draw.table]
    rows_of = sql.SQL("{}" if table.kind == "partitioned" else "ONLY {}")
    question = _AHEAD
    if abs(step) > 1:  # several that share a column may each keep to values of their own
        question += _IN_STEP
    [ahead] = live.ask(
        sql.SQL(question).format(
            column=sql.Identifier(draw.column),
            table=rows_of.format(sql.Identifier(*draw.table)),
            lowest=sql.Literal(lowest),
            highest=sql.Literal(highest),
            following=sql.Literal(following),
            step=sql.Literal(step),
        )
    )
    if ahead["least"] is None:
        return None
    return _said(draw, table, following, step, ahead)


def _said(draw: _Draw, table: Table, following: int, step: int, ahead: dict[str, Any]) -> str:
    first, last, way = ahead["least"], ahead["most"], "up"
    if step < 0:
        first, last, way = last, first, "down"
    place = f"{draw.table}.{draw.column}"
    text = f"The next value of {draw.sequence} is {following:,}, and {place} goes {way} to {last:,}"
    if any(key.columns == (draw.column,) for key in table.keys):
        what = "inserts will fail"
    else:
        what = "inserts will give values that rows have already"
    since = ""
    if first != following:
        since = f" from {first:,} on"
    return f"{text}: {what}{since} until it is set past that."


def _draws(catalog: Catalog) -> list[_Draw]:
    """Every identity column, and every column whose default is the next value of a sequence."""
    found = set()
    known, of_column = set(), {}
    for sequence in catalog.sequences:
        known.add(sequence.name)
        of_column[sequence.owner] = sequence.name
    for table in catalog.roots:
        for column in table.columns:
            if not _NUMBERS.fullmatch(catalog.domains.get(column.type, column.type)):
                continue
            drawn = _drawn_from(column.default or "")
            if column.identity:
                drawn = of_column.get((table.name, column.name))
            if drawn and drawn in known:
                found.add(_Draw(drawn, table.name, column.name))
    return sorted(found)


def _drawn_from(default: str) -> TableName | None:
    """The sequence whose next value a column's default is."""
    drawn = _DRAWN_FROM.fullmatch(default)
    if drawn is None:
        return None
    path = ["public", *split_qualified(drawn["name"].replace("''", "'"))]
    return TableName(*path[-2:])
