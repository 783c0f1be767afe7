"""When and by which transactions a database's tables were made, as far as its catalogue says.

It tells a schema that was made anew from tables that were emptied. Each question stands for itself:
what the role may not ask, or the version does not know, is unknown, and nothing else fails for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forensics.errors import LiveError

Row = Mapping[str, Any]
Ask = Callable[[str], Iterable[Row]]

# By question, the columns that it adds to what `made` says of each table or sequence.
_ADDED = {
    "commits": ("committed",),
    "files": ("modified",),
    "statistics": ("inserted", "deleted", "tended"),
    "sequences": ("step", "last_value"),
}
_MARKED = {"unused": "never_used", "subscribed": "subscribed"}


def read_making(ask: Ask) -> dict[str, Any] | None:
    """Return what is known of the making of a database's tables and sequences.

    Args:
        ask: returns the answer to `queries/NAME.sql`, or raises LiveError and goes on.

    Returns:
        `relations`, each with `schema`, `name`, `kind`, `oid`, `first_file`, `transaction`, `age`
        (in transactions) and what the other questions added; `schemas` by their ids; the id of the
        `database`; `counted_since`, which is when its statistics began; and in `refused`, by
        question, why it was not answered. None where not even the catalogue could be read.
    """
    refused: dict[str, str] = {}
    relations: dict[tuple[str, str], dict[str, Any]] = {}
    for row in _answers(ask, "made", refused):
        relations[row["schema"], row["name"]] = dict(row)
    if refused:
        return None
    database = None
    for relation in relations.values():
        database = relation.pop("database")
    schemas = {row["schema"]: row["oid"] for row in _answers(ask, "made_schemas", refused)}
    since = None
    for name, columns in _ADDED.items():
        for row in _answers(ask, f"made_{name}", refused):
            since = row.get("counted_since", since)
            added = {column: row[column] for column in columns}
            relations.get((row["schema"], row["name"]), {}).update(added)
    for name, mark in _MARKED.items():
        for row in _answers(ask, f"made_{name}", refused):
            relations.get((row["schema"], row["name"]), {})[mark] = True
    return {
        "relations": list(relations.values()),
        "schemas": schemas,
        "database": database,
        "counted_since": since,
        "refused": refused,
    }


def _answers(ask: Ask, name: str, refused: dict[str, str]) -> list[Row]:
    try:
        return list(ask(name))
    except LiveError as error:
        refused[name.removeprefix("made_")] = error.message
        return []
