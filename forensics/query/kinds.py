"""What PostgreSQL's types are for DuckDB: without loss, or else their text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from forensics.compare.canonical import Writer, base_type

_MOST_DIGITS = 38
_LIMITED = re.compile(r"numeric\((\d+)(?:,(-?\d+))?\)\Z")

# A value of an array: in double quotes, or bare.
_ELEMENTS = r"""regexp_extract_all({v}, '"(?:[^"\\]|\\.)*"|[^{{}},"]+', 0, 's')"""
_ELEMENT = r"""CASE WHEN x[1] = '"' THEN regexp_replace(x[2:-2], '\\(.)', '\1', 'gs')"""
_ELEMENT += " WHEN x = 'NULL' THEN NULL ELSE x END"

_DATE = "regexp_replace({v}, '^(.*) BC$', '\\1 (BC)')"
_TIME_OF_DAY = "regexp_replace({v}, '^(\\S+) (.*) BC$', '\\1 (BC) \\2')"


@dataclass(frozen=True)
class Kind:
    """How values of a type reach DuckDB.

    Attributes:
        type: DuckDB's name of what they are there.
        arrow: what they are read as at once; None where their text is, and SQL makes the rest.
        text: SQL that makes DuckDB's spelling of PostgreSQL's text, which stands at `{v}`.
        whole: SQL that is used in place of a cast of it.
        digits: whether its scale is only known once values were seen.
        native: whether its text needs nothing else to be made canonical.
    """

    type: str
    arrow: pa.DataType | None = None
    text: str = "{v}"
    whole: str | None = None
    digits: bool = False
    native: bool = True
    element: Kind | None = None

    @property
    def is_text(self) -> bool:
        """Whether values stay as PostgreSQL wrote them."""
        return self.type == "VARCHAR"

    @property
    def stored(self) -> pa.DataType:
        """What a stream of rows holds of it."""
        return self.arrow or pa.string()

    def typed(self, value: str, code: str) -> str:
        """SQL that makes a value of its text.

        Args:
            value: SQL of the text, or of NULL.
            code: what a value that does not fit ends the query with.
        """
        if self.is_text:
            return value
        error = f"error({_quoted(code)} || left({value}, 0))"
        if self.element is not None:
            return self._listed(value, error, code)
        if self.whole:
            made = self.whole.replace("{v}", value)
            return made.replace("{error}", f"CAST({error} AS {self.type})")
        spelled = self.text.replace("{v}", value)
        return (
            f"coalesce(TRY_CAST({spelled} AS {self.type}),"
            f" CASE WHEN {value} IS NOT NULL THEN CAST({error} AS {self.type}) END)"
        )

    def _listed(self, value: str, error: str, code: str) -> str:
        assert self.element is not None
        each = self.element.typed("y", code)
        return (
            f"CASE WHEN {value} IS NULL THEN NULL"
            f" WHEN starts_with({value}, '{{{{') OR NOT starts_with({value}, '{{')"
            f" THEN CAST({error} AS {self.type})"
            f" ELSE CAST(list_transform(list_transform({_ELEMENTS.format(v=value)},"
            f" lambda x: {_ELEMENT}), lambda y: {each}) AS {self.type}) END"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


TEXT = Kind("VARCHAR", native=False)
_BYTEA = (
    "CASE WHEN {v} IS NULL THEN NULL WHEN regexp_full_match({v}, '\\\\x([0-9a-fA-F]{2})*')"
    " THEN unhex({v}[3:]) ELSE {error} END"
)
_SCALED = (
    "CASE WHEN {v} IS NULL THEN NULL WHEN length(split_part({v}, '.', 2)) > {scale} THEN {error}"
    " ELSE coalesce(TRY_CAST({v} AS {type}), {error}) END"
)
_NAMED = {
    "smallint": Kind("SMALLINT", pa.int16()),
    "integer": Kind("INTEGER", pa.int32()),
    "bigint": Kind("BIGINT", pa.int64()),
    "oid": Kind("BIGINT", pa.int64()),
    "real": Kind("FLOAT", pa.float32()),
    "double precision": Kind("DOUBLE", pa.float64()),
    "boolean": Kind("BOOLEAN", pa.bool_()),
    "date": Kind("DATE", pa.date32(), _DATE),
    "timestamp without time zone": Kind("TIMESTAMP", pa.timestamp("us"), _TIME_OF_DAY),
    "timestamp with time zone": Kind(
        "TIMESTAMP WITH TIME ZONE", pa.timestamp("us", "UTC"), _TIME_OF_DAY
    ),
    "time without time zone": Kind("TIME", pa.time64("us")),
    "time with time zone": Kind("TIME WITH TIME ZONE"),
    "interval": Kind("INTERVAL", text="replace({v}, '+', '')"),
    "uuid": Kind("UUID"),
    "json": Kind("JSON"),
    "jsonb": Kind("JSON"),
    "bytea": Kind("BLOB", whole=_BYTEA, native=False),
}
# Of arrays; a box of them would be written with semicolons.
_AS_TEXT_IN_ARRAYS = ("text", "character varying", "character", "name", "citext", "bpchar")


def decimal(digits: int, scale: int) -> Kind:
    """Return what numbers of so many digits are, so many of them behind the point."""
    name = f"DECIMAL({digits},{scale})"
    whole = _SCALED.replace("{scale}", str(scale)).replace("{type}", name)
    return Kind(name, pa.decimal128(digits, scale), whole=whole)


def kind_of(type_name: str, writer: Writer) -> Kind:
    """Return how values of a type reach DuckDB.

    Args:
        type_name: as `format_type` prints it.
        writer: of the side, which knows its domains.
    """
    type_name = writer.without_domains(type_name)
    if type_name.endswith("[]"):
        return _array_of(type_name.removesuffix("[]"), writer)
    if found := _LIMITED.match(type_name):
        return _limited(int(found[1]), int(found[2] or 0))
    base = base_type(type_name)
    if base == "numeric":
        return replace(decimal(_MOST_DIGITS, 10), digits=True)
    return _NAMED.get(base, TEXT)


def _limited(precision: int, scale: int) -> Kind:
    """Numbers of a declared precision, which may be below their scale, or above what fits."""
    digits = max(precision, scale, precision - scale)
    if digits > _MOST_DIGITS:
        return replace(decimal(_MOST_DIGITS, 10), digits=True)
    return decimal(digits, max(scale, 0))


def _array_of(element: str, writer: Writer) -> Kind:
    kind = kind_of(element, writer)
    base = base_type(writer.without_domains(element))
    if kind.digits or (kind.is_text and not _is_simple(base, writer)):
        kind = TEXT
        if base != "numeric":
            return TEXT
    return Kind(f"{kind.type}[]", element=kind)


def _is_simple(base: str, writer: Writer) -> bool:
    """Whether elements of a type that stay text are told apart by commas and quotes."""
    return base in _AS_TEXT_IN_ARRAYS or base in writer.catalog.enums
