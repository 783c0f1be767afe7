"""The HTML report: whole in one file, in its order, and nothing in it is obeyed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

import forensics as fx
from forensics.masking import MARK
from forensics.report import html, markdown
from forensics.report.gathering import gather
from forensics.scratch import Scratch
from tests.report.conftest import LINKS, VALUES

_HEADINGS = {"h1", "h2", "h3", "h4"}
_VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """A page taken apart.

    Elements with their attributes, headings, visible text; whether its tags are balanced.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in _HEADINGS:
            self.headings.append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)
        if _HEADINGS & set(self.open):
            self.headings[-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture
def page(sample: fx.Case) -> Page:
    return Page(html.render(gather(sample)))


@pytest.fixture
def nasty_page(nasty: fx.Case) -> Page:
    return Page(html.render(gather(nasty)))


def test_it_is_well_formed(page: Page, nasty_page: Page) -> None:
    assert page.open == []
    assert nasty_page.open == []


def test_sections_stand_in_their_order(page: Page) -> None:
    assert page.headings == [
        "Incident report: sample_case",
        "What it means",
        "How it happened",
        "What we do not know",
        "Actions",
        "Evidence",
        "Rows in all",
        "Loss by table",
        "Overwritten values",
        "Changed rows",
        "Links that are missing",
        "The worst hit",
        "Before and after",
        "What survives elsewhere",
        "What cannot be put back as it is",
        "Schema drift",
        "Proven intact",
        "The incident window",
        "Provenance",
        "Method and limits",
        "How it was found out",
        "What it does not say",
    ]


def test_it_says_the_verdict_the_totals_and_the_digest(page: Page, sample: fx.Case) -> None:
    assert sample.verdict in page.text
    for number in (55_434, 54_890, 913):
        assert f"{number:,}" in page.text
    assert str(sample.evidence.backup.sha256) in page.text
    assert "hotels.gallery_asset_ids" in page.text


def test_it_loads_nothing_and_runs_nothing(page: Page, nasty_page: Page) -> None:
    for found in (page, nasty_page):
        for tag, attributes in found.elements:
            assert tag not in ("script", "iframe", "object", "embed", "img", "link", "base", "form")
            assert not any(name.startswith("on") for name in attributes)
            for name in ("href", "xlink:href", "src"):
                assert (attributes.get(name) or "#").startswith("#")


def test_tables_say_what_their_headings_head(page: Page) -> None:
    assert all(
        attributes.get("scope") in ("col", "row")
        for tag, attributes in page.elements
        if tag == "th"
    )


def test_figures_say_what_they_show(page: Page) -> None:
    drawn = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(drawn) >= 8
    assert all(a["role"] == "img" and a["aria-label"] for a in drawn)


def test_values_are_masked_unless_asked(nasty: fx.Case) -> None:
    shown = html.render(gather(nasty))
    for secret in (
        "evil.example",
        "cdn.example",
        "crimson",
        "Room of secrets",
        "mail.example",
        "kept to oneself",
    ):
        assert secret not in shown
    assert "https://cdn.example" not in html.render(gather(nasty))
    open_ = html.render(gather(nasty, mask=False))
    assert "crimson" in open_
    assert "Not masked." in open_


def test_values_are_shown_and_not_obeyed(nasty: fx.Case) -> None:
    raw = html.render(gather(nasty, mask=False))
    found = Page(raw)
    assert VALUES[0] in found.text
    assert "\\x1b[31mcrimson" in found.text
    assert "\\u202egnp.exe" in found.text
    assert not any(tag == "script" for tag, _ in found.elements)
    assert "\x1b" not in raw
    assert "\u202e" not in raw


def test_names_are_shown_as_they_are(nasty_page: Page) -> None:
    assert LINKS.replace('"', '""') in nasty_page.text


def test_what_could_not_be_compared_is_said_at_the_top_and_in_its_place(nasty_page: Page) -> None:
    assert "Not compared" in nasty_page.headings
    assert nasty_page.text.index("1 table could not be compared.") < nasty_page.text.index(
        "Loss by table"
    )
    assert "never_dumped" in nasty_page.text


def test_stages_that_the_case_has_not_been_through_have_no_section(page: Page) -> None:
    assert "Cause" not in page.headings
    assert "Recovery" not in page.headings


def test_cause_and_recovery_have_their_sections(investigated: Path) -> None:
    with fx.open_case(investigated) as case:
        raw = html.render(gather(case))
        text = markdown.render(gather(case))
        recovery = case.store.get("recovery")
    found = Page(raw)
    assert (
        found.headings.index("Cause")
        < found.headings.index("Recovery")
        < found.headings.index("Provenance")
    )
    assert 'DROP TABLE "hotel_images"' in found.text
    assert "updated_at" in found.text
    assert "= '[]' WHERE" in found.text, "an empty value is nobody’s, and says why"
    assert "reinsert lost rows" in found.text
    for page in (found.text, text.replace("\\", "")):
        assert "Nine of ten rows were there." in page
        assert "It does not hold" in page
        assert "3.5" in page
        assert "crimson" not in page
        # The price of each way out: of which tables, which rows, and what the application's code
        # needs then.
        assert f"base {MARK}, quote {MARK}, day {MARK}" in page
        assert "What the application needs: The present code, which reads the new columns." in page
        assert "prisma migrate resolve --rolled-back" in page
    assert "<code>prisma migrate resolve --rolled-back</code>" in raw
    options = {o["name"]: o for o in recovery["options"]}
    destroyed = options["full restore"]["destroyed"]
    assert (
        f"What a full restore destroys: {sum(t['rows'] for t in destroyed):,} rows of "
        f"{len(destroyed)} tables" in found.text
    )
    assert "What stays when recovery.sql has run" in found.text
    for stay in recovery["stays"]:
        assert stay["rows"] is not None
        for page in (found.text, text.replace("\\", "").replace("`", "")):
            assert stay["reason"].replace("`", "") in page
    assert "## Cause" in text
    assert "## Recovery" in text
    assert "of the backup, on 2026-01-03 09:08:07 UTC, and" in found.text
    # The runbook, step by step, as people read it and as they copy it.
    at = [
        found.headings.index(h)
        for h in (
            "Recovery",
            "Runbook",
            "1. Before",
            "2. Bring the rows back",
            "3. Check",
            "Back out",
            "What stays",
            "Odd <b>",
        )
    ]
    assert at == sorted(at)
    assert "The rehearsal failed. Do not run these scripts on live." in found.text
    assert (
        '<pre class="commands">pg_dump -Fc -f before_recovery.dump -d '
        "&#34;$DATABASE&#34;\npg_restore --list" in raw
    )
    assert "<code>a&lt;b&gt;</code> Rows of t do not go in" in raw
    assert "one &lt; two\nthree</pre>" in raw
    assert "### 2. Bring the rows back" in text
    assert (
        '```sh\npsql -X -v ON_ERROR_STOP=1 -d "$DATABASE" -f recovery.sql; echo "exit $?"\n```'
        in text
    )
    assert found.open == []


def test_examples_of_rows_in_the_plan_are_masked_in_json(
    investigated: Path, tmp_path: Path
) -> None:
    with fx.open_case(investigated) as case:
        masked, shown = (
            json.loads(case.report(tmp_path / f"{m}.json", mask=m).read_text())["recovery"]
            for m in (True, False)
        )
    assert masked != shown
    examples = [
        row
        for plan in (masked,)
        for o in plan["options"]
        for d in o["destroyed"]
        if d["table"] == "exchange_rates"
        for row in d["examples"]
    ]
    assert examples
    assert all(value == MARK for row in examples for value in row.values())


def test_the_same_case_gives_the_same_bytes(nasty: fx.Case) -> None:
    assert html.render(gather(nasty)) == html.render(gather(nasty))


def test_nothing_missing_is_said_so(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    name = database("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
    dump = scratch.dump(name, tmp_path / "t.sql")
    with fx.compare(dump, scratch.dsn(name), tmp_path / "case") as case:
        found = Page(html.render(gather(case)))
    assert "Every row of the backup is in live" in found.text
    assert "Loss by table" not in found.headings
    assert "Proven intact" in found.headings


@pytest.mark.parametrize(
    ("moved", "superseded", "said"),
    [
        (
            2,
            3,
            "2 of the missing links moved: live holds them in another place. 3 are superseded: "
            "the same table holds the link under another key. What is here is not lost.",
        ),
        (
            1,
            0,
            "1 of the missing links moved: live holds it in another place. "
            "What is here is not lost.",
        ),
        (
            0,
            1,
            "1 is superseded: the same table holds the link under another key. "
            "What is here is not lost.",
        ),
    ],
)
def test_sentences_stand_apart(moved: int, superseded: int, said: str) -> None:
    d = SimpleNamespace(classes={"moved": moved, "superseded": superseded}, survivors=[])
    raw = html.environment().get_template("survives.html").render(d=d)
    assert Page(raw).text.strip() == said
