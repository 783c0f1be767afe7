"""What the user says of a table counts for more than its structure."""

from __future__ import annotations

import pytest

import forensics as fx
from forensics.errors import UsageError
from tests.conftest import Incident

BEFORE = """
CREATE TABLE hotels (id int PRIMARY KEY, name text);
CREATE TABLE people (id int PRIMARY KEY, name text);
INSERT INTO hotels SELECT i, 'h' || i FROM generate_series(1, 20) i;
INSERT INTO people SELECT i, 'p' || i FROM generate_series(1, 20) i;
CREATE TABLE stays (
  id int PRIMARY KEY, at_hotel int, guest int, notes text, price numeric, paid text
);
INSERT INTO stays SELECT i, 1 + i % 20, 1 + i % 7, 'n', 1, 'x' FROM generate_series(1, 60) i;
CREATE TABLE likes (
  hotel_id int REFERENCES hotels, person_id int REFERENCES people,
  PRIMARY KEY (hotel_id, person_id)
);
INSERT INTO likes SELECT i, i FROM generate_series(1, 20) i;
"""
CHANGE = "DELETE FROM stays WHERE id > 50; DELETE FROM likes WHERE hotel_id > 15"


def test_a_junction_table_that_is_not_seen_as_one(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare("plain") as case:
        assert {j["table"] for j in case.loss["junctions"]} == {"likes"}
    options = fx.Options(
        junctions={"stays": (("at_hotel", "hotels"), ("guest", "people"))}, not_junctions=("likes",)
    )
    with incident.compare("told", options=options) as case:
        [stays] = case.loss["junctions"]
        assert (stays["table"], stays["missing"]) == ("stays", 10)
        assert {p["table"] for p in stays["parents"]} == {"hotels", "people"}
        assert not any(p["declared"] for p in stays["parents"])
        flags = {t["table"]: t["junction"] for t in case.summary()["tables"]}
        assert (flags["stays"], flags["likes"]) == (True, False)


def test_a_table_that_is_not_there(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    for wish in (
        {"nothing": (("a", "hotels"), ("b", "people"))},
        {"stays": (("nothing", "hotels"), ("guest", "people"))},
    ):
        with pytest.raises(UsageError, match="--junction"):
            incident.compare("wrong", options=fx.Options(junctions=wish), force=True)
