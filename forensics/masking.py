"""What of a row may be seen in a report that leaves the house.

Unless asked not to, values are masked: of a label its first letter and its length are shown, of any other value that it
is there. Shown as they are: NULL, true and false, the order and times of a link, and keys that say nothing about
anybody (numbers that a sequence gave, UUIDs, and random ids such as cuid, ULID and Nano ID), because without
them nobody finds a row again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from forensics.loss.junctions import find_junctions
from forensics.model import Catalog, Column, Table, TableName
from forensics.text import first_letter

MARK = "•••"
_INTEGERS = ("smallint", "integer", "bigint")
_ID_NAME = re.compile(r"(?:^|_)id$|[a-z]Id$|^ID$")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z", re.I)
_RANDOM = re.compile(r"(?:[a-z]{2,8}_)?(?P<body>[A-Za-z0-9]{16,64})\Z")
_TURN = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
# A random text under such a name opens a door.
_SECRET = re.compile(
    r"session|token|secret|passw|api_?key|credential|invit|reset|verif|nonce|otp", re.I
)
_QUOTED_KEY = re.compile(r"=\(.*?\)(?= |\.|;|$)", re.S)
_QUOTED_VALUE = re.compile(r': ".*"', re.S)
_LITERAL = re.compile(
    r"[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.S
)

Show = Callable[[str | None], str | None]


def random_id(value: str) -> bool:
    """Whether a text looks drawn at random: a UUID, or a long run of letters and digits well mixed.

    Account and card numbers (all digits, or nearly) and words are none.
    """
    if _UUID.match(value):
        return True
    found = _RANDOM.match(value)
    if not found:
        return False
    body = found["body"]
    share = sum(c.isalpha() for c in body) / len(body)
    return (
        0.3 <= share <= 0.95
        and len(set(body)) >= 8
        and len(_TURN.findall(body)) >= 4
        and not value[:2].isupper()
    )


class Mask:
    """Decides what of a row is shown.

    Args:
        catalog: the schema of the rows.
        on: False shows everything.
    """

    def __init__(self, catalog: Catalog, *, on: bool = True) -> None:
        self.on = on
        self._catalog = catalog
        self._junctions = find_junctions(catalog)

    def label(self, text: str | None) -> str | None:
        """A row's human name: its first letter and its length, enough to tell rows of one list apart."""
        if text is None or not self.on:
            return text
        if len(text) < 4:
            return MARK
        return f"{first_letter(text)}••• ({len(text)} characters)"

    def columns(self, name: TableName, columns: tuple[str, ...]) -> Mapping[str, Show]:
        """For each column of a table, how one of its values is shown."""
        if not self.on:
            return dict.fromkeys(columns, _as_it_is)
        table = self._catalog.tables.get(name)
        return {c: self._show(table, c) if table else _mark for c in columns}

    def _show(self, table: Table, name: str) -> Show:
        column = table.column(name)
        if column is None:
            return _mark
        if column.type == "boolean" or self._surrogate(table, column):
            return _as_it_is
        if self._identifies(table, name):
            return _mark if _SECRET.search(f"{table.name.table} {name}") else _random_or_mark
        of_a_link = table.name in self._junctions and column.type.startswith(
            (*_INTEGERS, "timestamp", "date")
        )
        return _as_it_is if of_a_link else _mark

    def _surrogate(self, table: Table, column: Column, depth: int = 0) -> bool:
        """Whether a column holds numbers that a sequence gave: its own, or those of the row that it refers to."""
        if column.type not in _INTEGERS:
            return False
        drawn = column.identity or "nextval(" in (column.default or "")
        if self._primary(table, column.name) and (drawn or _ID_NAME.search(column.name)):
            return True
        for key in table.foreign_keys:
            parent = self._catalog.tables.get(key.parent)
            if column.name in key.columns and parent and depth < 4:
                referred = parent.column(key.parent_columns[key.columns.index(column.name)])
                if referred and self._surrogate(parent, referred, depth + 1):
                    return True
        return False

    def _primary(self, table: Table, column: str) -> bool:
        return bool(table.primary_key and column in table.primary_key.columns)

    def _identifies(self, table: Table, column: str) -> bool:
        """Whether a column is of the primary key or refers to a row: other unique columns are e-mail addresses and the like."""
        referring = [f.columns for f in table.foreign_keys] + [
            p.columns for p in self._junctions.get(table.name, ())
        ]
        return self._primary(table, column) or any(column in columns for columns in referring)

    def sql(self, text: str) -> str:
        """A statement; what it writes or asks for between quotes is masked, because it may be somebody's."""
        if not self.on or not re.match(
            r"\s*(insert|update|delete|merge|with|copy|values)\b", text, re.I
        ):
            return text
        return _LITERAL.sub(f"'{MARK}'", text)

    def sentence(self, text: str | None) -> str | None:
        """A server's words: it quotes keys and values in them, `Key (email)=(…)` and `invalid input syntax for type integer: "…"`."""
        if text is None or not self.on:
            return text
        return _QUOTED_KEY.sub(f"=({MARK})", _QUOTED_VALUE.sub(f': "{MARK}"', text))


def _as_it_is(value: str | None) -> str | None:
    return value


def _mark(value: str | None) -> str | None:
    return None if value is None else MARK


def _random_or_mark(value: str | None) -> str | None:
    return value if value is None or random_id(value) else MARK
