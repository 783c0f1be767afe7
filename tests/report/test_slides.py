"""Slides: one file that runs its own script and nothing else, timed for twenty minutes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import ReportError
from forensics.report import deck
from forensics.report.gathering import gather
from forensics.report.slides import MINUTES, slides
from forensics.scratch import Scratch


@pytest.fixture(scope="module")
def page(investigated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    with fx.open_case(investigated) as case:
        path = case.report(tmp_path_factory.mktemp("slides") / "s.html", slides=True)
    return path.read_text()


def test_it_runs_its_own_script_and_loads_nothing(page: str) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == page.count("<script") == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page
    assert not re.search(r"""(?:src|href)=|url\(|@import|https?://""", page)
    assert scripts[0].count("\n") < 170


def test_a_question_stands_before_its_answer(investigated: Path) -> None:
    with fx.open_case(investigated) as case:
        found = slides(gather(case))
    asks = [slide.asks for slide in found]
    assert asks.count(True) >= 6
    assert not any(one and two for one, two in pairwise(asks))
    assert all(slide.notes for slide in found)
    for slide in found:
        assert len(slide.rows) <= 5, "a table fits its slide"
        assert len(slide.points) <= 5
    assert "Who does what by when" in found[-1].title
    assert found[-1].fill


def test_it_is_timed_for_twenty_minutes(investigated: Path) -> None:
    with fx.open_case(investigated) as case:
        found = deck.timed(slides(gather(case)))
    assert found[0].since == "0"
    assert found[-1].until == str(MINUTES)
    for one, two in pairwise(found):
        assert one.until == two.since
        assert float(one.since) < float(one.until)


def test_it_tells_the_case(page: str) -> None:
    for said in (
        "DROP TABLE &#34;hotel_images&#34;",
        "1,017 of 1,148 hotels",
        "54,863",
        "Minutes 0 to ",
        "Which line did it?",
    ):
        assert said in page


def test_nothing_in_a_value_is_obeyed(nasty: fx.Case, tmp_path: Path) -> None:
    said = nasty.report(tmp_path / "s.html", mask=False, slides=True).read_text()
    assert said.count("<script") == 1
    assert "&lt;script&gt;" in said
    assert "\x1b" not in said
    masked = nasty.report(tmp_path / "s.html", slides=True).read_text()
    assert "crimson" not in masked
    assert "cdn.example" not in masked


def test_the_good_case_has_slides_too(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    name = database("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    dump = scratch.dump(name, tmp_path / "t.sql")
    with fx.compare(dump, scratch.dsn(name), tmp_path / "case") as case:
        found = slides(gather(case))
    titles = [slide.title for slide in found]
    assert "Nothing is missing: every row of the backup is in live." in titles
    assert "Which line did it?" not in titles


def test_slides_are_html_alone(nasty: fx.Case, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"\.html"):
        nasty.report(tmp_path / "s.md", slides=True)
    with pytest.raises(ReportError, match="no sections"):
        nasty.report(tmp_path / "s.html", slides=True, sections=["actions"])
