"""What stands around live's tables, and is met or set off by a statement that names only them.

Views and rules that hold a table fast, triggers, functions, owners, types of extensions, constraints that have yet to look at
the rows. Each is asked for once, when it is first needed; `advance` keeps what the statements before have changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.statements.hazards import Hazard, resolve

_EVENT_BITS = {
    4: "insert",
    8: "delete",
    16: "update",
    32: "truncate",
}  # as pg_trigger.tgtype has them
_BESIDE = (
    pb.OBJECT_VIEW,
    pb.OBJECT_MATVIEW,
    pb.OBJECT_RULE,
    pb.OBJECT_TRIGGER,
    pb.OBJECT_FUNCTION,
    pb.OBJECT_PROCEDURE,
    pb.OBJECT_ROUTINE,
)


@dataclass(frozen=True)
class Dependent:
    """What has to go before a table or column can: a view, a function, or a rule of the table `name`."""

    kind: str
    name: TableName

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Beside:
    """A trigger or a rule, and the events (insert, update, delete, truncate) that set it off.

    `definition` is the CREATE FUNCTION of what a trigger runs, or the CREATE RULE.
    """

    name: str
    events: tuple[str, ...]
    definition: str


def table_bytes(live: LiveSource) -> dict[TableName, int]:
    """How large live's tables are, in bytes, their indexes and toasted values included; a partitioned one with its partitions.

    Raises:
        LiveError: live does not answer.
    """
    return {
        TableName(r["schema"], r["table"]): int(r["bytes"] or 0) for r in _answer(live, "sizes")
    }


def _answer(live: LiveSource, query: str) -> list[dict[str, Any]]:
    """The rows that `queries/QUERY.sql` gives."""
    text = (
        resources.files("forensics.preflight")
        .joinpath("queries", f"{query}.sql")
        .read_text(encoding="utf-8")
    )
    return live.ask(sql.SQL(text))  # type: ignore[arg-type]


class Surroundings:
    """What stands around the tables of a database, as it would stand after some statements.

    Args:
        live: the database, under its snapshot.

    Whatever is asked raises LiveError where live does not answer.
    """

    def __init__(self, live: LiveSource) -> None:
        self._live = live
        self._gone: set[Dependent] = set()
        self._silent: set[tuple[TableName, str]] = set()

    # --- what is there -----------------------------------------------------------------------------

    @cached_property
    def sizes(self) -> dict[TableName, int]:
        """As `table_bytes`."""
        return table_bytes(self._live)

    @cached_property
    def functions(self) -> dict[str, list[str]]:
        """By name without schema, the CREATE FUNCTION of each function that may change rows."""
        found: dict[str, list[str]] = {}
        for r in _answer(self._live, "functions"):
            found.setdefault(r["name"], []).append(r["definition"])
        return found

    @cached_property
    def owned(self) -> list[tuple[str, TableName]]:
        """Every table with the role that owns it."""
        return [
            (r["role"], TableName(r["schema"], r["table"])) for r in _answer(self._live, "owned")
        ]

    @cached_property
    def of_extensions(self) -> list[tuple[str, TableName, str | None]]:
        """Extensions with the columns that are of a type of theirs, and with the tables that they made (column None)."""
        return [
            (r["extension"], TableName(r["schema"], r["table"]), r["column"])
            for r in _answer(self._live, "extension_columns")
        ]

    @cached_property
    def unvalidated(self) -> dict[tuple[TableName, str], Any]:
        """By table and name, the parsed constraints that are NOT VALID; foreign keys, which the catalogue has, are left out."""
        found = {}
        for r in _answer(self._live, "unvalidated"):
            tree = (
                postgast.parse(f"ALTER TABLE t ADD {r['definition']}")
                .stmts[0]
                .stmt.alter_table_stmt
            )
            found[TableName(r["schema"], r["table"]), r["name"]] = getattr(
                tree.cmds[0].alter_table_cmd, "def"
            ).constraint
        return found

    @cached_property
    def _beside(self) -> dict[TableName, list[Beside]]:
        found: dict[TableName, list[Beside]] = {}
        for r in _answer(self._live, "triggers"):
            found.setdefault(TableName(r["schema"], r["table"]), []).append(
                Beside(r["name"], tuple(r["events"]), r["definition"])
            )
        return found

    @cached_property
    def _dependents(self) -> dict[tuple[TableName, str | None], list[Dependent]]:
        found: dict[tuple[TableName, str | None], list[Dependent]] = {}
        for r in _answer(self._live, "dependents"):
            one = Dependent(r["kind"], TableName(r["by_schema"], r["by_table"]))
            for column in {r["column"], None}:
                held = found.setdefault((TableName(r["schema"], r["table"]), column), [])
                held += [one] * (one not in held)
        return found

    def standing_on(self, name: TableName, column: str | None = None) -> list[Dependent]:
        """The views, rules and functions that stand on a table or a column, and that no statement has dropped."""
        return [d for d in self._dependents.get((name, column), ()) if d not in self._gone]

    def set_off(self, name: TableName, event: str) -> list[Beside]:
        """The triggers and rules that an event sets off on a table, without those that a statement has dropped or disabled."""
        silent = {n for t, n in self._silent if t == name}
        return [
            b
            for b in self._beside.get(name, ())
            if event in b.events and not silent & {b.name, "all"}
        ]

    # --- statements --------------------------------------------------------------------------------

    def advance(
        self,
        statement: Statement,
        hazards: Sequence[Hazard],
        path: Sequence[str],
        tables: Mapping[TableName, Any],
    ) -> None:
        """Take a statement as done.

        Args:
            hazards: its own.
            path: the schemas in which names are looked for.
            tables: the tables before it.
        """
        node = statement.node
        if statement.kind == "create_function_stmt":
            self.functions[node.funcname[-1].string.sval] = [statement.text]
        elif statement.kind == "create_trig_stmt":
            events = tuple(event for bit, event in _EVENT_BITS.items() if node.events & bit)
            made = [
                Beside(f"trigger {node.trigname}", events, text)
                for text in self.functions.get(node.funcname[-1].string.sval, ())
            ]
            name = resolve(node.relation.schemaname, node.relation.relname, path, tables)
            self._silent.discard((name, f"trigger {node.trigname}"))
            self._beside[name] = [
                *(b for b in self._beside.get(name, ()) if b.name != f"trigger {node.trigname}"),
                *made,
            ]
        elif statement.kind == "drop_stmt" and node.remove_type in _BESIDE:
            for item in node.objects:
                self._drop(node.remove_type, item, path, tables)
        for hazard in hazards:
            if hazard.table and hazard.cascade and not hazard.within:
                self._cascade(hazard.table, hazard.column)
            if (
                hazard.table
                and hazard.code in ("drop-table", "drop-schema", "drop-cascade")
                and not hazard.column
            ):
                self._gone |= {d for d in self._all if d.name == hazard.table}  # its own rules
        if statement.kind == "do_stmt" and "drop" in statement.text.lower():
            # Which of them it drops is not followed; to hold that they are there would hide what goes with the table.
            self._gone |= self._all
        elif statement.kind == "rename_stmt":
            self._rename(
                node, resolve(node.relation.schemaname, node.relation.relname, path, tables)
            )
        elif statement.kind == "alter_table_stmt":
            self._switch(
                resolve(node.relation.schemaname, node.relation.relname, path, tables), node.cmds
            )

    @property
    def _all(self) -> set[Dependent]:
        return {d for held in self._dependents.values() for d in held}

    def _drop(
        self, kind: int, item: Any, path: Sequence[str], tables: Mapping[TableName, Any]
    ) -> None:
        names = [n.string.sval for n in item.list.items or item.object_with_args.objname]
        of_table = [names.pop()] if kind in (pb.OBJECT_RULE, pb.OBJECT_TRIGGER) else []
        there = tables if of_table else {d.name for d in self._all}
        name = resolve(names[-2] if len(names) > 1 else "", names[-1], path, there)
        if kind == pb.OBJECT_TRIGGER:
            self._silent.add((name, f"trigger {of_table[0]}"))
        elif kind == pb.OBJECT_RULE:
            self._silent.add((name, f"rule {of_table[0]}"))
            self._gone.add(Dependent(f"rule {of_table[0]} on", name))
        else:
            self._gone |= {d for d in self._all if d.name == name and not d.kind.startswith("rule")}
            # Without CASCADE nothing stood on it; with it, that went too.
            self._cascade(name)

    def _rename(self, node: Any, name: TableName) -> None:
        """What stands on a table or a column goes on standing on it, and its triggers stay with it."""
        moved = (
            {name: TableName(name.schema, node.newname)}
            if node.rename_type == pb.OBJECT_TABLE
            else {}
        )
        if node.rename_type in (
            pb.OBJECT_VIEW,
            pb.OBJECT_MATVIEW,
        ):  # what becomes of it under its new name is not followed
            self._gone |= {d for d in self._all if d.name == name}
            self._cascade(name)
        columns = (
            {(name, node.subname): node.newname} if node.rename_type == pb.OBJECT_COLUMN else {}
        )
        self._dependents = {
            (moved.get(t, t), columns.get((t, c or ""), c)): held
            for (t, c), held in self._dependents.items()
        }
        self._beside = {moved.get(t, t): held for t, held in self._beside.items()}
        self._silent = {(moved.get(t, t), n) for t, n in self._silent}

    def _cascade(self, name: TableName, column: str | None = None) -> None:
        for one in self.standing_on(name, column):
            self._gone.add(one)
            if not one.kind.startswith("rule"):
                self._cascade(one.name)

    def _switch(self, name: TableName, commands: Sequence[Any]) -> None:
        """ALTER TABLE … DISABLE or ENABLE TRIGGER."""
        for command in (c.alter_table_cmd for c in commands):
            if command.subtype in (pb.AT_DisableTrigAll, pb.AT_DisableTrigUser):
                self._silent.add((name, "all"))
            elif command.subtype in (pb.AT_EnableTrigAll, pb.AT_EnableTrigUser):
                self._silent = {(t, n) for t, n in self._silent if t != name}
            elif command.subtype in (pb.AT_DisableTrig, pb.AT_DisableRule):
                self._silent.add(
                    (
                        name,
                        f"{'rule' if command.subtype == pb.AT_DisableRule else 'trigger'} {command.name}",
                    )
                )
            elif command.subtype in (
                pb.AT_EnableTrig,
                pb.AT_EnableRule,
                pb.AT_EnableAlwaysTrig,
                pb.AT_EnableAlwaysRule,
            ):
                self._silent -= {(name, f"{kind} {command.name}") for kind in ("rule", "trigger")}
