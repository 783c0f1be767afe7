"""Triggers and rules, which run beside a statement that writes to their table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.preflight.surroundings.questions import Beside, beside

# As pg_trigger.tgtype has them.
_EVENT_BITS = {
    4: "insert",
    8: "delete",
    16: "update",
    32: "truncate",
}
_ALL_OFF = (pb.AT_DisableTrigAll, pb.AT_DisableTrigUser)
_ALL_ON = (pb.AT_EnableTrigAll, pb.AT_EnableTrigUser)
_ONE_ON = (
    pb.AT_EnableTrig,
    pb.AT_EnableRule,
    pb.AT_EnableAlwaysTrig,
    pb.AT_EnableAlwaysRule,
)
_ALL = "all"


class Triggers:
    """The triggers and rules of tables, as they would stand after some statements.

    Args:
        live: the database; it is asked when something is first needed.
    """

    def __init__(self, live: LiveSource) -> None:
        self._live = live
        self._silent: set[tuple[TableName, str]] = set()

    @cached_property
    def _by_table(self) -> dict[TableName, list[Beside]]:
        return beside(self._live)

    def set_off(self, name: TableName, event: str) -> list[Beside]:
        """Those that an event sets off on a table, and that are neither dropped nor disabled."""
        if (name, _ALL) in self._silent:
            return []
        found = []
        for one in self._by_table.get(name, ()):
            if event in one.events and (name, one.name) not in self._silent:
                found.append(one)
        return found

    def create(self, name: TableName, node: Any, functions: Sequence[str]) -> None:
        """CREATE TRIGGER on a table; it takes the place of one of its name.

        Args:
            functions: the definitions of those that it may run.
        """
        trigger = f"trigger {node.trigname}"
        events = tuple(event for bit, event in _EVENT_BITS.items() if node.events & bit)
        kept = [b for b in self._by_table.get(name, ()) if b.name != trigger]
        for definition in functions:
            kept.append(Beside(trigger, events, definition))
        self._by_table[name] = kept
        self._silent.discard((name, trigger))

    def drop(self, name: TableName, one: str) -> None:
        """Drop a trigger or a rule of a table."""
        self._silent.add((name, one))

    def rename_table(self, name: TableName, new: TableName) -> None:
        """A table's triggers and rules stay with it."""
        moved = {}
        for table, held in self._by_table.items():
            if table == name:
                table = new
            moved[table] = held
        self._by_table = moved
        silent = set()
        for table, one in self._silent:
            if table == name:
                table = new
            silent.add((table, one))
        self._silent = silent

    def switch(self, name: TableName, commands: Sequence[Any]) -> None:
        """ALTER TABLE … DISABLE or ENABLE TRIGGER."""
        for item in commands:
            command = item.alter_table_cmd
            kind = command.subtype
            if kind in _ALL_OFF:
                self._silent.add((name, _ALL))
            elif kind in _ALL_ON:
                self._silent = {(t, one) for t, one in self._silent if t != name}
            elif kind == pb.AT_DisableTrig:
                self._silent.add((name, f"trigger {command.name}"))
            elif kind == pb.AT_DisableRule:
                self._silent.add((name, f"rule {command.name}"))
            elif kind in _ONE_ON:
                self._silent.discard((name, f"trigger {command.name}"))
                self._silent.discard((name, f"rule {command.name}"))
