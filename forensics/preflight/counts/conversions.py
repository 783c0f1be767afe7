"""What a new type does to a column's values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.errors import LiveError
from forensics.evidence import ddl
from forensics.model import quote_identifier as q
from forensics.preflight.counts.converted_keys import references
from forensics.preflight.counts.view import Finding, Subject, View, class_of, words_of
from forensics.preflight.output import Forewarning
from forensics.statements.hazards import Hazard

_CODE = "type-change"
_TEXTS = (
    "text",
    "character varying",
    "character",
    "bpchar",
    "name",
    "json",
    "jsonb",
)
_INTEGERS = {"smallint": 15, "integer": 31, "bigint": 63}
_NUMBERS = (*_INTEGERS, "numeric", "real", "double precision")
_INPUT_IS_VALID = 160000  # the first version with pg_input_is_valid
_BAD_VALUE = "22"  # the class of SQLSTATEs that say a value does not fit


@dataclass(frozen=True)
class Conversion:
    """What ALTER COLUMN … TYPE makes of a column.

    Attributes:
        old, new: the types.
        held: the column, quoted.
        value: what becomes of it.
        read: what a plain cast reads; "" where the value is made in another way.
        rows: the FROM clause of the table.
    """

    old: str
    new: str
    held: str
    value: str
    read: str
    rows: str


def change_type(view: View, subject: Subject) -> Iterator[Finding]:
    """ALTER COLUMN … TYPE: the values that do not fit, or that lose by it."""
    table, column = subject.table, subject.column
    to = _conversion(view, subject)
    broken = _broken(view, subject, to)
    if broken:
        yield broken
        return
    refused = _refused(view, to) if to.read else 0
    if refused:
        says = f"{refused:,} values of {table}.{column} cannot be read as {to.new}"
        yield subject.fails(says, refused)
        return
    back = f"({to.value}::{to.old})::text"
    try:
        lost = view.count(
            f"SELECT count(*) {to.rows} WHERE {to.held} IS NOT NULL "
            f"AND {back} IS DISTINCT FROM {to.held}::text"
        )
    except LiveError as error:
        if class_of(error) != _BAD_VALUE:
            raise
        yield _no_way_back(view, subject, to)
        return
    says = "every value keeps what it says"
    if lost:
        says = f"changes {lost:,} values of {table}.{column} for good"
    yield subject.would(says, lost)


def widenings(view: View, said: Sequence[Forewarning]) -> Iterator[Hazard]:
    """The columns whose new type takes nothing from their values, and which no hazard names."""
    statement = view.statement
    if statement.kind != "alter_table_stmt":
        return
    table = view.standing.name(statement.node.relation)
    known = {w.hazard.column for w in said if w.hazard.code == _CODE}
    virtual = view.tables.get(table)
    for item in statement.node.cmds:
        command = item.alter_table_cmd
        if command.subtype != pb.AT_AlterColumnType or command.name in known:
            continue
        if virtual and command.name in virtual.columns:
            line, text = statement.line, statement.text
            yield Hazard(_CODE, line, text, table, command.name, node=command)


def broken_by(view: View, hazard: Hazard) -> Iterator[Finding]:
    """The foreign key that a new type breaks, or what else holds the column fast."""
    if hazard.table is None or hazard.column is None:
        return
    subject = Subject(hazard, hazard.table, view.tables[hazard.table], hazard.column)
    broken = _broken(view, subject, _conversion(view, subject))
    if broken:
        yield broken


def _broken(view: View, subject: Subject, to: Conversion) -> Finding | None:
    """What keeps a column from having a new type, whatever its values are."""
    standing = view.around.standing_on(subject.table, subject.column)
    if standing:
        few = ", ".join(map(str, standing[:3]))
        return subject.fails(f"fails: {few} refers to it", 0)
    return references(view, subject, to.new, to.value)


def _conversion(view: View, subject: Subject) -> Conversion:
    definition = getattr(subject.hazard.node, "def").column_def
    before = subject.virtual.table.column(subject.column)
    assert before is not None
    new = ddl.format_type(definition.type_name)
    held = q(subject.column)
    value, read = f"{held}::{new}", held
    if definition.HasField("raw_default"):
        using = definition.raw_default
        value, read = f"({view.expressions.expression(using)})", ""
        # A cast to a type with a length cuts off what an assignment would refuse.
        if "(" not in new and _is_cast_to(new, using):
            read = view.expressions.expression(using.type_cast.arg)
    rows = f"FROM {subject.relation} AS {q(subject.table.table)}"
    return Conversion(before.type, new, held, value, read, rows)


def _is_cast_to(kind: str, using: Any) -> bool:
    """Whether an expression is a cast to a type and nothing else."""
    if not using.HasField("type_cast"):
        return False
    return ddl.format_type(using.type_cast.type_name) == kind


def _no_way_back(view: View, subject: Subject, to: Conversion) -> Finding:
    """A value cannot be turned into the old type again.

    Either it cannot even be made, or what it says is another thing.
    """
    try:
        view.count(f"SELECT count(({to.value})::text) {to.rows}")
    except LiveError as error:
        if class_of(error) != _BAD_VALUE:
            raise
        return subject.fails(f"fails: {words_of(error)}", None)
    says = (
        f"turns values of {subject.table}.{subject.column} into what cannot be "
        "turned back; how many lose by it was not counted"
    )
    return subject.would(says, None)


def _refused(view: View, to: Conversion) -> int:
    """How many values a cast refuses, where that can be told without trying."""
    read = f"({to.read})"
    if to.old.startswith(_TEXTS) and view.asking.version >= _INPUT_IS_VALID:
        new = sql.Literal(to.new).as_string(None)
        fits = f"pg_catalog.pg_input_is_valid({read}::text, {new})"
        condition = f"{read} IS NOT NULL AND NOT {fits}"
    elif to.old.startswith(_NUMBERS) and to.new in _INTEGERS:
        top = 2 ** _INTEGERS[to.new]
        condition = f"round({read}::numeric) NOT BETWEEN {-top} AND {top - 1}"
    else:
        return 0
    return view.count(f"SELECT count(*) {to.rows} WHERE {condition}")
