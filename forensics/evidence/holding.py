"""What a type can hold, judged from the text of whole columns at once.

A check says of a column's fields which of them no value of its type is written as. What almost
every field of a sound file looks like is settled in bulk; only the few others are looked at one by
one. Where there is doubt a field passes: other programs write what PostgreSQL reads, too.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal

import numpy as np

from forensics.evidence import documents
from forensics.evidence.bytewise import WORD
from forensics.evidence.columns import (
    CLOCK,
    DIGIT,
    HEX,
    MINUS,
    POINT,
    Check,
    Fields,
    of_others,
)
from forensics.evidence.fields import encode_field

# --- numbers --------------------------------------------------------------------------------------

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_BASED = "0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+"
_SPACES = "[ \\t\\n\\v\\f\\r]*"
_INTEGER = re.compile(rf"{_SPACES}[+-]?(?:{_DIGITS}|{_BASED}){_SPACES}\Z")
_NUMBER = re.compile(
    rf"{_SPACES}(?:[+-]?(?:(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?"
    rf"|{_BASED}|(?i:inf(?:inity)?))|(?i:nan)){_SPACES}\Z"
)
_FLOAT = re.compile(
    rf"{_SPACES}[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:inf(?:inity)?|nan)"
    rf"|0[xX][0-9a-fA-F.]+(?:[pP][+-]?[0-9]+)?){_SPACES}\Z"
)
_MINUS_SIGN, _POINT_SIGN = 0x2D, 0x2E
_MANY_DIGITS = 1_000  # most of them zeros, perhaps
_LIMITED = re.compile(r"numeric\((\d+),(-?\d+)\)\Z")


def _plain_numbers(fields: Fields, others: int = POINT) -> np.ndarray:
    """Which fields are digits with a minus before them at most, and a point among them at most."""
    sure = fields.only(DIGIT)
    signed = fields.only(DIGIT | MINUS | others) & ~sure
    if signed.any():
        minus = fields.count(b"-")
        signed &= (minus == 0) | ((minus == 1) & (fields.byte(0) == _MINUS_SIGN))
        signed &= fields.count(b".") <= 1
    sure |= signed
    return sure


def _integers(most: int) -> Check:
    digits = len(str(most))

    def holds(value: str) -> bool:
        if not _INTEGER.match(value):
            return False
        if len(value) > _MANY_DIGITS:
            return True
        base = 0 if re.search("[xXoObB]", value) else 10
        return -most - 1 <= int(value, base) <= most

    def check(fields: Fields) -> np.ndarray:
        sizes = fields.lengths
        sure = (sizes > 0) & (sizes <= min(digits - 1, WORD))
        sure &= _are_digits(fields.word(0), np.minimum(sizes, WORD))
        return of_others(fields, sure, closely)

    def closely(fields: Fields) -> np.ndarray:
        below_zero = fields.byte(0) == _MINUS_SIGN
        sure = _plain_numbers(fields, 0)
        sure &= fields.lengths - below_zero <= digits
        full = np.flatnonzero(sure & (fields.lengths >= digits))
        sure[full[fields.strings(full, digits) > str(most).encode()]] = False
        sure[full[below_zero[full]]] = False
        return fields.unless(sure, holds)

    return check


def _oids(fields: Fields) -> np.ndarray:
    short = fields.lengths < len(str(2**32))
    return fields.unless(fields.only(DIGIT) & short, _is_oid)


def _is_oid(value: str) -> bool:
    if not re.match(rf"{_SPACES}[+-]?[0-9]+{_SPACES}\Z", value) or len(value) > _MANY_DIGITS:
        return False
    return -(2**31) <= int(value) < 2**32


def _numbers(fields: Fields) -> np.ndarray:
    return fields.unless(_plain_numbers(fields), lambda value: bool(_NUMBER.match(value)))


def _limited_numbers(precision: int, scale: int) -> Check:
    exact = Context(prec=precision + abs(scale) + 2)
    above = exact.subtract(Decimal(f"1e{precision - scale}"), Decimal(f"5e{-scale - 1}"))

    def holds(value: str) -> bool:
        if not _NUMBER.match(value) or "inf" in value.lower():
            return False
        if "x" in value.lower() or re.search("[eE].{4}|0[oObB]", value):
            return True
        bare = value.strip().replace("_", "")
        return bare.lower() == "nan" or abs(Decimal(bare)) < above

    def check(fields: Fields) -> np.ndarray:
        # One that fits has as many bytes as this at most, its minus left out, and its point.
        longest = precision - max(scale, 0)
        whole = fields.lengths - (fields.byte(0) == _MINUS_SIGN)
        short = whole <= longest
        if scale > 0:
            pointed = fields.byte_before_end(scale + 1) == _POINT_SIGN
            short |= pointed & (whole <= precision + 1)
        return fields.unless(_plain_numbers(fields) & short, holds)

    return check


def _floats(most: float, least: float, digits: int) -> Check:
    """The check of a type of floating point numbers.

    Args:
        most, least: what is too large for it, and what is too small to be told from 0.
        digits: every number of no more digits fits.
    """

    def holds(value: str) -> bool:
        if not _FLOAT.match(value):
            return False
        bare = value.strip().lower()
        if "x" in bare or "n" in bare:  # in hexadecimal digits; infinity, NaN
            return True
        size = abs(float(bare))
        if size <= least:
            return not re.search("[1-9]", bare.partition("e")[0])
        return size < most

    def check(fields: Fields) -> np.ndarray:
        return fields.unless(_plain_numbers(fields) & (fields.lengths <= digits), holds)

    return check


# --- what is written in one shape -----------------------------------------------------------------

_TRUTH = re.compile(r"\s*(?:t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|no?|on|off?|1|0)\s*\Z", re.I)
_DIGITS_OF_UUID = r"(?:[\da-f]{4}-?){7}[\da-f]{4}"
_UUID = re.compile(rf"(?:{_DIGITS_OF_UUID}|\{{{_DIGITS_OF_UUID}\}})\Z", re.I)


def _truths(fields: Fields) -> np.ndarray:
    first = fields.byte(0)
    sure = (fields.lengths == 1) & ((first == 0x74) | (first == 0x66))
    return fields.unless(sure, lambda value: bool(_TRUTH.match(value)))


def _uuids(fields: Fields) -> np.ndarray:
    others = np.uint8(0xFF ^ (DIGIT | HEX | MINUS))
    sure = (fields.lengths == 36) & ((fields.kinds & others) == 0)
    for place in (8, 13, 18, 23):
        sure &= fields.byte(place) == 0x2D
    there = np.flatnonzero(sure)
    letters = fields.strings(there, 36).view(np.uint8).reshape(-1, 36)
    sure[there] = (letters == 0x2D).sum(axis=1) == 4
    return fields.unless(sure, lambda value: bool(_UUID.match(value)))


def _labels(labels: Sequence[str]) -> Check:
    held = frozenset(labels)

    def check(fields: Fields) -> np.ndarray:
        sure = np.zeros(len(fields.starts), dtype=bool)
        for label in labels:
            written = encode_field(label).encode("utf-8")
            alike = np.flatnonzero(fields.lengths == len(written))
            if written:
                sure[alike[fields.strings(alike, len(written)) == written]] = True
        return fields.unless(sure, held.__contains__)

    return check


def _lists(fields: Fields) -> np.ndarray:
    first = fields.byte(0)
    last = fields.data[fields.starts + np.maximum(fields.lengths - 1, 0)]
    sure = ((first == 0x7B) | (first == 0x5B)) & (last == 0x7D)
    return fields.unless(
        sure, lambda value: value.strip()[:1] in "{[" and value.strip()[-1:] == "}"
    )


_LONGEST_DOCUMENT = 16 << 20  # what it becomes when it is read takes many times as much


def _documents(*, binary: bool) -> Check:
    def check(fields: Fields) -> np.ndarray:
        passed = fields.nulls() | (fields.lengths > _LONGEST_DOCUMENT)
        lines = fields.joined(np.flatnonzero(~passed)).replace(b"\t", b"\n")
        if documents.all_hold(lines, binary=binary):
            return np.array([], dtype=np.int64)
        return fields.unless(passed, lambda value: documents.holds(value, binary=binary))

    return check


def _up_to(length: int) -> Check:
    def check(fields: Fields) -> np.ndarray:
        # What is more than fits may be blanks only.
        return fields.unless(
            fields.lengths <= length, lambda value: len(value.rstrip(" ")) <= length
        )

    return check


# --- moments --------------------------------------------------------------------------------------

_ISO = re.compile(
    r"(\d{4,7})-(\d\d)-(\d\d)"
    r"(?:[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[+-](?:0\d|1[0-5])(?::?[0-5]\d){0,2})?)?(?: BC)?\Z"
)
_SHAPE_OF_ISO = re.compile(
    r"\d{4,7}-\d\d-\d\d(?:[ t]\d\d:\d\d:\d\d(?:\.\d+)?(?:[+-]\d\d(?::?\d\d){0,2})?)?(?: bc)?\Z"
)
_SPOKEN = ("infinity", "-infinity", "epoch", "now", "today", "tomorrow", "yesterday")
_LONGEST_MOMENT = 128
_SIGNS = np.frombuffer(b"+-", dtype=np.uint8)
# By month, the days that it has in every year.
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0], dtype=np.int8)
_FIRST_BYTES = np.array([(1 << 8 * size) - 1 for size in range(9)], dtype=np.uint64)
_LOW_HALF = np.uint64(0x0F)
_HIGH_HALVES = np.uint64(0xF0F0F0F0F0F0F0F0)
_ZEROS = np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)


def _is_iso(value: str) -> bool:
    match = _ISO.match(value)
    if match is None:
        return False
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if not 1 <= month <= 12 or not year:
        return False
    days = calendar.monthrange(2000 + year % 400, month)[1]
    if value.endswith("BC"):
        days = 31
    if not 1 <= day <= days:
        return False
    hour, minute, second = (int(part or 0) for part in match.groups()[3:6])
    return hour <= 24 and minute < 60 and second <= 60


def _is_moment(value: str) -> bool:
    """Whether PostgreSQL may read a moment from a text that it did not write."""
    value = value.strip().lower()
    if _is_iso(value.upper()) or value in _SPOKEN:
        return True
    if _SHAPE_OF_ISO.match(value):
        return False
    if re.match(r"\d{4}-\d\d-\d\d(?!\d)", value) and not _is_iso(value[:10]):
        return False
    return any(map(str.isdigit, value)) and value.isprintable() and len(value) < _LONGEST_MOMENT


def _moments(as_written: bool) -> Check:
    """The check of dates and timestamps.

    Args:
        as_written: whether they are as PostgreSQL writes them for `pg_dump`.
    """

    def holds(value: str) -> bool:
        if as_written:
            return _is_iso(value) or value in _SPOKEN
        return _is_moment(value)

    def check(fields: Fields) -> np.ndarray:
        return of_others(fields, _as_usual(fields), closely)

    def closely(fields: Fields) -> np.ndarray:
        sure = fields.only(DIGIT | MINUS | POINT | CLOCK)
        sure &= (fields.lengths == 10) | (fields.lengths >= 19)
        sure &= (fields.byte(4) == 0x2D) & (fields.byte(7) == 0x2D)
        sure &= _are_digits(fields.word(0), 4)
        month, day = _number(fields, 5), _number(fields, 8)
        sure &= (month >= 1) & (month <= 12) & (day >= 1)
        sure &= day <= _DAYS[np.clip(month, 0, 12)]
        timed = fields.lengths >= 19
        in_time = _between(fields, 11, 0, 23) & _between(fields, 14, 0, 59)
        in_time &= _between(fields, 17, 0, 59) & (fields.byte(10) == 0x20)
        in_time &= (fields.byte(13) == 0x3A) & (fields.byte(16) == 0x3A)
        # Nearly all end in digits; what else they may end in takes longer to see.
        others = np.flatnonzero((fields.lengths > 19) & ~_end_in_fractions(fields))
        if len(others):
            in_time[others] &= _ends_as_times_do(fields.some(others))
        sure &= in_time | ~timed
        return fields.unless(sure, holds)

    return check


class _Shape:
    """What eight bytes look like: digits where `as_text` has a 0, and its own signs."""

    def __init__(self, as_text: bytes) -> None:
        kept, wanted, sixes = bytearray(WORD), bytearray(WORD), bytearray(WORD)
        for place, sign in enumerate(as_text):
            is_digit = sign == 0x30
            kept[place] = 0xF0 if is_digit else 0xFF
            wanted[place] = sign
            sixes[place] = 6 * is_digit
        self._kept, self._wanted, self._sixes = map(_word_of, (kept, wanted, sixes))

    def fits(self, words: np.ndarray) -> np.ndarray:
        """Which words look so. A digit is still below 40 with six more, in hexadecimal digits."""
        found: np.ndarray = (words & self._kept) == self._wanted
        found &= ((words + self._sixes) & self._kept) == self._wanted
        return found


def _word_of(text: bytes | bytearray) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_MONTH, _DAY, _DAY_AND_TIME, _SECONDS = map(_Shape, (b"0000-00-", b"00", b"00 00:00", b":00"))


def _as_usual(fields: Fields) -> np.ndarray:
    """Which moments are a date, or one with a time of day and a fraction of seconds at most.

    That is nearly all of them; they are looked at eight bytes at once.
    """
    first, second, third = fields.word(0), fields.word(8), fields.word(16)
    month, day = _two_digits(first, 5), _two_digits(second, 0)
    sure: np.ndarray = _MONTH.fits(first) & _DAY.fits(second)
    sure &= (day >= 1) & (day <= _DAYS[np.minimum(month, 13)])
    timed = _DAY_AND_TIME.fits(second) & _SECONDS.fits(third)
    timed &= (_two_digits(second, 3) < 24) & (_two_digits(second, 6) < 60)
    timed &= _two_digits(third, 1) < 60
    timed &= (fields.lengths == 19) | _end_in_fractions(fields)
    sure &= timed | (fields.lengths == 10)
    return sure


def _two_digits(words: np.ndarray, place: int) -> np.ndarray:
    """The number that two bytes of every word are, where they are digits."""
    both = words >> np.uint64(8 * place)
    tens, ones = both & _LOW_HALF, (both >> np.uint64(8)) & _LOW_HALF
    return np.asarray(tens * np.uint64(10) + ones)


def _end_in_fractions(fields: Fields) -> np.ndarray:
    """Which moments are no longer than a fraction of seconds, and end in its digits."""
    sizes = fields.lengths - 20
    there = (sizes > 0) & (sizes <= 6) & (fields.byte(19) == _POINT_SIGN)
    return np.asarray(there & _are_digits(fields.word(20), np.clip(sizes, 0, 8)))


def _are_digits(words: np.ndarray, sizes: np.ndarray | int) -> np.ndarray:
    """Of which words the first so many bytes are all digits."""
    masks = _FIRST_BYTES[sizes]
    high, digits = _HIGH_HALVES & masks, _ZEROS & masks
    # A byte from 30 to 39, in hexadecimal digits, and still below 40 with six more.
    found: np.ndarray = ((words & high) == digits) & (((words + _SIXES) & high) == digits)
    return found


def _ends_as_times_do(fields: Fields) -> np.ndarray:
    """Which moments have a fraction of seconds, an offset in hours and minutes, or both."""
    hours = np.isin(fields.byte_before_end(3), _SIGNS) & _within(
        fields.byte_before_end(2), fields.byte_before_end(1), 0, 15
    )
    minutes = np.isin(fields.byte_before_end(6), _SIGNS) & _within(
        fields.byte_before_end(5), fields.byte_before_end(4), 0, 15
    )
    minutes &= (fields.byte_before_end(3) == 0x3A) & _within(
        fields.byte_before_end(2), fields.byte_before_end(1), 0, 59
    )
    points = fields.count(b".")
    found: np.ndarray = (points == 1) == (fields.byte(19) == _POINT_SIGN)
    found &= (points == 0) | (fields.byte(20) - np.uint8(0x30) <= 9)
    found &= (points <= 1) & (fields.count(b" ") == 1)
    found &= fields.count(b":") == 2 + minutes
    found &= fields.count(b"-") + fields.count(b"+") == 2 + (hours | minutes)
    found &= (points == 1) | (fields.lengths == 19 + 3 * (hours + 2 * minutes))
    found &= fields.lengths <= len("2000-01-01 00:00:00.000000+00:00")
    return found


def _between(fields: Fields, place: int, least: int, most: int) -> np.ndarray:
    """Which fields have a number of two digits at a place, within bounds."""
    return _within(fields.byte(place), fields.byte(place + 1), least, most)


def _within(tens: np.ndarray, ones: np.ndarray, least: int, most: int) -> np.ndarray:
    """Which pairs of digits are a number within bounds."""
    number = _number_of(tens, ones)
    return (number >= least) & (number <= most)


def _number(fields: Fields, place: int) -> np.ndarray:
    """The number of two digits at a place of every field; below zero where none stands there."""
    return _number_of(fields.byte(place), fields.byte(place + 1))


def _number_of(tens: np.ndarray, ones: np.ndarray) -> np.ndarray:
    tens, ones = tens - np.uint8(0x30), ones - np.uint8(0x30)  # what is less becomes very much
    number = tens.astype(np.int8) * np.int8(10) + ones.astype(np.int8)
    return np.where((tens <= 9) & (ones <= 9), number, np.int8(-1))


# --- by type --------------------------------------------------------------------------------------

_CHECKS: Mapping[str, Check] = {
    "smallint": _integers(2**15 - 1),
    "integer": _integers(2**31 - 1),
    "bigint": _integers(2**63 - 1),
    "oid": _oids,
    "numeric": _numbers,
    "real": _floats(3.402824e38, 7e-46, 36),
    "double precision": _floats(math.inf, 0.0, 300),
    "boolean": _truths,
    "uuid": _uuids,
    "json": _documents(binary=False),
    "jsonb": _documents(binary=True),
}
_MOMENTS = re.compile(r"date\Z|timestamp(?:\(\d\))? with(?:out)? time zone\Z")
_CHARACTERS = re.compile(r"character(?: varying)?\((\d+)\)\Z")


def check_of(
    type_name: str, labels: Mapping[str, Sequence[str]], *, as_written: bool
) -> Check | None:
    """Return what tells the fields that a type cannot hold, or None where nothing is known of it.

    Args:
        type_name: as `format_type` prints it, domains resolved.
        labels: by enum, its labels.
        as_written: whether moments are as PostgreSQL writes them for `pg_dump`.
    """
    if type_name.endswith("[]"):
        return _lists
    if type_name in labels:
        return _labels(labels[type_name])
    if _MOMENTS.match(type_name):
        return _moments(as_written)
    if characters := _CHARACTERS.match(type_name):
        return _up_to(int(characters[1]))
    if limited := _LIMITED.match(type_name):
        return _limited_numbers(int(limited[1]), int(limited[2]))
    return _CHECKS.get(type_name)
