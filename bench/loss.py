"""How long it takes to say what N missing links mean, against comparing their table.

    python -m bench.loss [--links N]

Two tables of N links: one was dropped, and of every 50th parent live holds the links in a JSON
column instead; the other lost every other row, and one in a hundred is back under another key.
Some parents are gone. The measure: classifying a table takes at most three times as long as
comparing it did, in bounded memory.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.sheet import Sheet, Spent, parser
from forensics.compare.options import Options
from forensics.compare.tables import compare_sources
from forensics.documents import plain, plain_catalog
from forensics.evidence import open_source
from forensics.loss import assess
from forensics.model import TableName
from forensics.scratch import Scratch
from forensics.store import Store

_REACH = 3.0
_BEFORE = """
CREATE TABLE hotels (id text PRIMARY KEY, name text NOT NULL, created_at timestamp NOT NULL);
CREATE TABLE assets (id text PRIMARY KEY, url text NOT NULL, created_at timestamp NOT NULL);
INSERT INTO hotels SELECT 'hotel' || i, 'Hotel ' || i,
  timestamp '2025-01-01' + i * interval '1 minute' FROM generate_series(0, {hotels} - 1) i;
INSERT INTO assets SELECT 'asset' || i, 'https://cdn.example/' || i,
  timestamp '2025-01-01' + i * interval '10 s' FROM generate_series(0, {assets} - 1) i;
"""
_LINKS = """
CREATE TABLE {table} (id text PRIMARY KEY, hotel_id text NOT NULL, asset_id text NOT NULL,
  sort_order int NOT NULL,
  is_primary boolean NOT NULL, created_at timestamp NOT NULL);
INSERT INTO {table} SELECT '{table}' || i, 'hotel' || (i / 20),
  'asset' || (i::bigint * 7919 % {assets}), i % 20, i % 20 = 0,
  timestamp '2025-01-01' + i * interval '5 s' FROM generate_series(0, {links} - 1) i;
ALTER TABLE {table} ADD FOREIGN KEY (hotel_id) REFERENCES hotels ON DELETE CASCADE,
  ADD FOREIGN KEY (asset_id) REFERENCES assets ON DELETE CASCADE;
"""
_AFTER = """
ALTER TABLE hotels ADD gallery_asset_ids jsonb, ADD cover_asset_id text;
UPDATE hotels h SET gallery_asset_ids = g.ids FROM
  (SELECT hotel_id, jsonb_agg(asset_id ORDER BY sort_order) AS ids FROM dropped_links
  WHERE substr(hotel_id, 6)::int % 50 = 0 GROUP BY 1) g
  WHERE h.id = g.hotel_id;
DROP TABLE dropped_links;
ALTER TABLE thinned_links DROP CONSTRAINT thinned_links_hotel_id_fkey,
  DROP CONSTRAINT thinned_links_asset_id_fkey;
DELETE FROM thinned_links WHERE sort_order % 2 = 0;
INSERT INTO thinned_links SELECT 'again' || i, 'hotel' || (i / 20),
  'asset' || (i::bigint * 7919 % {assets}), i % 20, false, now()
  FROM generate_series(0, {links} - 1, 100) i;
DELETE FROM hotels WHERE substr(id, 6)::int % 1000 = 1;
DELETE FROM thinned_links WHERE hotel_id NOT IN (SELECT id FROM hotels);
ALTER TABLE thinned_links ADD FOREIGN KEY (hotel_id) REFERENCES hotels ON DELETE CASCADE,
  ADD FOREIGN KEY (asset_id) REFERENCES assets ON DELETE CASCADE;
"""


def main() -> None:
    """Build both sides, compare, classify, and print what each took."""
    asked = parser(__doc__)
    asked.add_argument("--links", type=int, default=1_000_000)
    links = asked.parse_args().links
    sizes = {"links": links, "hotels": max(links // 20, 1), "assets": max(links // 10, 1)}
    with Scratch() as scratch, tempfile.TemporaryDirectory(prefix="forensics-bench-") as folder:
        scratch.create("bench")
        scratch.run("bench", _BEFORE.format(**sizes))
        for table in ("dropped_links", "thinned_links"):
            scratch.run("bench", _LINKS.format(table=table, **sizes))
        dump = Path(folder) / "backup.sql"
        scratch.dump("bench", dump)
        scratch.run("bench", _AFTER.format(**sizes))
        scratch.run("bench", "ANALYZE")
        _measure(dump, scratch.dsn("bench"), Path(folder) / "case", sizes)


def _measure(dump: Path, dsn: str, case: Path, sizes: dict[str, int]) -> None:
    with open_source(dump, role="backup") as backup, open_source(dsn, role="live") as live:
        store = Store(case, write=True, memory=Options.memory)
        store.put("evidence", {"backup": plain(backup.provenance), "live": plain(live.provenance)})
        store.put(
            "catalogs",
            {"backup": plain_catalog(backup.catalog), "live": plain_catalog(live.catalog)},
        )
        store.put("backup_at", "2025-12-31T03:00:00+00:00")
        store.put("incident_at", "2026-01-01T03:00:00+00:00")
        compare_sources(backup, live, store, Options())
        before = _peak()
        started = time.monotonic()
        assess(backup, live, store)
        took = time.monotonic() - started
        compared = {r.name: r.seconds for r in store.results()}
        loss = store.get("loss")
        store.close()
    junctions = [TableName(j["schema"], j["table"]) for j in loss["junctions"]]
    seconds = sum(compared[n] for n in junctions)
    print(f"{sizes['links']:,} links in each of {', '.join(map(str, junctions))}")
    print(
        "  compared in "
        + ", ".join(f"{compared[n]:.1f} s" for n in junctions)
        + f"; all tables {sum(compared.values()):.1f} s"
    )
    print(
        f"  classified in {took:.1f} s, {took / seconds:.2f} times as long as comparing them (at "
        f"most {_REACH})"
    )
    print(f"  {loss['totals']}")
    print(f"  peak memory {before:,} MB after comparing, {_peak():,} MB after classifying")
    sheet = Sheet("loss", f"the loss of {sizes['links']:,} links in each of two tables")
    peer, peers = "comparing these tables", [Spent(seconds)]
    sheet.peer(peer, peers)
    sheet.add("classifying what is missing", [Spent(took)], peer, peers, reach=_REACH)
    sheet.close()
    if took > _REACH * seconds:
        sys.exit("classifying took too long")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
