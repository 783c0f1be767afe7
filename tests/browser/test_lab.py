"""The notebooks in a real JupyterLab: every cell runs, tables sort, widgets do what they say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from forensics.sample import SHIPPED as ROOT
from tests.browser.conftest import Seen

NOTEBOOKS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
_PROMPTS = ".jp-CodeCell .jp-InputPrompt"
_MINUTES = 4
# What JupyterLab itself says on a machine that reaches no other, and of widgets' old states.
_NOT_OURS = re.compile(r"favicon|404|ERR_|widget state|sourceMappingURL")


def run_all(seen: Seen) -> None:
    """Do what a reader does: Run, then Run All Cells; wait until the last one is done."""
    page = seen.page
    page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
    page.get_by_text("(ipykernel) | Idle").wait_for(timeout=90_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    ends = time.monotonic() + 60 * _MINUTES
    while time.monotonic() < ends:
        page.wait_for_timeout(500)
        prompts = page.locator(_PROMPTS).all_text_contents()
        # Code that is hidden has no prompt: there the last cell tells, by what it shows.
        last = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
        if last.count() and all(re.search(r"\d", prompt or "0") for prompt in prompts):
            page.wait_for_timeout(1_500)  # tables draw themselves
            return
    raise AssertionError(f"Not all cells ran: {prompts}")


@pytest.mark.browser
@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_run_all(stem: str, lab: str, open_page: Callable[..., Seen]) -> None:
    seen = open_page(lab.format(stem), height=1_600)
    run_all(seen)
    seen.screen(f"lab-{stem}")
    page = seen.page
    assert page.locator(".jp-RenderedText[data-mime-type*=error]").count() == 0
    assert page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0
    assert [said for said in seen.errors if not _NOT_OURS.search(said)] == []


@pytest.mark.browser
def test_tables_sort_and_filter(lab: str, open_page: Callable[..., Seen]) -> None:
    from playwright.sync_api import expect

    seen = open_page(lab.format("02_comparison"), height=1_600)
    run_all(seen)
    table = seen.page.locator(".dt-container").first
    first = table.locator("tbody tr td").first
    assert first.text_content() == "hotel_images"
    table.get_by_role("searchbox").first.fill("reviews")
    expect(first).to_have_text("reviews", timeout=15_000)


@pytest.mark.browser
@pytest.mark.parametrize("stem", ["00_start_here", "03_junction_loss"])
def test_three_clicks(stem: str, lab: str, open_page: Callable[..., Seen]) -> None:
    """From the verdict to a table, to a parent of its rows, to one row before and after."""
    from playwright.sync_api import expect

    seen = open_page(lab.format(stem), height=1_600)
    run_all(seen)
    look = seen.page.locator(".jp-Cell").filter(has_text="case.browse()").last
    look.scroll_into_view_if_needed()
    table, parent, row = look.locator("select[size]").all()
    shown = look.locator(".jp-RenderedHTMLCommon").last
    expect(shown).to_contain_text("hotel_images")

    first = parent.locator("option").first
    before = first.text_content()
    table.locator("option").nth(3).click()
    expect(first).not_to_have_text(before or "", timeout=30_000)
    expect(shown).to_contain_text("restaurant_images ›", timeout=30_000)
    first = row.locator("option").first
    before = first.text_content()
    parent.locator("option").nth(1).click()
    expect(first).not_to_have_text(before or "", timeout=30_000)
    told = row.locator("option").nth(1)
    told.click()
    [key] = re.findall(r"· (\w+),", (told.text_content() or "").replace("\u00a0", " "))
    expect(shown.locator("table")).to_contain_text(key, timeout=30_000)
    assert shown.locator("table tr").first.bounding_box()["height"] < 45
    seen.screen(f"lab-three-clicks-{stem}")
    assert [said for said in seen.errors if not _NOT_OURS.search(said)] == []


@pytest.mark.browser
def test_a_changed_row_is_three_clicks_away(lab: str, open_page: Callable[..., Seen]) -> None:
    """A table that lives on: what differs stands first, the backup's value beside live's."""
    from playwright.sync_api import expect

    seen = open_page(lab.format("00_start_here"), height=1_600)
    run_all(seen)
    look = seen.page.locator(".jp-Cell").filter(has_text="case.browse()").last
    table, parent, row = look.locator("select[size]").all()
    shown = look.locator(".jp-RenderedHTMLCommon").last
    wanted = table.locator("option", has_text="external_search_cache").text_content()
    table.select_option(label=wanted)
    expect(shown).to_contain_text("external_search_cache", timeout=30_000)
    row.select_option(index=row.locator("option").count() - 1)
    expect(shown.locator("tr").nth(1)).to_contain_text("differs", timeout=30_000)
    seen.screen("lab-changed-row")


@pytest.mark.browser
@pytest.mark.parametrize("stem", ["04_cause", "05_recovery"])
def test_a_case_alone(stem: str, lone_lab: str, open_page: Callable[..., Seen]) -> None:
    """Every cell runs, and a sentence stands for what cannot be had."""
    seen = open_page(lone_lab.format(stem), height=1_600)
    run_all(seen)
    page = seen.page
    seen.screen(f"lab-alone-{stem}")
    assert page.locator(".jp-RenderedText[data-mime-type*=error]").count() == 0
    said = {"04_cause": "was not looked for yet", "05_recovery": "Not rehearsed, which needs"}
    assert page.get_by_text(said[stem]).count()
