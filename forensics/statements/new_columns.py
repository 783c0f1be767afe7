"""A column that ALTER TABLE … ADD COLUMN adds: what rows that are there get in it."""

from __future__ import annotations

from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.statements.tree import calls, words

_SERIAL = ("serial", "bigserial", "smallserial")


class NewColumn:
    """The column of an ADD COLUMN.

    Attributes:
        name: the column's name.
        not_null: whether it takes no NULL.
        computed: whether each row gets a value of its own, by a sequence or an expression.
        default: the expression of its default, if it has one.
    """

    def __init__(self, command: Any) -> None:
        definition = getattr(command, "def").column_def
        types = set()
        self.name: str = definition.colname
        self.default: Any = None
        for item in definition.constraints:
            types.add(item.constraint.contype)
            if item.constraint.contype == pb.CONSTR_DEFAULT and self.default is None:
                self.default = item.constraint.raw_expr
        last = words(definition.type_name.names)[-1:]
        serial = bool(last) and last[0] in _SERIAL
        self.not_null = not types.isdisjoint({pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY})
        self.computed = serial or not types.isdisjoint({pb.CONSTR_IDENTITY, pb.CONSTR_GENERATED})

    @property
    def filled(self) -> bool:
        """Whether rows that are there get a value."""
        return self.computed or self.default is not None

    @property
    def rewrites(self) -> bool:
        """Whether every row has to be written for it: one value for all is kept apart."""
        return self.computed or (self.default is not None and calls(self.default))
