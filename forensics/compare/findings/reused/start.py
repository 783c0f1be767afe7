"""Whether a table, its rows or its sequence began anew since the backup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forensics.compare.schema import changed_types, stored_columns
from forensics.errors import EvidenceError
from forensics.evidence import as_database
from forensics.evidence.source import Source
from forensics.model import Catalog, Sequence, Table, TableName

_OF_TABLE = """
SELECT c.relfilenode <> 0 AND c.relfilenode <> c.oid AS rewritten,
       (SELECT count(*) FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attisdropped) AS dropped
  FROM pg_catalog.pg_class c
 WHERE c.oid = {text}::pg_catalog.regclass
"""
_OF_SEQUENCE = "SELECT last_value, is_called FROM {relation}"


@dataclass(frozen=True)
class Start:
    """What speaks for a new start of a table.

    Attributes:
        sequence: the sequence of its key stands lower than it did, in words; else "".
        made: True where it was made anew, False where it is known to be the old one.
        rewritten: whether its rows lie in another file than when it was made, as after TRUNCATE.
        unread: why a side does not tell it all, or None.
    """

    sequence: str = ""
    made: bool | None = None
    rewritten: bool = False
    unread: EvidenceError | None = None

    @property
    def strong(self) -> bool:
        """Whether it alone says that rows began anew."""
        return bool(self.sequence) or self.made is True


def start_of(backup: Source, live: Source, name: TableName, key: tuple[str, ...]) -> Start:
    """Look for a new start of a table; what live does not tell counts as none, and is said."""
    sequence, unread = "", None
    made, rewritten = None, False
    try:
        told = _asked(live, _OF_TABLE, name)
        if told:
            ours, theirs = backup.catalog.tables[name], live.catalog.tables[name]
            # A column whose type changed had the whole table written anew.
            common = [column.name for column in theirs.columns if ours.column(column.name)]
            rewritten = bool(told["rewritten"]) and not changed_types(ours, theirs, common)
            made = _made_anew(ours, theirs, int(told["dropped"]))
        sequence = _set_back(backup, live, name, key)
    except EvidenceError as error:
        unread = error
    return Start(sequence, made, rewritten, unread)


def _asked(side: Source, question: str, name: TableName) -> Mapping[str, Any]:
    """What a database says of a relation; nothing where the side is none.

    Raises:
        LiveError: it does not say.
    """
    from psycopg import sql

    database = as_database(side)
    if database is None:
        return {}
    parts = {"text": sql.Literal(name.sql), "relation": sql.Identifier(*name)}
    rows = database.ask(sql.SQL(question).format(**parts))  # type: ignore[arg-type]
    return rows[0] if rows else {}


def _made_anew(ours: Table, theirs: Table, dropped: int) -> bool | None:
    """Whether columns went without a trace: a dropped one leaves a place, a renamed one its type.

    None where the columns do not tell.
    """
    were, are = stored_columns(ours), stored_columns(theirs)
    gone = Counter(_type(ours, name) for name in were if name not in are)
    fresh = Counter(_type(theirs, name) for name in are if name not in were)
    if not gone:
        return None
    needed = sum((gone - fresh).values())
    if dropped < needed:
        return True
    if dropped >= sum(gone.values()):
        return False
    return None


def _type(table: Table, name: str) -> str:
    column = table.column(name)
    return column.type if column else ""


def _set_back(backup: Source, live: Source, name: TableName, key: tuple[str, ...]) -> str:
    if len(key) != 1:
        return ""
    ours = _sequence(backup.catalog, name, key[0])
    theirs = _sequence(live.catalog, name, key[0])
    if ours is None or theirs is None:
        return ""
    was, now = _stands_at(backup, ours), _stands_at(live, theirs)
    if was is None or now is None or not 0 <= now < was:
        return ""
    return f"its sequence stands at {now:,} and stood at {was:,}"


def _sequence(catalog: Catalog, name: TableName, column: str) -> Sequence | None:
    """The sequence that a column draws from, or None."""
    found = catalog.tables[name].column(column)
    default = (found.default or "") if found else ""
    for sequence in catalog.sequences:
        if sequence.owner == (name, column):
            return sequence
    for sequence in catalog.sequences:
        path = f"{sequence.name.schema}.{sequence.name.table}"
        if f"nextval('{path}'" in default:
            return sequence
    return None


def _stands_at(side: Source, sequence: Sequence) -> int | None:
    """The last value that a sequence gave, 0 for none; None where that is not known."""
    last, called = sequence.last_value, sequence.is_called
    told = _asked(side, _OF_SEQUENCE, sequence.name)
    if told:
        last, called = int(told["last_value"]), bool(told["is_called"])
    if last is None:
        return None
    return last if called else 0
