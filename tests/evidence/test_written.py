"""Kept rows as COPY text: what PostgreSQL reads back is what stood there."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from forensics.evidence import arrays
from forensics.evidence.fields import decode_field
from forensics.evidence.written import copy_text

VALUES = [
    "plain",
    "",
    None,
    "\\N",
    "back\\slash",
    "tab\there",
    "line\nfeed",
    "carriage\rreturn",
    "bell\bform\fvertical\v",
    "dash — and ☃",
    "ماء",
]


def batch(*columns: list[str | None]) -> pa.RecordBatch:
    """A batch whose columns all have one name, as those of a query may have."""
    arrays = [pa.array(column, pa.string()) for column in columns]
    return pa.RecordBatch.from_arrays(arrays, ["f"] * len(arrays))


def test_every_value_reads_back_as_it_stood() -> None:
    plain: list[str | None] = ["x"] * len(VALUES)
    text = copy_text(batch(VALUES, plain, VALUES[::-1]))
    assert text.endswith("\n")
    found = []
    for line in text.split("\n")[:-1]:
        found.append([decode_field(field) for field in line.split("\t")])
    assert found == [list(row) for row in zip(VALUES, plain, VALUES[::-1], strict=True)]


@pytest.mark.parametrize("mark", ["\u061c", "\u202e", "\u2066", "\u2069"])
def test_marks_that_turn_text_round_are_written_as_bytes(mark: str) -> None:
    written = "".join(f"\\x{byte:02x}" for byte in mark.encode())
    assert copy_text(batch([f"a{mark}\\b", "c"])) == f"a{written}\\\\b\nc\n"


def test_a_single_empty_column_is_an_empty_line() -> None:
    assert copy_text(batch(["", None, ""])) == "\n\\N\n\n"
    assert copy_text(batch([])) == ""


def test_what_a_query_answers_in_pieces_is_taken_piece_by_piece() -> None:
    query = "SELECT i::VARCHAR AS a, i AS b, NULL::VARCHAR AS c FROM range(5000) t(i) ORDER BY i"
    con = duckdb.connect()
    reader = con.sql(query).to_arrow_reader(1000)
    found = "".join(map(copy_text, reader))
    assert found == "".join(f"{i}\t{i}\t\\N\n" for i in range(5000))


@pytest.mark.parametrize("found", [[], ["a"], [None], ["", None, "ü☃", "b"], [None] * 9 + ["z"]])
def test_texts_laid_out_by_hand_are_what_arrow_makes_of_them(found: list[str | None]) -> None:
    made = arrays.values(found)
    made.validate(full=True)
    assert made.equals(pa.array(found, pa.string()))


def test_no_pandas_is_loaded_for_it() -> None:
    code = (
        "import sys, pyarrow as pa; from forensics.evidence import arrays, written;"
        "column = arrays.values(['a', None, '\\u202e']);"
        "batch = pa.RecordBatch.from_arrays([column, arrays.numbers([1, 2, 3])], ['a', 'b']);"
        "assert written.copy_text(batch).startswith('a\\t1\\n'); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_slice_says_its_own_rows_only() -> None:
    assert copy_text(batch(["a\\", "b", "c"]).slice(1, 2)) == "b\nc\n"
