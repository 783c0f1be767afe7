"""What goes that a statement does not name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from postgast import pg_query_pb2 as pb

from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, View
from forensics.statements.hazards import Hazard


def cascade(view: View, hazard: Hazard) -> Iterator[Finding]:
    """What CASCADE takes: whole tables, or the foreign keys that refer to an object."""
    node = hazard.node
    kind = node.DESCRIPTOR.name
    if kind == "DropdbStmt":
        says = (
            f"drops the database {node.dbname} with everything in it; what that is was not counted"
        )
        yield Finding(hazard, None, says)
    elif kind == "DropOwnedStmt":
        yield from _drop_owned(view, hazard)
    elif kind == "DropStmt" and node.remove_type == pb.OBJECT_EXTENSION:
        yield from _drop_extension(view, hazard)
    else:
        yield _on_tables(view, hazard)


def _on_tables(view: View, hazard: Hazard) -> Finding:
    """What CASCADE takes of one table: its rows, or the foreign keys that refer to it."""
    virtual = view.table(hazard)
    kind = hazard.node.DESCRIPTOR.name
    if virtual and kind == "TruncateStmt":
        rows = view.rows(virtual)
        says = f"CASCADE empties {hazard.table} too: {rows:,} rows"
        return Finding(hazard, rows, says)
    if virtual and kind == "DropStmt":
        named = view.named(hazard, "drop-table")
        if hazard.table not in named:
            rows = view.rows(virtual)
            says = f"CASCADE drops {hazard.table} too, which inherits: {rows:,} rows"
            return Finding(hazard, rows, says)
    says = ""
    if hazard.table:
        referring = ", ".join(map(str, view.referring(hazard.table)[:3]))
        if referring:
            says = f"CASCADE drops foreign keys of {referring}"
    return Finding(hazard, 0, says, destroys=False)


def _drop_owned(view: View, hazard: Hazard) -> Iterator[Finding]:
    """The tables of roles."""
    roles = {r.role_spec.rolename for r in hazard.node.roles}
    if "" in roles:  # CURRENT_USER and its like: who will run it is not known here
        says = (
            "drops all that its role owns; which role will run it is not known, "
            "and nothing was counted"
        )
        yield Finding(hazard, None, says)
    for role, name in view.around.owned:
        virtual = view.tables.get(name)
        if role in roles and virtual:
            rows = view.rows(virtual)
            says = f"drops {rows:,} rows of {name}, which {role} owns"
            yield Finding(replace(hazard, table=name), rows, says)


def _drop_extension(view: View, hazard: Hazard) -> Iterator[Finding]:
    """Columns of an extension's types, and its own tables, go with it."""
    names = {i.string.sval for i in hazard.node.objects}
    for extension, name, column in view.around.of_extensions:
        virtual = view.tables.get(name)
        if extension not in names or virtual is None:
            continue
        if column and column not in virtual.columns:
            continue
        one = replace(hazard, table=name, column=column)
        counted = q(column) if column else "*"
        rows = view.count(f"SELECT count({counted}) FROM {virtual.relation} AS t")
        if not column:
            says = f"drops {rows:,} rows of {name}, a table of extension {extension}"
            yield Finding(one, rows, says)
            continue
        of_type = f"is of a type of extension {extension}"
        if hazard.cascade:
            says = f"drops {rows:,} values of {name}.{column}, which {of_type}"
            yield Finding(one, rows, says)
        else:
            says = f"fails: {name}.{column} {of_type}"
            yield Finding(one, rows, says, fails=True)
