CREATE TABLE hotels (id text PRIMARY KEY, name text NOT NULL, featured text);
CREATE TABLE media_assets (id text PRIMARY KEY, url text NOT NULL);
CREATE TABLE hotel_images (
  id text PRIMARY KEY, hotel_id text NOT NULL REFERENCES hotels ON DELETE CASCADE,
  asset_id text NOT NULL REFERENCES media_assets ON DELETE CASCADE,
  sort_order int NOT NULL, is_primary boolean NOT NULL DEFAULT false, created_at timestamp NOT NULL DEFAULT '2025-12-01 10:00');
INSERT INTO hotels SELECT 'h' || i, 'Hotel ' || i, CASE WHEN i = 6 THEN 'a60' END FROM generate_series(1, 8) i;
INSERT INTO media_assets SELECT 'a' || i, 'https://cdn.example/' || i FROM generate_series(10, 89) i;
-- hotel n has the assets n0, n1 and n2
INSERT INTO hotel_images (id, hotel_id, asset_id, sort_order, is_primary)
  SELECT 'l' || h || k, 'h' || h, 'a' || h || k, k, k = 0 FROM generate_series(1, 8) h, generate_series(0, 2) k;

CREATE TABLE hotel_documents (hotel_id text NOT NULL REFERENCES hotels, asset_id text NOT NULL REFERENCES media_assets, PRIMARY KEY (hotel_id, asset_id));
INSERT INTO hotel_documents VALUES ('h1', 'a10'), ('h2', 'a70');
