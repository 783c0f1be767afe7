"""The demo's executed notebooks as pages: nobody is asked for anything, everybody can read them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forensics import notebooks
from tests.browser.conftest import Seen

NOTEBOOK = "03_junction_loss.ipynb"
# DataTables calls what turns the pages of each table alike.
_NOT_OURS = {"landmark-unique"}


@pytest.fixture(scope="module")
def page(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of notebook 03, which has tables, figures and widgets, as a page."""
    folder = tmp_path_factory.mktemp("pages")
    case = shutil.copytree(sample_case, folder / "case")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(notebooks.SHIPPED))
        with ThreadPoolExecutor(1) as apart:  # the browser's own loop runs in this thread
            some = notebooks._all_executed([notebooks.NOTEBOOKS / NOTEBOOK], case, print)
            (run,) = apart.submit(asyncio.run, some).result()
    out = (folder / NOTEBOOK).with_suffix(".html")
    out.write_text(notebooks._page(notebooks._exporter(), run, out.stem), encoding="utf-8")
    return out.as_uri()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_asks_nobody_and_axe_finds_nothing(
    page: str, open_page: Callable[..., Seen], width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen = open_page(page, width=width)
    seen.page.locator(".dt-container").first.wait_for(timeout=60_000)
    seen.screen(f"page-03-{width}")
    assert [url for url in seen.requests if url.startswith("http")] == []
    assert seen.errors == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    found = {one["id"]: one for one in Axe().run(seen.page).response["violations"]}
    assert found.keys() <= _NOT_OURS, found
