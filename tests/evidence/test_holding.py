"""What a type can hold: no server takes what is refused, and hardly one refuses what passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest

from forensics.evidence.elements import check_of
from forensics.evidence.fields import encode_field
from forensics.evidence.flaws import Judge
from forensics.scratch import Scratch

_NUMBERS = "1|+1|-0|013| 1 |1.5|-.5|1.|.|1e5|1e|1,5|1 5|--5|1.5.5|-1-2|1-|a|１|NaN|-nan|inf|1_|x|"
_MOMENT = "2024-02-28 08:00:00"
_AFTER = "|.5|.123456|.5.5|:30|-|--|+0|+00|+0x|+15|+16|+05:30|+05:60|.25+05:30|.2+5-07|-07:| BC| x"
TEXTS = {
    "smallint": f"{_NUMBERS}|32767|32768|-32768|-32769",
    "integer": f"{_NUMBERS}|0x1F|0b10|0o17|1_000|1__0|2147483647|2147483648|-2147483648",
    "bigint": f"{_NUMBERS}|9223372036854775807|9223372036854775808|-9223372036854775808",
    "oid": "1|4294967295|4294967296|-1|-2147483648|-2147483649|--1|x|",
    "numeric": f"{_NUMBERS}|1_000.5|1__0|1E-5|1e+5|infinity|infinit|0x1F",
    "numeric(6,2)": f"{_NUMBERS}|9999.99|9999.994|9999.995|-99999|1e4|1e3|00123456.5|0.001|123456",
    "double precision": f"{_NUMBERS}|1_0|0x1p3|1e300|1e308|1e309|-1e999|1e-323|1e-400|0e-999|"
    + "1" * 309
    + "|"
    + "1" * 310
    + "|0."
    + "0" * 330
    + "1",
    "real": f"{_NUMBERS}|3.5e10|3.4e38|3.5e38|1e39|-1e999|1e-44|1e-46|0.0e-99|"
    + "1" * 39
    + "|"
    + "9" * 39
    + "|0."
    + "0" * 50
    + "1",
    "integer[]": "{}|{1,2}|{1,NULL,-3}|{{1,2},{3,4}}|[0:1]={1,2}|{1,x}|{1,,2}|{1,2147483648}|"
    '{ 1 , 2 }|{null}|{"1",2}|{1.5}|[0:1]={1,x}|{1,2',
    "numeric(4,2)[]": "{1.5,99.99}|{100}|{NaN}|{1,a}|{NULL,1e1}|{inf}",
    "double precision[]": "{1.5,NaN,Infinity}|{1e999}|{1,x}|{-0}",
    "boolean[]": "{t,f,NULL}|{x}|{true}",
    "date[]": '{2024-02-29,infinity}|{2023-02-29}|{NULL}|{"0044-03-15 BC"}|{x}',
    "timestamp without time zone[]": '{"2024-02-28 08:00:00"}|{"2024-02-30 08:00:00"}|{x}|'
    '{"2024-02-28 08:00:00.25",NULL}',
    "uuid[]": "{c4ca4238-a0b9-2382-0dcc-509a6f75849b}|{c4ca4238-a0b9-2382-0dcc-509a6f75849}|{x}|{}",
    "boolean": "t|f|true|FALSE|yes|no|on|off|of|o|1|0|2| t |tr|trues||x",
    "uuid": "|".join(
        "c4ca4238-a0b9-2382-0dcc-509a6f75849b".replace(*pair)
        for pair in (
            ("x", "x"),
            ("-", ""),
            ("-2382-", "-2382 "),
            ("c4ca", "{c4ca"),
            ("c4ca", " c4ca"),
            ("849b", "849"),
            ("849b", "849g"),
            ("849b", "849b-"),
            ("6f75849b", "6f75-49b"),
            ("c4ca4238", "c4ca-4238"),
            ("-a0b9", "a-0b9"),
        )
    ),
    "date": "2024-02-29|2023-02-29|2024-13-01|2024-00-10|infinity|0001-01-01 BC|2024-02-31|x|",
    "timestamp without time zone": "|".join(_MOMENT + after for after in _AFTER.split("|")),
    "timestamp with time zone": "|".join(_MOMENT + after for after in _AFTER.split("|")),
    "character varying(3)": "abc|abcd|abc  |äöü|äöüx|\tab",
    "character(2)": "ab|abc|ab |a",
}
# As pg_dump never writes them, they are damage in what it wrote.
_SPELLED_OTHERWISE = (f"{_MOMENT}+0", f"{_MOMENT}-07:", f"{_MOMENT} BC")


@pytest.fixture(scope="module")
def server(scratch: Scratch) -> Iterator[psycopg.Connection]:
    scratch.create("holding")
    with psycopg.connect(scratch.dsn("holding"), autocommit=True) as connection:
        yield connection
    scratch.drop("holding")


def taken(server: psycopg.Connection, type_name: str, texts: list[str]) -> list[str]:
    found = []
    server.execute(f"CREATE TABLE one (v {type_name})")
    for text in texts:
        try:
            server.execute("INSERT INTO one VALUES (%s)", [text], prepare=False)
            found.append(text)
        except psycopg.DataError:
            continue
    server.execute("DROP TABLE one")
    return found


@pytest.mark.parametrize("as_written", [True, False], ids=["by pg_dump", "by others"])
@pytest.mark.parametrize("type_name", TEXTS)
def test_what_passes_is_what_a_server_takes(
    server: psycopg.Connection, type_name: str, as_written: bool
) -> None:
    texts = TEXTS[type_name].split("|")
    check = check_of(type_name, {}, as_written=as_written)
    assert check
    passed, blocks = [], []
    for text in texts:
        block = encode_field(text).encode() + b"\n"
        blocks.append(block)
        if b"".join(Judge(("v",), {"v": (type_name, check)}).sound([block])):
            passed.append(text)
    right = taken(server, type_name, texts)
    assert len(right) not in (0, len(texts))
    if not as_written:
        assert not {*right} - {*passed}, "false alarms"
    if as_written or not type_name.startswith("timestamp"):
        assert {*passed} ^ {*right} <= {*_SPELLED_OTHERWISE, f"{_MOMENT}-"}
    # One after the other they are judged as each was.
    together = Judge(("v",), {"v": (type_name, check)}).sound([b"".join(blocks)])
    assert b"".join(together).count(b"\n") == len(passed)


def passes(type_name: str, text: str) -> bool:
    check = check_of(type_name, {}, as_written=True)
    assert check
    block = text.encode() + b"\n"
    return bool(b"".join(Judge(("v",), {"v": (type_name, check)}).sound([block])))


@pytest.mark.parametrize("moment", ["2024-02-28 19:59:39", "1999-12-31 23:08:00.250", "2023-10-09"])
def test_one_other_byte_makes_no_moment(moment: str) -> None:
    for place in range(len(moment)):
        for byte in "0123459-: .+/T":
            text = moment[:place] + byte + moment[place + 1 :]
            if re.search(r" 24:|:60", text) or text.endswith("."):
                continue  # PostgreSQL reads these, and Python does not
            try:
                datetime.fromisoformat(text[:19] + text[19:].ljust(7, "0")[: len(text) > 19 and 7])
                right = re.fullmatch(r"[-\d]{10}([ T][\d:]{8}(\.\d+)?)?", text) is not None
            except ValueError:
                right = False
            assert passes("timestamp without time zone", text) == right, text


def test_whole_numbers_are_digits_whatever_stands_behind_them() -> None:
    chars = "0123456789-+./:;xA"
    for text in [a + b + c for a in "19-x" for b in chars for c in ("", *chars)]:
        right = re.fullmatch(r"[+-]?\d+", text) is not None
        assert passes("integer", text) == right, text
    assert passes("integer", "123456789") and not passes("smallint", "123456")
    assert passes("bigint", "12345678") and not passes("bigint", "1234567:")
