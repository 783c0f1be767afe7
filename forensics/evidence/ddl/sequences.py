"""Statements that define sequences and say where they stand."""

from __future__ import annotations

from typing import Any

from forensics.evidence.ddl.draft import Draft, names_of
from forensics.evidence.names import folded_parts, split_qualified
from forensics.model import TableName


def create_sequence(draft: Draft, statement: Any) -> None:
    """CREATE SEQUENCE."""
    draft.edit_sequence(draft.name(statement.sequence))
    alter_sequence(draft, statement)


def alter_sequence(draft: Draft, statement: Any) -> None:
    """ALTER SEQUENCE … OWNED BY."""
    name = draft.name(statement.sequence)
    for node in statement.options:
        if node.def_elem.defname != "owned_by":
            continue
        path = names_of(node.def_elem.arg.list.items)
        if len(path) >= 2:  # one part is NONE
            draft.edit_sequence(name, owner=(draft.qualified(path[:-1]), path[-1]))


def select(draft: Draft, statement: Any) -> None:
    """SELECT setval(…)."""
    for target in statement.target_list:
        call = target.res_target.val.func_call
        if names_of(call.funcname)[-1:] == ("setval",) and len(call.args) >= 2:
            _set_value(draft, call.args)


def _set_value(draft: Draft, arguments: Any) -> None:
    number = arguments[1].a_const
    name = _sequence(draft, arguments[0])
    if name is None or not arguments[1].HasField("a_const"):
        return  # worked out when it is run (max(id)): it is not run here
    value = int(number.ival.ival)
    if number.HasField("fval"):  # what is too long for an integer of the grammar
        value = int(number.fval.fval)
    called = True
    if len(arguments) > 2:
        called = arguments[2].a_const.boolval.boolval
    draft.edit_sequence(name, last_value=value, is_called=called)


def _sequence(draft: Draft, argument: Any) -> TableName | None:
    """The sequence that an argument names: by itself, or as 8.x did, by the column it is for."""
    if argument.a_const.HasField("sval"):
        return draft.qualified(split_qualified(argument.a_const.sval.sval))
    call = argument.func_call
    if names_of(call.funcname)[-1:] != ("pg_get_serial_sequence",) or len(call.args) != 2:
        return None
    table, column = (part.a_const.sval.sval for part in call.args)
    if not table or not column:
        return None
    owner = draft.qualified(folded_parts(table)), column
    for sequence in draft.sequences.values():
        if sequence.owner == owner:
            return sequence.name
    return None
