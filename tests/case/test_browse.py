"""From the verdict to a row before and after: a table, a parent, a row."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics.case.clicks import Browser, lists
from forensics.errors import UnknownTableError
from tests.conftest import Incident

SHOP = """
CREATE TABLE shops (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, shop_id int REFERENCES shops, made_by int
    REFERENCES people, sent_by int REFERENCES people, pair text, total numeric, gone text);
CREATE TABLE likes (shop_id int REFERENCES shops, person_id int REFERENCES people,
    PRIMARY KEY (shop_id, person_id));
CREATE TABLE quiet (id int PRIMARY KEY);
INSERT INTO shops VALUES (1, 'One'), (2, '<script>alert(1)</script>');
INSERT INTO people SELECT i, 'p' || i FROM generate_series(1, 5) i;
INSERT INTO orders SELECT i, 1 + i % 2, 1 + i % 5, CASE WHEN i = 7 THEN 3 END, 'pair ' || i, i,
    'g' FROM generate_series(1, 30) i;
INSERT INTO likes SELECT s, p FROM generate_series(1, 2) s, generate_series(1, 5) p;
"""
ACCIDENT = """
DELETE FROM orders WHERE id IN (1, 3, 5, 4);
UPDATE orders SET total = 0.00, pair = NULL WHERE id = 7;
ALTER TABLE orders DROP COLUMN gone, ADD COLUMN later int DEFAULT 9;
DELETE FROM likes WHERE shop_id = 2 AND person_id > 2;
"""


@pytest.fixture
def look(sample_case: Path):
    with fx.open_case(sample_case) as case:
        yield case.browse()


@pytest.fixture
def shop(incident: Incident):
    incident.happens(SHOP, ACCIDENT)
    with incident.compare("case") as case:
        yield case.browse()


def what(look: Browser) -> dict[str, tuple[object, object, str]]:
    """By column, the row before and after, and what is the matter."""
    frame = look.before_after
    return {row[0]: row[1:] for row in frame.itertuples(index=False, name=None)}


def test_it_begins_with_the_worst_hit(look: Browser) -> None:
    assert look.table == "hotel_images"
    assert look.parent == "hotels"
    assert look.amount == len(look.rows) == look.parents["missing"].max()
    assert (look.rows["hotel_id"] == look.key[0]).all()
    assert look.row.said.startswith("missing, ")


def test_choosing_goes_somewhere_else(look: Browser) -> None:
    look.choose('"_HotelToTag"', "tags")
    assert look.amount == look.parents.iloc[0]["missing"]
    key = tuple(look.parents.iloc[1, :1])
    look.choose("tour_images", "media_assets", ("no such row",))
    assert look.amount == 0
    assert look.row.values.empty
    look.choose('"_HotelToTag"', "tags", key)
    assert (look.rows["B"] == key[0]).all()


def test_rows_are_those_of_the_whole(look: Browser, sample_case: Path) -> None:
    with fx.open_case(sample_case) as case:
        rows = case.junction("hotel_images").rows
    expected = rows[rows["hotel_id"] == look.key[0]].reset_index(drop=True)
    found = look.rows.drop(columns=["pair", "state"])
    assert found.astype(str).equals(expected.astype(str))


def test_a_parent_that_is_none_is_refused(look: Browser) -> None:
    with pytest.raises(UnknownTableError, match="cities is no parent") as error:
        look.choose("hotel_images", "cities")
    assert "hotels" in str(error.value.hint)


def test_a_table_that_links_nothing_is_parted_by_its_foreign_keys(shop: Browser) -> None:
    shop.choose("orders")
    assert shop.ways == ["shops", "people by made_by", "people by sent_by", "(every row)"]
    assert shop.key == ("2",)
    assert shop.parents.to_dict("list") == {
        "shop_id": ["2", "1"],
        "missing": [3, 1],
        "changed": [1, 0],
    }
    assert shop.rows["id"].tolist() == ["1", "3", "5", "7"]
    assert not shop.row.beside
    shop.choose("orders", "people by sent_by")
    assert (shop.key, shop.amount) == (("3",), 1)
    shop.choose("orders", "(every row)")
    assert (shop.key, shop.amount) == ((), 5)


def test_a_changed_row_stands_before_and_after(shop: Browser) -> None:
    shop.choose("orders")
    pair = shop.rows.iloc[-1, 0]
    shop.choose("orders", "shops", ("2",), int(pair))
    assert shop.row.said == "changed."
    found = what(shop)
    assert found["total"] == ("7", "0.00", "differs")
    assert found["pair"][0] == "pair 7"
    assert found["pair"][2] == "differs"
    assert found["gone"][2] == "not in live"
    assert found["later"][1:] == ("9", "not in the backup")
    assert found["sent_by"] == ("3", "3", "")
    # What differs stands first, and NULL is told from what is not there.
    shown = shop.row_html()
    assert shown.index("pair 7") < shown.index("shop_id")
    assert "NULL" in shown


def test_every_table_that_is_hit_is_there_and_no_other(shop: Browser) -> None:
    assert [result.name.table for result in shop.tables] == ["orders", "likes"]
    with pytest.raises(UnknownTableError, match="quiet"):
        shop.choose("quiet")


def test_values_are_not_obeyed(shop: Browser) -> None:
    for text in (shop.choose("likes")._repr_html_(), lists(shop).children[1].value):
        assert "<script>" not in text
    assert "&lt;script&gt;" in shop._repr_html_()


def test_it_shows_itself_without_widgets(look: Browser) -> None:
    bundle = look._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert look.key[0] in bundle["text/html"]
    assert "hotel_images" in bundle["text/html"]


def test_three_clicks(shop: Browser) -> None:
    """A table, a parent, a row: each list follows the one before, and the last shows the row."""
    beside, shown = lists(shop).children
    (_, tables), (_, ways, parents), (_, rows, _) = (step.children for step in beside.children)
    assert tables.options[0][0] == "orders · 4 missing, 1 changed"
    tables.value = "likes"
    assert ways.value == shop.parent == "shops"
    assert parents.options[0][0] == "<script>alert(1)</script> · 3 of 5 missing"
    assert rows.value == shop.pair
    tables.value = "orders"
    parents.value = ("1",)
    assert [label for label, _ in rows.options] == ["missing · 4, 5, pair 4, 4, g"]
    assert "pair 4" in shown.value
    parents.value = ("2",)
    rows.value = rows.options[-1][1]
    assert "0.00" in shown.value
    ways.value = "(every row)"
    assert len(rows.options) == 5
    assert parents.options == (("every row", ()),)


def test_what_is_not_offered_is_said(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 300)",
        "DELETE FROM t",
    )
    with incident.compare("case") as case:
        look = case.browse()
        more = lists(look).children[0].children[2].children[2]
        assert "The first 200 of 300 rows" in more.value
        assert len(look.rows) == 300


def test_a_superseded_link_stands_beside_the_row_that_has_it(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE ab (id int PRIMARY KEY, a int REFERENCES a, b int REFERENCES b);"
        "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1), (2);"
        "INSERT INTO ab VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1)",
        "DELETE FROM ab WHERE id = 2; INSERT INTO ab VALUES (20, 1, 2)",
    )
    with incident.compare("case") as case:
        look = case.browse()
        assert look.row.said == "missing, superseded: live holds it under another key."
        assert what(look)["id"] == ("2", "20", "differs")


def test_nothing_missing_is_said_so(incident: Incident) -> None:
    incident.happens("CREATE TABLE a (id int PRIMARY KEY)", "SELECT 1")
    with incident.compare("case") as case:
        look = case.browse()
        assert look.rows.empty
        assert look.parents.empty
        assert "No row is missing" in look._repr_mimebundle_()["text/html"]
