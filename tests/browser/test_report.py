"""The report in a real browser: wide and narrow, light and dark, printed, and with axe."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import SCREENS, Seen

_MOST_PAGES = 40


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens(report: str, open_page: Callable[..., Seen], width: int, scheme: str) -> None:
    """Nothing is asked of anybody, nothing goes wrong, and nobody scrolls sideways."""
    seen = open_page(report, width=width, scheme=scheme)
    seen.screen(f"report-{width}-{scheme}")
    assert seen.errors == []
    assert seen.requests == [report]
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(report: str, open_page: Callable[..., Seen], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen = open_page(report, scheme=scheme)
    seen.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = Axe().run(seen.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.browser
def test_it_prints(report: str, open_page: Callable[..., Seen]) -> None:
    seen = open_page(report)
    printed = seen.page.pdf(format="A4", path=SCREENS / "report.pdf")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= _MOST_PAGES
    assert Path(SCREENS / "report.pdf").stat().st_size < 5_000_000
