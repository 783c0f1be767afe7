"""Lines of SQL that several kinds of statements are rewritten with."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.evidence.migrations import Statement
from forensics.model import TableName, quote_identifier
from forensics.recovery.write.sqltext import (
    array,
    comment,
    sql_names,
    tag_for,
    template,
)

_LONGEST_NAME = 63


def as_written(statement: Statement) -> str:
    """A statement as it stands in the original."""
    return f"{statement.text.rstrip(';')};"


def drop_constraint(table: TableName, name: str) -> str:
    """What drops a constraint that may be gone already."""
    quoted = quote_identifier(name)
    return f"ALTER TABLE {table.sql} DROP CONSTRAINT IF EXISTS {quoted};"


def drop_default(table: TableName, column: str) -> str:
    """What drops the default of a column."""
    quoted = quote_identifier(column)
    return f"ALTER TABLE {table.sql} ALTER COLUMN {quoted} DROP DEFAULT;"


def drop_views(tables: Iterable[TableName]) -> str:
    """What drops the views of tables, as the original does: a parked table would keep them."""
    names = array(sql_names(sorted(tables)))
    body = template("drop_views").rstrip("\n").replace("{tables}", names)
    text = f"\n{body} "
    tag = tag_for(text)
    return f"DO {tag}{text}{tag};"


def cut(name: str, most: int = _LONGEST_NAME) -> str:
    """A name as PostgreSQL would cut it: by bytes, and never within a character."""
    return name.encode()[:most].decode(errors="ignore")


def numbered(name: str, number: int) -> str:
    """A name with a number at its end, cut so that both are left."""
    return f"{cut(name, _LONGEST_NAME - 4)}_{number}"


def inside(text: object) -> str:
    """Text for use within a string of RAISE: its format signs and quotes doubled."""
    return comment(text).replace("%", "%%").replace("'", "''")
