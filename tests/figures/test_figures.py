"""Figures: the same bytes for the same numbers, names as they are, everything in words too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forensics import figures
from forensics.errors import ReportError
from forensics.figures import Hit, Moment, Picture
from forensics.model import TableName, TableResult
from forensics.text import count, duration, percent, visible
from tests.report.conftest import tree

SVG = "{http://www.w3.org/2000/svg}"


def result(name: str, missing: int, changed: int, unchanged: int) -> TableResult:
    rows = missing + changed + unchanged
    return TableResult(
        TableName("public", name),
        "compared",
        backup_rows=rows,
        live_rows=rows - missing,
        missing=missing,
        added=0,
        changed=changed,
        unchanged=unchanged,
    )


RESULTS = [
    result("small", 1, 0, 999_999),
    result("intact", 0, 0, 5),
    result("large", 70, 10, 20),
    result("$a_b$ <b>&", 3, 0, 0),
]


def words_of(picture: Picture) -> list[str]:
    return ["".join(t.itertext()) for t in tree(picture.svg).iter(f"{SVG}text")]


def test_loss_names_the_worst_first_and_leaves_out_the_intact() -> None:
    said = words_of(figures.loss(RESULTS))
    names = [w for w in said if w in ("large", "small", "intact") or "<b>" in w]
    assert names == ["large", '"$a_b$ <b>&"', "small"]
    assert "70 missing (70 %)" in said
    assert "all 3 missing" in said
    assert "1 missing (< 0.1 %)" in said


def test_a_loss_of_one_in_a_million_is_drawn() -> None:
    root = tree(figures.loss([RESULTS[0]]).svg)
    drawn = [p for p in root.iter(f"{SVG}path") if figures.MISSING in p.get("style", "")]
    assert len(drawn) == 2, "the legend's square and the bar"


def test_tables_beyond_the_limit_are_summed_up() -> None:
    said = words_of(figures.loss([result(f"t{i:02}", i + 1, 0, 0) for i in range(30)], limit=20))
    assert "and 10 more tables: 55 rows missing" in said


@pytest.mark.parametrize("width", [figures.WIDE, figures.NARROW])
def test_the_same_numbers_give_the_same_bytes(width: int) -> None:
    assert figures.loss(RESULTS, width=width).svg == figures.loss(RESULTS, width=width).svg


def test_figures_on_one_page_do_not_share_ids() -> None:
    totals = {"backup_rows": 10, "missing": 5, "changed": 1, "unchanged": 4}
    pictures = [
        figures.loss(RESULTS),
        figures.loss(RESULTS, width=340),
        figures.totals(totals),
        figures.totals(totals, width=340),
    ]
    ids = [e.get("id") for p in pictures for e in tree(p.svg).iter() if e.get("id")]
    assert len(ids) == len(set(ids))


def test_words_take_the_fonts_of_the_page() -> None:
    svg = figures.loss(RESULTS).svg
    assert "DejaVu" not in svg
    assert "system-ui" in svg


def test_every_figure_says_what_it_shows() -> None:
    picture = figures.totals({"backup_rows": 10, "missing": 5, "changed": 1, "unchanged": 4})
    assert picture.alt == "Of 10 backup rows, 5 are missing, 1 are changed, 4 are unchanged."
    root = tree(picture.svg)
    assert root.get("role") == "img"
    assert root.get("aria-label") == picture.alt


def test_classes_leave_out_what_there_is_none_of() -> None:
    said = words_of(
        figures.classes(
            {
                "missing": 10,
                "restorable": 9,
                "blocked": 1,
                "moved": 0,
                "superseded": 0,
                "conflicting": 0,
            }
        )
    )
    assert said == ["9 restorable (90 %)", "1 blocked (10 %)"]


def test_the_time_line_is_in_order_and_says_how_long() -> None:
    late, early = datetime(2026, 1, 2, 10, 40, tzinfo=UTC), datetime(2026, 1, 1, 3, 0, tzinfo=UTC)
    picture = figures.timeline([Moment("incident", late), Moment("backup", early, "in between")])
    assert picture.alt.index("backup") < picture.alt.index("incident")
    assert "31 h 40 min" in words_of(picture)
    assert words_of(figures.timeline([Moment("backup", early)]))[0] == "backup"


def test_distribution_counts_every_parent_once() -> None:
    said = words_of(figures.distribution({0: 1, 1: 1, 3: 1, 150: 1}, {0: 4}, parent="hotels"))
    assert said.count("4") == 1, "four hold none now"
    assert "100+" in said


def test_parents_shorten_names_in_the_middle() -> None:
    said = words_of(figures.parents([Hit("H" * 200, 5, 4), Hit("x", 0, 0)], parent="hotels"))
    assert any("…" in w for w in said)
    assert "4 of 5" in said


def test_nothing_to_show_is_shown_as_nothing() -> None:
    assert "<svg" in figures.parents([], parent="hotels").svg
    assert "<svg" in figures.loss([]).svg
    assert "<svg" in figures.distribution({}, {}, parent="x").svg


@pytest.mark.parametrize(
    ("suffix", "head"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_save_goes_by_the_suffix(tmp_path: Path, suffix: str, head: bytes) -> None:
    path = figures.loss(RESULTS).save(tmp_path / f"loss.{suffix}")
    assert path.read_bytes().startswith(head)


def test_save_says_what_went_wrong(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"loss.*\.xyz"):
        figures.loss(RESULTS).save(tmp_path / "loss.xyz")


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 10_000, "< 0.1 %"),
        (9_999, 10_000, "> 99.9 %"),
        (1, 3, "33 %"),
        (1, 30, "3.3 %"),
        (995, 1000, "99.5 %"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_all(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_words() -> None:
    assert count(None) == "–"
    assert count(23486) == "23,486"
    assert duration(timedelta(hours=31, minutes=40, seconds=6)) == "31 h 40 min"
    assert duration(timedelta(days=9, hours=2)) == "9 days 2 h"
    assert visible("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\x0a"
