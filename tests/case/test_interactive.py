"""DataFrames in notebooks: every row is there to be paged to, and nothing in it is obeyed."""

from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest

from forensics.case.interactive import _shown

_DATA = re.compile(r'"data_json": ("(?:[^"\\]|\\.)*")')
_HEAD = re.compile(r"<th>")  # those of the static preview have a style


def drawn(frame: pd.DataFrame) -> tuple[str, list[list[Any]]]:
    """The page's part for a DataFrame, and the rows that it holds."""
    page = _shown(frame)
    found = _DATA.search(page)
    assert found
    rows = json.loads(json.loads(found[1]))
    return page, rows


def test_numbers_stay_numbers_so_that_they_sort_as_such() -> None:
    frame = pd.DataFrame({"id": pd.array([9, 10, None], "Int64"), "name": ["a", None, "c"]})
    _, rows = drawn(frame)
    assert [row[0] for row in rows[:2]] == [9, 10]
    assert [row[1] for row in rows] == ["a", "∅", "c"]


def test_nothing_in_a_value_or_a_heading_is_obeyed() -> None:
    frame = pd.DataFrame({"na\u202eme": ["<b>bold</b>", "a\u202eb"]})
    page, rows = drawn(frame)
    assert "<b>" not in page
    assert "\u202e" not in page
    assert rows[1] == ["a\\u202eb"]


def test_before_and_after_side_by_side_have_one_line_of_headings() -> None:
    frame = pd.DataFrame([[1, "a", "b"]])
    frame.columns = pd.MultiIndex.from_tuples([("id", ""), ("price", "backup"), ("price", "live")])
    page, rows = drawn(frame)
    assert "price backup" in page
    assert len(_HEAD.findall(page)) == len(rows[0]) == 3


@pytest.mark.parametrize(("names", "columns"), [(["tables", "rows"], 2), ([4, 7], 1)])
def test_an_index_is_shown_where_it_says_something(names: list[Any], columns: int) -> None:
    _, rows = drawn(pd.DataFrame({"n": [11, 2939]}, index=names))
    assert len(rows[0]) == columns


def test_an_index_of_groups_is_shown_with_its_names() -> None:
    frame = pd.DataFrame({"class": ["lost", "moved"], "why": [None, "elsewhere"], "n": [1, 2]})
    grouped = frame.groupby(["class", "why"], dropna=False)["n"].sum().to_frame("links")
    page, rows = drawn(grouped)
    assert rows == [["lost", "∅", 1], ["moved", "elsewhere", 2]]
    assert "<th>why</th>" in page


def test_a_long_one_says_that_there_is_more() -> None:
    page, rows = drawn(pd.DataFrame({"n": range(2_500), "text": ["x" * 1_000] * 2_500}))
    assert len(rows) == 2_000
    assert "The first 2,000 of 2,500 rows" in page
    assert rows[0][1].endswith("… (1,000 characters)")


def test_texts_stand_to_the_left_and_numbers_to_the_right() -> None:
    frame = pd.DataFrame({"table": ["a"], "rows": pd.array([1], "Int64"), "why": ["b"]})
    page, _ = drawn(frame)
    assert re.search(r'"dt-left", "targets": \[0, 2\]', page.replace('\\"', '"'))


def test_every_column_has_a_heading() -> None:
    page, _ = drawn(pd.DataFrame({"a": [1]}, index=["x"]))
    assert "<th></th>" not in page
