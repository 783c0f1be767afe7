"""What names say: the words of an identifier, and which table they name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from forensics.model import Catalog

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_]+")
_IDENTITY = {
    "id",
    "ids",
    "uuid",
    "uuids",
    "guid",
    "uid",
    "uids",
    "key",
    "keys",
    "fk",
    "ref",
    "refs",
    "pk",
    "no",
    "oid",
}
_GLUED = ("id", "no", "nr", "num", "number", "ref", "key", "code", "uuid", "guid", "fk")
_SHORTEST = 3  # letters of a name that is glued to one of these
_COUNTING = {
    "count",
    "counter",
    "total",
    "sum",
    "size",
    "length",
    "quantity",
    "qty",
    "amount",
    "score",
}
_INTEGERS = {"smallint", "integer", "bigint"}
_TEXTS = ("text", "character varying", "character", "citext", "name")


def singular(word: str) -> str:
    """Return an English plural's singular, near enough to compare names by."""
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(100_000)
def words(name: str) -> tuple[str, ...]:
    """Return an identifier's words in lower case and singular.

    `CityPlaceIds` and `city_place_ids` are (city, place, id).
    """
    return tuple(singular(word.lower()) for word in _WORD.findall(name))


def stem(column: str) -> tuple[str, ...]:
    """Return the words of a column's name without those that only say that it refers.

    `fk_asset_uuid` is (asset,).
    """
    return tuple(word for word in words(column) if word not in _IDENTITY)


def refers(column: str) -> bool:
    """Whether a column's name says that it refers to something."""
    return not _IDENTITY.isdisjoint(words(column)) and bool(stem(column))


def likeness(column: str, table: str) -> int:
    """Return how well a column's name names a table.

    Returns:
        3 exactly, 2 with a role or a prefix, 1 by its last word, 0 not at all.
    """
    ours, theirs = stem(column), words(table)
    if not ours or not theirs:
        return 0
    if ours == theirs:
        return 3
    if ours[-len(theirs) :] == theirs or theirs[-len(ours) :] == ours:
        return 2
    return int(ours[-1] == theirs[-1])


def glued(column: str, table: str, key: str) -> bool:
    """Whether a column's name is a table's with an ending that refers, or its key's, in one word.

    `customerno` is, for `customers`; so is `custid` for a table whose key is called so.
    """
    long = glued_stems(column)
    if not long:
        return False
    if words(key) == words(column):
        return True
    return not long.isdisjoint(("".join(words(table)), table.lower().replace("_", "")))


@lru_cache(maxsize=4096)
def glued_stems(column: str) -> frozenset[str]:
    """What a name in one word may name: what stands before an ending that refers."""
    said = words(column)
    if len(said) != 1:
        return frozenset()
    found = set()
    for ending in _GLUED:
        stem = said[0].removesuffix(ending)
        if stem != said[0] and len(stem) >= _SHORTEST:
            found.add(stem)
    return frozenset(found)


def family(type_name: str, catalog: Catalog) -> str:
    """Return what values of a type can equal those of another.

    Returns:
        "integer", "text", or the type's own name.
    """
    seen = set()
    while type_name in catalog.domains and type_name not in seen:
        seen.add(type_name)
        type_name = catalog.domains[type_name]
    return _family_of(type_name)


@lru_cache(maxsize=4096)
def _family_of(type_name: str) -> str:
    base = re.sub(r"\(.*?\)", "", type_name).strip()
    if base in _INTEGERS:
        return "integer"
    if base in _TEXTS:
        return "text"
    return base


def counts(label: str) -> bool:
    """Whether a name says how many, not which."""
    return not _COUNTING.isdisjoint(words(label))


def related(label: str, within: Iterable[str], meant: set[str]) -> bool:
    """Whether a place's name names what is looked for.

    Args:
        label: the column's name, or the JSON key's.
        within: the names of what the label stands in, innermost first.
        meant: words that name what is looked for.
    """
    if counts(label):
        return False
    own = stem(label)
    if own:
        return not meant.isdisjoint(own)
    return any(not meant.isdisjoint(stem(name)) for name in within)
