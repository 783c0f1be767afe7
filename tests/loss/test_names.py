"""What names say, and which tables are junction tables by structure alone."""

from __future__ import annotations

import pytest

from forensics.loss.junctions import find_junctions, junction_of
from forensics.loss.names import likeness, related, stem, words
from forensics.model import Catalog, Column, ForeignKey, Key, Table, TableName


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CityPlaceIds", ("city", "place", "id")),
        ("city_place_ids", ("city", "place", "id")),
        ("galleryAssetIDs", ("gallery", "asset", "id")),
        ("categories", ("category",)),
        ("addresses", ("address",)),
        ("status", ("status",)),
        ("hotel2tag", ("hotel", "2", "tag")),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


def test_a_column_is_named_after_a_table() -> None:
    assert likeness("hotel_id", "hotels") == 3
    assert likeness("hotelId", "Hotel") == 3
    assert likeness("asset_id", "media_assets") == 2
    assert likeness("cover_asset_id", "assets") == 2
    assert likeness("cover_asset_id", "media_assets") == 1
    assert likeness("guests", "hotels") == 0
    assert stem("fk_asset_uuid") == ("asset",)


def test_a_label_is_related_by_itself_or_by_what_it_stands_in() -> None:
    assert related("gallery_asset_ids", [], {"asset"})
    assert related("id", ["tags", "meta"], {"tag"})
    assert not related("weight", ["tags", "meta"], {"tag"})


def table(
    name: str, columns: dict[str, str], parents: dict[str, str], key: tuple[str, ...] = ()
) -> Table:
    return Table(
        TableName("public", name),
        columns=tuple(Column(c, t, nullable=c.endswith("?")) for c, t in columns.items()),
        keys=(Key("pk", key, primary=True),) if key else (),
        foreign_keys=tuple(
            ForeignKey(f"{name}_{c}", (c,), TableName("public", p), ("id",))
            for c, p in parents.items()
        ),
    )


def found(*tables: Table) -> set[str]:
    return {n.table for n in find_junctions(Catalog(tables={t.name: t for t in tables}))}


def test_structure_makes_a_junction_table() -> None:
    ids = {"a_id": "integer", "b_id": "integer"}
    links = {"a_id": "a", "b_id": "b"}
    a, b = table("a", {"id": "integer"}, {}, ("id",)), table("b", {"id": "integer"}, {}, ("id",))
    assert found(a, b, table("a_b", ids, links)) == {"a_b"}
    assert found(
        a,
        b,
        table(
            "with_id",
            {"id": "text", **ids, "sort_order": "integer", "is_primary": "boolean"},
            links,
            ("id",),
        ),
    ) == {"with_id"}
    assert found(a, b, table("friends", ids, {"a_id": "a", "b_id": "a"})) == {"friends"}
    assert (
        found(a, b, table("booking", {**ids, "price": "numeric", "checkin": "date"}, links))
        == set()
    )
    assert found(a, b, table("child", {"a_id": "integer"}, {"a_id": "a"})) == set()


def test_who_made_a_link_is_no_part_of_it() -> None:
    columns = {"a_id": "integer", "b_id": "integer", "added_by": "integer"}
    parents = {"a_id": "a", "b_id": "b", "added_by": "users"}
    junction = table("a_b", columns, parents)
    ends = find_junctions(Catalog(tables={junction.name: junction}))[junction.name]
    assert junction_of(junction, ends).link_columns == ("a_id", "b_id")
    keyed = table("a_b", columns, parents, ("a_id", "added_by"))
    assert junction_of(keyed, ends).link_columns == ("a_id", "added_by")
