"""What live's catalogue says of what stands around its tables: a question a file in `queries`.

Each function raises LiveError where live does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

import postgast
from psycopg import sql

from forensics.evidence.live.source import LiveSource
from forensics.model import TableName


@dataclass(frozen=True)
class Dependent:
    """What has to go before a table or column can: a view, function, or rule of `name`."""

    kind: str
    name: TableName

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Beside:
    """A trigger or a rule, and what sets it off.

    Attributes:
        name: "trigger" or "rule", and its name.
        events: insert, update, delete, truncate.
        definition: the CREATE FUNCTION of what a trigger runs, or the CREATE RULE.
    """

    name: str
    events: tuple[str, ...]
    definition: str


# A table, or a column of it.
Place = tuple[TableName, str | None]


def table_bytes(live: LiveSource) -> dict[TableName, int]:
    """How large live's tables are, in bytes.

    Indexes and toasted values are included, and of a partitioned table its partitions.

    Raises:
        LiveError: live does not answer.
    """
    rows = _answer(live, "sizes")
    return {_table(row): int(row["bytes"] or 0) for row in rows}


def functions(live: LiveSource) -> dict[str, list[str]]:
    """By name without schema, the CREATE FUNCTION of each function that may change rows."""
    found: dict[str, list[str]] = {}
    for row in _answer(live, "functions"):
        found.setdefault(row["name"], []).append(row["definition"])
    return found


def owned(live: LiveSource) -> list[tuple[str, TableName]]:
    """Every table with the role that owns it."""
    return [(row["role"], _table(row)) for row in _answer(live, "owned")]


def of_extensions(live: LiveSource) -> list[tuple[str, TableName, str | None]]:
    """Extensions with the columns that are of a type of theirs.

    Tables that they made are among them, the column None.
    """
    found = []
    for row in _answer(live, "extension_columns"):
        found.append((row["extension"], _table(row), row["column"]))
    return found


def unvalidated(live: LiveSource) -> dict[tuple[TableName, str], Any]:
    """By table and name, the parsed constraints that are NOT VALID.

    Foreign keys, which the catalogue has, are left out.
    """
    found = {}
    for row in _answer(live, "unvalidated"):
        tree = postgast.parse(f"ALTER TABLE t ADD {row['definition']}")
        (command,) = tree.stmts[0].stmt.alter_table_stmt.cmds
        constraint = getattr(command.alter_table_cmd, "def").constraint
        found[_table(row), row["name"]] = constraint
    return found


def beside(live: LiveSource) -> dict[TableName, list[Beside]]:
    """By table, its triggers and rules."""
    found: dict[TableName, list[Beside]] = {}
    for row in _answer(live, "triggers"):
        one = Beside(row["name"], tuple(row["events"]), row["definition"])
        found.setdefault(_table(row), []).append(one)
    return found


def dependents(live: LiveSource) -> dict[Place, list[Dependent]]:
    """By table, and by column of it, the views, rules and functions that stand on it."""
    found: dict[Place, list[Dependent]] = {}
    for row in _answer(live, "dependents"):
        name = TableName(row["by_schema"], row["by_table"])
        one = Dependent(row["kind"], name)
        for column in {row["column"], None}:
            held = found.setdefault((_table(row), column), [])
            if one not in held:
                held.append(one)
    return found


def names(
    live: LiveSource,
) -> Iterator[tuple[str, str, str, str, TableName | None, list[str]]]:
    """Names that are taken: space, schema, name, kind, and the table and columns they go with."""
    for row in _answer(live, "names"):
        table = None
        if row["of_table"] is not None:
            table = TableName(row["of_schema"], row["of_table"])
        yield row["space"], row["schema"], row["name"], row["kind"], table, row["columns"]


def _table(row: dict[str, Any]) -> TableName:
    return TableName(row["schema"], row["table"])


def _answer(live: LiveSource, query: str) -> list[dict[str, Any]]:
    """The rows that `queries/QUERY.sql` gives."""
    folder = resources.files("forensics.preflight").joinpath("queries")
    text = folder.joinpath(f"{query}.sql").read_text(encoding="utf-8")
    return live.ask(sql.SQL(text))  # type: ignore[arg-type]
