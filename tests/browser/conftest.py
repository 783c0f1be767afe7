"""A real browser, and a real JupyterLab in it. `make browser` runs these; `make test` does not.

Where no Chromium is, they are skipped with a sentence; FORENSICS_BROWSER=required makes that a
failure, which is what CI says. Each writes what it saw to build/screens/, to be looked at.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.sample import SHIPPED as ROOT
from sample_data import build
from tests.conftest import Incident

SCREENS = ROOT / "build" / "screens"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def _chromium() -> str:
    for name in _NAMES:
        found = shutil.which(name)
        if found:
            return found
    said = "There is no Chromium: apt-get install chromium, or run what does not need one."
    if os.environ.get("FORENSICS_BROWSER") == "required":
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    program = _chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        yield started
        started.close()


@dataclass
class Seen:
    """A page that is open, and what it did besides showing itself."""

    page: Any
    errors: list[str]
    requests: list[str]

    def screen(self, name: str) -> None:
        """Write what the page shows to build/screens/."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Seen]]:
    """Open an address: `open_page(url, width=1280, height=900, scheme="light")`."""
    contexts = []

    def opened(url: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Seen:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        seen = Seen(page, [], [])
        page.on("console", lambda said: said.type == "error" and seen.errors.append(said.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda asked: seen.requests.append(asked.url))
        page.goto(url)
        return seen

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def lab(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab on copies of the notebooks, about the sample incident."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(sample_case, folder / "case")
    with _served(folder, FORENSICS_MIGRATIONS=str(build.MIGRATIONS)) as address:
        yield address


@pytest.fixture
def lone_lab(incident: Incident, tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that has a case, and neither backup nor live nor migrations."""
    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE a_b (a int REFERENCES a, b int REFERENCES b, PRIMARY KEY (a, b));"
        "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), (2);"
        "INSERT INTO a_b VALUES (1, 1), (1, 2), (2, 1)",
        "DROP TABLE a_b",
    )
    incident.compare("case").close()
    incident.backup.unlink()
    with _served(tmp_path) as address:
        yield address


@contextmanager
def _served(folder: Path, **told: str) -> Iterator[str]:
    """Serve copies of the notebooks about the case in a folder, and what is told of it."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", str(folder / "notebooks"), "--no-browser"]
    command += ["--allow-root", f"--port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--LabApp.app_settings_dir={ROOT / 'tools' / 'jupyterlab'}"]
    environment = {
        **os.environ,
        "FORENSICS_CASE": str(folder / "case"),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        **told,
    }
    environment.pop("LIVE_DSN", None)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _answers(port, folder / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}.ipynb?token={token}&reset"
        finally:
            server.terminate()
            server.wait(30)


def _answers(port: int, log: Path, seconds: int = 90) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"JupyterLab does not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def report(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the sample's report, a file."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    with fx.open_case(sample_case) as case:
        case.report(out)
    return out.as_uri()


@pytest.fixture(scope="session")
def slides(sample_case: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the sample's slides, a file."""
    out = tmp_path_factory.mktemp("slides") / "slides.html"
    with fx.open_case(sample_case) as case:
        case.report(out, slides=True)
    return out.as_uri()
