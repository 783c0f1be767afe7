"""The README's pictures, taken of what `make demo` wrote, so that they cannot lie.

python -m tools.pictures     (make pictures)
"""

from __future__ import annotations

import shutil
import sys

from tools.house import ROOT

_REPORT = ROOT / "build" / "demo" / "report.html"
_PICTURE = ROOT / "docs" / "report.png"
_SIZE = {"width": 1280, "height": 800}


def main() -> int:
    """Write docs/report.png: the first screen of the demo's report."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium: apt-get install chromium.")
        return 2
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport=_SIZE)
        page.goto(_REPORT.as_uri())
        page.screenshot(path=_PICTURE)
        browser.close()
    print(f"{_PICTURE.relative_to(ROOT)} is of the demo's report.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
