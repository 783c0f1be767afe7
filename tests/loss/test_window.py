"""The incident window: when it was, and whether 90 % intervals hold 90 times in 100."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from forensics.cli.times import parse_time
from forensics.loss.window import estimate
from forensics.report.gathering import gather
from forensics.report.sections.unsure import unsure
from tests.conftest import Incident

DAY = 86400.0
HISTORIES = 400


def begin(day: int, hour: float) -> float:
    return datetime(2025, 11, 3, tzinfo=UTC).timestamp() + day * DAY + hour * 3600


def by_day(
    random: np.random.Generator, first: float, last: float, rate: Callable[[int], float], batch: int
) -> np.ndarray:
    """Times of rows: sessions at office hours, with batches of rows; fewer at week-ends."""
    days = np.arange(first // DAY, last // DAY + 1)
    sessions = random.poisson([rate(int(day + 3) % 7) for day in days])
    at = np.repeat(days * DAY, sessions) + random.beta(3, 3, sessions.sum()) * DAY
    rows = np.ones(len(at), int) if batch == 1 else random.geometric(1 / batch, len(at))
    found = np.sort(np.repeat(at, rows) + random.random(rows.sum()) * 600)
    return found[(found >= first) & (found < last)]


@pytest.mark.parametrize(
    ("rate", "batch"),
    [
        pytest.param(lambda weekday: 40, 1, id="every row by itself"),
        pytest.param(lambda weekday: 20, 6, id="in batches, as editors work"),
        pytest.param(
            lambda weekday: 25 if weekday < 5 else 5, 4, id="batches, and quiet week-ends"
        ),
    ],
)
def test_the_interval_holds_the_truth_about_90_times_in_100(
    rate: Callable[[int], float], batch: int
) -> None:
    random = np.random.default_rng(20260102)
    held = 0
    for history in range(HISTORIES):
        start, seconds = begin(history % 28, 3), (6 + 36 * random.random()) * 3600
        times = by_day(random, start - 300 * DAY, start + seconds, rate, batch)
        found = estimate(times[times < start], start, seconds)
        assert found is not None
        held += found.low <= int(np.count_nonzero(times >= start)) <= found.high
    assert 0.85 <= held / HISTORIES <= 0.95, held / HISTORIES


def test_windows_are_laid_over_the_same_hours() -> None:
    # One row each day at noon: a window over noon sees one, a window over the evening none.
    times = np.array([begin(-day, 12) for day in range(100, 0, -1)])
    noon, evening = (
        estimate(times, begin(0, 11), 2 * 3600.0),
        estimate(times, begin(0, 18), 2 * 3600.0),
    )
    assert noon is not None
    assert evening is not None
    assert (noon.low, noon.likely, noon.high) == (1, 1, 1)
    assert (evening.low, evening.likely, evening.high) == (0, 0, 0)


def test_a_week_end_is_held_against_week_ends() -> None:
    # Ten rows on each working day, none at week-ends. Day 0 is a Monday.
    times = np.array(
        [begin(-day, 12) + n for day in range(280, 0, -1) for n in range(10) if -day % 7 < 5]
    )
    monday, sunday = estimate(times, begin(0, 0), DAY), estimate(times, begin(-1, 0), DAY)
    assert monday is not None
    assert sunday is not None
    assert (monday.low, monday.high) == (10, 10)
    assert (sunday.low, sunday.high) == (0, 0)


def test_a_past_shorter_than_the_window_gives_no_estimate() -> None:
    assert estimate(np.array([begin(-1, 12)]), begin(0, 0), 3 * DAY) is None
    assert estimate(np.array([]), begin(0, 0), DAY) is None


BEFORE = """
CREATE TABLE hotels (id int PRIMARY KEY, name text, created_at timestamptz NOT NULL);
CREATE TABLE assets (id int PRIMARY KEY, url text, created_at timestamptz NOT NULL);
CREATE TABLE hotel_images (
  hotel_id int NOT NULL REFERENCES hotels, asset_id int NOT NULL REFERENCES assets,
  created_at timestamptz NOT NULL, PRIMARY KEY (hotel_id, asset_id)
);
CREATE TABLE _prisma_migrations (
  id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL, applied_steps_count int NOT NULL
);
-- every day four assets are uploaded at noon and linked an hour later
INSERT INTO hotels SELECT i, 'Hotel ' || i, '2025-09-01 08:00Z' FROM generate_series(1, 3) i;
INSERT INTO assets
  SELECT i, 'u' || i, timestamptz '2025-09-01 12:00Z' + i / 4 * interval '1 day'
    FROM generate_series(0, 399) i;
INSERT INTO hotel_images
  SELECT 1 + i % 3, i, timestamptz '2025-09-01 13:00Z' + i / 4 * interval '1 day'
    FROM generate_series(0, 399) i;
