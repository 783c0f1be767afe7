"""The documentation speaks of what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PITFALLS = (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PITFALLS))))
def test_a_test_that_is_named_is_there(named: str) -> None:
    path, name = named.split("::")
    assert re.search(rf"^def {name}\(", (ROOT / "tests" / path).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`cases/(\w+)`", PITFALLS)) - {"NAME"}))
def test_an_incident_that_is_named_is_there(named: str) -> None:
    assert (ROOT / "tests" / "cases" / named / "expected.json").exists()


def test_every_pitfall_names_a_test() -> None:
    rows = [
        line
        for line in PITFALLS.splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| what can"))
    ]
    assert len(rows) > 30
    for row in rows:
        assert re.search(r"`[\w/]+\.py::\w+`|`cases/\w+`", row), row


@pytest.mark.parametrize(
    "page", ["README.md", "docs/pitfalls.md", "docs/hazards/README.md", "sample_data/README.md"]
)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_what_comes_next_can_be_built() -> None:
    """Fragments of the changelog have names that towncrier knows."""
    fragments = [path.name for path in (ROOT / "changelog.d").iterdir() if path.name != "README.md"]
    for name in fragments:
        assert re.fullmatch(r"[\w-]+\.(added|changed|fixed)\.md", name), name


def test_security_names_tests_that_there_are() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert named
    for path in named:
        assert (ROOT / path).exists(), path
