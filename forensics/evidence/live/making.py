"""When and by which transactions a database's tables were made, as far as its catalogue says.

It tells a schema that was made anew from tables that were emptied. Each question stands for itself:
what the role may not ask, or the version does not know, is unknown, and nothing else fails for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from forensics.errors import LiveError, OutdatedError, is_lost

Row = Mapping[str, Any]
Ask = Callable[[str], Iterable[Row]]

# By question, the columns that it adds to what `made` says of each table or sequence.
_ADDED = {
    "commits": ("committed",),
    "files": ("modified",),
    "statistics": ("inserted", "deleted", "tended"),
    "sequences": ("step", "last_value"),
    "unused": ("together",),
}


def read_making(ask: Ask) -> dict[str, Any] | None:
    """Return what is known of the making of a database's tables and sequences.

    Args:
        ask: returns the answer to `queries/NAME.sql`.

    Returns:
        `relations`, each with `schema`, `name`, `kind`, `oid`, `first_file`, `transaction`, `age`
        (in transactions) and what the other questions added; `counted_since`, which is when its
        statistics began; and in `refused`, by question, why it was not answered. None where not
        even the catalogue could be read, or a standby that has to replay was in the way.

    Raises:
        LiveError: the database was lost.
    """
    try:
        return _read(ask)
    except OutdatedError:
        return None  # whoever reads rows next takes a later snapshot


def _read(ask: Ask) -> dict[str, Any] | None:
    refused: dict[str, str] = {}
    relations: dict[tuple[str, str], dict[str, Any]] = {}
    for row in _answers(ask, "made", refused):
        relations[row["schema"], row["name"]] = dict(row)
    if refused:
        return None
    since = None
    for name, columns in _ADDED.items():
        for row in _answers(ask, f"made_{name}", refused):
            since = row.get("counted_since", since)
            added = {column: row[column] for column in columns}
            relations.get((row["schema"], row["name"]), {}).update(added)
    for row in _answers(ask, "made_subscribed", refused):
        relations.get((row["schema"], row["name"]), {})["subscribed"] = True
    return {
        "relations": list(relations.values()),
        "counted_since": since,
        "refused": refused,
    }


def _answers(ask: Ask, name: str, refused: dict[str, str]) -> list[Row]:
    try:
        return list(ask(name))
    except LiveError as error:
        if is_lost(error):
            raise
        refused[name.removeprefix("made_")] = error.message
        return []
