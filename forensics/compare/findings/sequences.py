"""Sequences that are behind their data."""

from __future__ import annotations

import re
from typing import NamedTuple

from forensics.compare.findings.finding import Finding
from forensics.errors import EvidenceError
from forensics.evidence.ddl import split_qualified
from forensics.evidence.source import Source
from forensics.model import Catalog, TableName

_DRAWN_FROM = re.compile(r"nextval\('((?:[^']|'')+)'")
_NEXT_AND_HIGHEST = """
SELECT s.last_value, s.is_called, (SELECT max({column}) FROM {table})::bigint AS highest
  FROM {sequence} s
"""


class _Draw(NamedTuple):
    """A column that draws its values from a sequence."""

    sequence: TableName
    table: TableName
    column: str


def behind(live: Source) -> list[Finding]:
    """Find sequences whose next value a row holds already: the next insert would fail."""
    from psycopg import sql

    from forensics.evidence.live.source import LiveSource

    if not isinstance(live, LiveSource):
        return []
    found = []
    for draw in _draws(live.catalog):
        question = sql.SQL(_NEXT_AND_HIGHEST).format(
            column=sql.Identifier(draw.column),
            table=sql.Identifier(*draw.table),
            sequence=sql.Identifier(*draw.sequence),
        )
        try:
            [row] = live.ask(question)
        except EvidenceError:
            continue
        following = row["last_value"] + bool(row["is_called"])
        highest = row["highest"]
        if highest is None or following > highest:
            continue
        text = (
            f"The next value of {draw.sequence} is {following:,}, and {draw.table}.{draw.column} "
            f"goes up to {highest:,}: inserts will fail until it is set past that."
        )
        found.append(Finding("sequence behind", draw.table, text, str(draw.sequence)))
    return found


def _draws(catalog: Catalog) -> list[_Draw]:
    """Every column that a sequence belongs to, or whose default draws from one."""
    found = set()
    known = set()
    for sequence in catalog.sequences:
        known.add(sequence.name)
        if sequence.owner and sequence.owner[0] in catalog.tables:
            found.add(_Draw(sequence.name, *sequence.owner))
    for table in catalog.roots:
        for column in table.columns:
            drawn = _drawn_from(column.default or "")
            if drawn and drawn in known:
                found.add(_Draw(drawn, table.name, column.name))
    return sorted(found)


def _drawn_from(default: str) -> TableName | None:
    """The sequence that a column's default draws from."""
    drawn = _DRAWN_FROM.search(default)
    if drawn is None:
        return None
    path = ["public", *split_qualified(drawn[1].replace("''", "'"))]
    return TableName(*path[-2:])