INSERT INTO _prisma_migrations VALUES
  ('1', 'a', '2025-08-01 00:00Z', 'init', NULL, NULL, '2025-08-01 00:00Z', 1);
"""
# Between the backup (10 December, 03:00) and the migration (16:00), ten more assets came.
CHANGE = """
INSERT INTO assets SELECT i, 'u' || i, '2025-12-10 12:00Z' FROM generate_series(400, 409) i;
INSERT INTO _prisma_migrations VALUES
  ('2', 'b', '2025-12-10 16:00Z', 'drop_images', NULL, NULL, '2025-12-10 15:59Z', 1),
  ('3', 'c', NULL, 'failed', NULL, NULL, '2025-12-10 15:00Z', 0),
  ('4', 'd', '2025-12-12 09:00Z', 'later', NULL, NULL, '2025-12-12 09:00Z', 1);
DROP TABLE hotel_images;
"""


def test_the_window_is_read_from_the_migration_history_and_from_the_rows(
    incident: Incident,
) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        window = case.window
        assert window.backup_at == parse_time("2025-12-09T13:00:00Z")  # the last row of the backup
        assert "hotel_images.created_at" in window.basis["backup_at"]
        assert window.incident_at == parse_time("2025-12-10T16:00:00Z")
        assert "drop_images" in window.basis["incident_at"]
        assert window.seconds == 27 * 3600
        assert "2025-12-10 16:00:00 UTC" in window._repr_html_()


def test_traces_in_live_raise_the_lower_bound(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    times = {
        "backup_at": parse_time("2025-12-10T03:00:00Z"),
        "incident_at": parse_time("2025-12-10T16:00:00Z"),
    }
    with incident.compare(times=times) as case:
        assert case.window.basis == {"backup_at": "given", "incident_at": "given"}
        frame = case.window.unobservable
        assert list(frame["table"]) == ["hotel_images"]
        # The past says four; ten new assets, each of which has been linked within the hour so far,
        # say ten.
        assert frame[["low", "likely", "high"]].iloc[0].tolist() == [10, 10, 10]
        assert "raise the lower bound from 4 to 10" in frame["basis"].iloc[0]


def test_a_table_that_survives_has_next_to_nothing_unseen(incident: Incident) -> None:
    incident.happens(
        BEFORE,
        CHANGE.replace(
            "DROP TABLE hotel_images", "DELETE FROM hotel_images WHERE asset_id % 100 = 0"
        ),
    )
    with incident.compare(times={"backup_at": parse_time("2025-12-10T03:00:00Z")}) as case:
        row = case.window.unobservable.iloc[0]
        assert (row["low"], row["likely"], row["high"]) == (0, 0, 1)
        assert "survives" in row["basis"]


def test_a_table_that_was_wiped_is_as_good_as_dropped(incident: Incident) -> None:
    incident.happens(
        BEFORE,
        CHANGE.replace(
            "DROP TABLE hotel_images",
            "DELETE FROM hotel_images; "
            "INSERT INTO hotel_images VALUES (1, 400, '2025-12-10 13:00Z')",
        ),
    )
    with incident.compare(times={"backup_at": parse_time("2025-12-10T03:00:00Z")}) as case:
        row = case.window.unobservable.iloc[0]
        assert "1 rows that survived are taken off" in row["basis"] or "1 row" in row["basis"]
        assert row["high"] >= 3


def test_without_any_time_nothing_is_guessed(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); "
        "CREATE TABLE ab (a_id int REFERENCES a, b_id int REFERENCES b, PRIMARY KEY (a_id, b_id)); "
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO ab VALUES (1, 1)",
        "DROP TABLE ab",
    )
    with incident.compare() as case:
        window = case.window
        assert window.backup_at is None
        assert window.incident_at is None
        assert window.seconds is None
        assert window.unobservable[["likely", "high"]].isna().all(axis=None)
        assert "–" in window._repr_html_()


def test_the_version_of_a_migration_is_a_time_to_try(incident: Incident) -> None:
    """Rails notes which versions ran and not when: the newest one's own time is offered."""
    incident.happens(
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY);"
        "INSERT INTO schema_migrations VALUES ('20251201080000'), ('20251209120000');"
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE ab (a_id int REFERENCES a, b_id int REFERENCES b, PRIMARY KEY (a_id, b_id));"
        "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO ab VALUES (1, 1)",
        "DROP TABLE ab; INSERT INTO schema_migrations VALUES ('20260115093000')",
    )
    with incident.compare() as case:
        assert case.window.incident_at is None
        basis = case.window.basis["incident_at"]
        assert "migration 20260115093000 was written on 2026-01-15 at 09:30" in basis
        assert "give --incident-at 2026-01-15T09:30Z" in basis
        assert basis in " ".join(unsure(gather(case)))
    with incident.compare("again", times={"incident_at": parse_time("2026-01-15T09:30Z")}) as case:
        assert case.window.incident_at is not None
