"""The slides in a real browser: keys turn them, notes and overview open, nothing is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Seen


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_turn_them(
    slides: str, open_page: Callable[..., Seen], width: int, scheme: str
) -> None:
    from playwright.sync_api import expect

    seen = open_page(slides, width=width, scheme=scheme)
    seen.screen(f"slides-{width}-{scheme}")
    place = seen.page.get_by_text("/ ").first
    expect(place).to_contain_text("1 /")
    seen.page.keyboard.press("ArrowRight")
    expect(place).to_contain_text("2 /", timeout=15_000)
    assert seen.errors == []
    assert seen.requests == [slides]


@pytest.mark.browser
def test_axe_finds_nothing(slides: str, open_page: Callable[..., Seen]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(open_page(slides).page)
    assert found.violations_count == 0, found.generate_report()
