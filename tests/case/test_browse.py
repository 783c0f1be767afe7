"""Looking around in the loss."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import UnknownTableError


@pytest.fixture
def browser(sample_case: Path):
    with fx.open_case(sample_case) as case:
        yield case.browse()


def test_it_begins_with_the_worst_hit(browser) -> None:
    assert str(browser.junction.name) == "hotel_images"
    assert browser.parent == "hotels"
    assert len(browser.links) == browser.rows.iloc[0]["missing"] == browser.rows["missing"].max()
    assert (browser.links["hotel_id"] == browser.key[0]).all()


def test_choosing_goes_somewhere_else(browser) -> None:
    browser.choose("_HotelToTag" if "_HotelToTag" in browser._names else '"_HotelToTag"', "tags")
    assert len(browser.links) == browser.rows.iloc[0]["missing"]
    key = tuple(browser.rows.iloc[1, :1])
    browser.choose("tour_images", "media_assets", ("no such row",))
    assert len(browser.links) == 0
    browser.choose('"_HotelToTag"', "tags", key)
    assert (browser.links["B"] == key[0]).all()


def test_links_are_those_of_the_whole(browser) -> None:
    rows = browser.junction.rows
    expected = rows[rows["hotel_id"] == browser.key[0]].reset_index(drop=True)
    assert browser.links.astype(str).equals(expected.astype(str))


def test_a_parent_that_is_none_is_refused(browser) -> None:
    with pytest.raises(UnknownTableError, match="hotels"):
        browser.choose("hotel_images", "cities")


def test_it_shows_itself_without_widgets(browser) -> None:
    bundle = browser._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert browser.key[0] in bundle["text/html"]
    assert "hotel_images" in bundle["text/html"]


def test_the_widgets_follow_each_other(browser) -> None:
    junction, parent, row, shown = browser._widget().children
    assert f"{len(browser.links):,} missing links" in shown.value
    junction.value = "tour_images"
    assert browser.parent == parent.value == "tours"
    assert browser.key == row.value
    row.value = row.options[3][1]
    assert browser.key == row.options[3][1]
    assert f"{len(browser.links):,} missing link" in shown.value
    parent.value = "media_assets"
    assert row.value == browser.key == tuple(browser.rows.iloc[0, :1])
    assert browser.key[0] in shown.value


def test_values_are_not_obeyed(database, scratch, tmp_path: Path) -> None:
    name = database(
        "CREATE TABLE a (id int PRIMARY KEY, name text); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE ab (a int REFERENCES a, b int REFERENCES b, PRIMARY KEY (a, b));"
        "INSERT INTO a VALUES (1, '<script>alert(1)</script>'); INSERT INTO b VALUES (1); "
        "INSERT INTO ab VALUES (1, 1);"
    )
    dump = scratch.dump(name, tmp_path / "ab.sql")
    scratch.run(name, "DELETE FROM ab")
    with fx.compare(dump, scratch.dsn(name), tmp_path / "case") as case:
        found = case.browse()
        assert "<script>" not in found._repr_html_()
        assert "&lt;script&gt;" in found._repr_html_()


def test_nothing_missing_is_said_so(database, scratch, tmp_path: Path) -> None:
    name = database("CREATE TABLE a (id int PRIMARY KEY)")
    dump = scratch.dump(name, tmp_path / "a.sql")
    with fx.compare(dump, scratch.dsn(name), tmp_path / "case") as case:
        found = case.browse()
        assert found.links.empty
        assert "No link" in found._repr_mimebundle_()["text/html"]
