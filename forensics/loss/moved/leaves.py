"""Values taken apart into what they hold: elements of arrays, keys and values of JSON.

Each query gives the fields of the holder's key (k0, …), `token` (the leaf as text),
`label` (its path in JSON), `within` (the path of its object) and `spot` (its place in
the value).
"""

from __future__ import annotations

from collections.abc import Sequence

from forensics.loss.sql import listed, literal

# A list in a text: between commas and the like or line by line, in braces, brackets and
# quotes or without. Not between blanks: prose that names a key is no link.
_LIST = (
    r"list_transform(string_split_regex(v, '[,;|\n\r\t]+'), "
    r"""lambda e: trim(e, ' {}[]()"'''))"""
)
_ELEMENT = r'"(?:[^"\\]|\\.)*"|[^{},"]+'
_UNQUOTED = r"regexp_replace(e[2:-2], '\\(.)', '\1', 'g')"
_JSON_IN_TEXT = "v[1] IN ('[', chr(123)) AND json_valid(v)"


def is_json(kind: str) -> bool:
    """Whether values of a family of types are JSON."""
    return kind in ("json", "jsonb")


def is_array(kind: str) -> bool:
    """Whether values of a type are arrays."""
    return kind.endswith("[]")


def leaves_query(kind: str, keys: Sequence[str], rows: str) -> str:
    """Return the query that takes a column's values apart.

    Args:
        kind: the family of the column's type.
        keys: the fields of the holder's key.
        rows: a relation of those fields and `v`, the value as text.
    """
    heads = listed(keys)
    if is_json(kind):
        return _of_json(heads, rows)
    if is_array(kind):
        return _of_array(heads, rows)
    if kind == "text":
        return _of_text(heads, rows)
    return f"SELECT {heads}, v AS token, '$' AS label, '$' AS within, 0 AS spot FROM {rows}"


def _of_text(keys: str, rows: str) -> str:
    """Some keep JSON or a list in a text column."""
    whole = f"(SELECT * FROM {rows} WHERE NOT ({_JSON_IN_TEXT}))"
    inner = f"(SELECT * FROM {rows} WHERE {_JSON_IN_TEXT})"
    return f"""
        SELECT {keys}, unnest(parts) AS token, '$' AS label, '$' AS within,
               unnest(range(len(parts))) AS spot
          FROM (SELECT {keys}, {_LIST} AS parts FROM {whole})
        UNION ALL
        {_of_json(keys, inner)}
    """


def _of_array(keys: str, rows: str) -> str:
    """Elements of arrays' text, nested ones in order; quotes and escapes taken off."""
    parts = f"regexp_extract_all(v, {literal(_ELEMENT)}) AS parts"
    return f"""
        SELECT {keys}, CASE WHEN e[1] = '"' THEN {_UNQUOTED} ELSE e END AS token,
               '$' AS label, '$' AS within, spot
          FROM (SELECT {keys}, unnest(parts) AS e, unnest(range(len(parts))) AS spot
                  FROM (SELECT {keys}, {parts} FROM {rows}))
         WHERE e <> 'NULL'
    """


def _of_json(keys: str, rows: str) -> str:
    """Leaves of JSON, and the keys of its objects, in the document's order.

    A key's label ends in `.*`.
    """
    documents = f"(SELECT * FROM {rows} WHERE json_valid(v)) s"
    tree = f"(SELECT {keys}, r.* FROM {documents}, json_tree(s.v::JSON) r)"
    return f"""
        SELECT {keys}, atom ->> '$' AS token,
               {_without_places("fullkey")} AS label,
               path AS within, id AS spot
          FROM {tree}
         WHERE type NOT IN ('OBJECT', 'ARRAY', 'NULL', 'BOOLEAN')
        UNION ALL
        SELECT {keys}, key AS token,
               {_without_places("path")} || '.*' AS label,
               path AS within, id AS spot
          FROM {tree}
         WHERE key IS NOT NULL AND NOT ends_with(fullkey, ']')
    """


def _without_places(path: str) -> str:
    """A path without the places of arrays in it."""
    return rf"regexp_replace({path}, '\[[0-9]+\]', '', 'g')"
