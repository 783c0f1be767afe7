"""Values that are worked out of the old ones: one expression for all, by the kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from forensics.compare.overwritten.columns import Cell

Ask = Callable[[str], tuple[Any, ...]]

X = "{x}"

_UNITS = ("second", "minute", "hour", "day", "month", "year")
_DIGITS = range(6, -4, -1)
_EXACT = 1e-9


@dataclass(frozen=True)
class Computed:
    """One expression over the old value.

    Attributes:
        test: the condition that the new value is what it gives, in which `X` may stand for `x`.
        how: it in words.
        undoable: whether the old value follows from the new one.
        kind: "shifted", "multiplied", "negated", or "".
        x: what those of one test differ in.
    """

    test: str
    how: str
    undoable: bool = False
    kind: str = ""
    x: str = ""


# --- text -------------------------------------------------------------

_INITIALS = (
    "array_to_string(list_transform("
    "regexp_extract_all({o}, '[[:alnum:]]+|[^[:alnum:]]+'), "
    "lambda w: upper(w[1]) || lower(w[2:])), '')"
)
_TEXTS = (
    ("lower({o})", "in lower case"),
    ("upper({o})", "in upper case"),
    (_INITIALS, "with capital initials"),
    (r"regexp_replace({o}, '^\s+|\s+$', '', 'g')", "without the blanks around it"),
    (r"lower(regexp_replace({o}, '^\s+|\s+$', '', 'g'))", "trimmed, in lower case"),
    (r"trim(regexp_replace({o}, '\s+', ' ', 'g'))", "with single blanks"),
    ("regexp_replace({o}, '[^0-9]', '', 'g')", "digits only"),
    ("regexp_replace({o}, '[^[:alnum:]]', '', 'g')", "letters and digits only"),
    (r"regexp_replace({o}, '\s', '', 'g')", "without blanks"),
    ("regexp_replace({o}, '<[^>]*>', '', 'g')", "without its marks"),
    ("strip_accents({o})", "without accents"),
    ("md5({o})", "hashed"),
    ("sha256({o})", "hashed"),
    ("reverse({o})", "reversed"),
)


def texts(cell: Cell, ask: Ask) -> Iterator[Computed]:
    """Case folded, trimmed, cut, …"""
    old, new = cell.old, cell.new
    for expression, how in _TEXTS:
        yield Computed(f"{new} = {X}", how, x=expression.format(o=old))
    (longest,) = ask(f"SELECT max(length({new})) FROM picked WHERE length({new}) < length({old})")
    if longest:
        cut = f"left({old}, {longest})"
        yield Computed(
            f"({new} = {cut} OR {new} = rtrim({cut})) AND length({old}) > {longest}",
            f"cut to {longest} characters",
        )
    yield Computed(f"{new} <> '' AND starts_with({old}, {new})", "cut, the beginning kept")
    yield Computed(f"{new} <> '' AND ends_with({old}, {new})", "cut, the end kept")


# --- numbers ----------------------------------------------------------


def numbers(cell: Cell, ask: Ask) -> Iterator[Computed]:
    """Rounded, cut off, multiplied, shifted."""
    old, new = double(cell.old), double(cell.new)
    whole = f"abs({new} / {X} - round({new} / {X})) < 1e-6"
    near = f"abs({new} - {old}) <= 0.5000001 * {X}"
    down = f"abs({new}) < abs({old}) AND abs({new} - {old}) < {X}"
    sign = f"({new} = 0 OR sign({new}) = sign({old}))"
    for digits in _DIGITS:
        unit = f"1e{-digits}"
        place = f"to {digits} digits" if digits >= 0 else f"to {10**-digits:,}s"
        yield Computed(f"{new} <> {old} AND {whole} AND {near}", f"rounded {place}", x=unit)
        yield Computed(f"{whole} AND {down} AND {sign}", f"cut off {place}", x=unit)
    yield Computed(f"{new} = abs({old})", "without its sign")
    yield from _factors(cell, ask, old, new)
    (shift,) = ask(
        f"SELECT mode(round({new} - {old}, 6)) FROM picked WHERE isfinite({new} - {old})"
    )
    if shift:
        near = f"abs({new} - {old} - ({shift!r})) <= 1e-6"
        yield Computed(near, "moved by one amount", undoable=True, kind="shifted")


def _factors(cell: Cell, ask: Ask, old: str, new: str) -> Iterator[Computed]:
    finite = f"{old} <> 0 AND isfinite({new}) AND isfinite({old})"
    (factor,) = ask(
        f"""
        SELECT median(new / old)
          FROM (SELECT {new} AS new, {old} AS old FROM picked WHERE {finite}
                 QUALIFY abs({old}) >= median(abs({old})) OVER ())
        """
    )
    if not factor:
        return
    half = 0.0
    if cell.scale is not None:
        half = 0.5 * 10.0**-cell.scale
    for close in _close(factor):
        if close in (0.0, 1.0):
            continue
        off = f"abs({new} - {old} * ({close!r}))"
        exact = f"{off} <= {_EXACT} * abs({new})"
        rounded = f"({off} <= {half * 1.000001} AND {half} <= 0.25 * abs({new} - {old}))"
        yield Computed(
            f"({exact} OR {rounded}) AND {new} <> {old}",
            "multiplied by one number",
            undoable=True,
            kind="multiplied",
        )


def _close(factor: float) -> list[float]:
    """Numbers of few digits close to a factor, and such whose reciprocals are."""
    found: dict[float, None] = {}
    for digits in range(7):
        found[round(factor, digits)] = None
    inverse = 1 / factor
    for digits in range(7):
        near = round(inverse, digits)
        if near:
            found[1 / near] = None
    return [near for near in found if abs(near / factor - 1) < 0.02]


def double(field: str) -> str:
    """A field as a number."""
    return f"TRY_CAST({field} AS DOUBLE)"


# --- times ------------------------------------------------------------


def times(cell: Cell, ask: Ask) -> Iterator[Computed]:
    """Cut to a unit, shifted by an interval (of one hour more in summer)."""
    old, new = time(cell.old), time(cell.new)
    for unit in _UNITS:
        cut = f"date_trunc('{unit}', {old})"
        yield Computed(f"{new} = {X}", f"cut to the {unit}", x=cut)
    rounded = f"date_trunc('second', {old} + INTERVAL 500 MILLISECOND)"
    yield Computed(f"{new} = {X}", "rounded to the second", x=rounded)
    away = f"epoch_us({new}) - epoch_us({old})"
    (shifts,) = ask(
        f"""
        SELECT list(away ORDER BY n DESC, away) FROM (
          SELECT {away} AS away, count(*) AS n FROM picked
           WHERE {away} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT 2)
        """
    )
    if not shifts:
        return
    hour = 3_600_000_000
    both = shifts[:1]
    if len(shifts) > 1 and abs(shifts[0] - shifts[1]) == hour:
        both = shifts
    listed = ", ".join(str(int(shift)) for shift in both)
    days = all(shift > 0 and shift % (24 * hour) == 0 for shift in both)
    yield Computed(
        f"{away} IN ({listed})",
        "moved by one interval",
        undoable=True,
        kind="days" if days else "interval",
    )


def time(field: str) -> str:
    """A field as a time."""
    return f"TRY_CAST({field} AS TIMESTAMP)"


# --- the rest ---------------------------------------------------------


def truths(cell: Cell, ask: Ask) -> Iterator[Computed]:
    """Turned into the opposite, in either direction."""
    (directions,) = ask(
        f"SELECT count(DISTINCT {cell.new}) FROM picked WHERE {cell.old} IS NOT NULL"
    )
    if directions > 1:
        holds = f"{cell.old} IS NOT NULL AND {cell.new} IS NOT NULL"
        yield Computed(holds, "turned into the opposite", undoable=True, kind="negated")


def objects(cell: Cell, ask: Ask) -> Iterator[Computed]:
    """Keys of JSON objects lost."""
    del ask
    old, new = cell.old, cell.new
    step = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
    # A key that the old one lacks is none that was kept.
    same = f"coalesce(json_extract({old}, {step}) = json_extract({new}, {step}), false)"
    yield Computed(
        f"CASE WHEN json_valid({old}) AND json_valid({new}) "
        f"AND json_type({old}) = 'OBJECT' AND json_type({new}) = 'OBJECT' "
        f"THEN len(json_keys({new})) < len(json_keys({old})) AND coalesce(list_bool_and("
        f"list_transform(json_keys({new}), lambda k: {same})), true) ELSE false END",
        "keys of the object lost",
    )
