CREATE TABLE hotels (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE assets (id text PRIMARY KEY, url text NOT NULL);
CREATE TABLE hotel_images (id text PRIMARY KEY, hotel_id text NOT NULL REFERENCES hotels (id) ON DELETE CASCADE,
    asset_id text NOT NULL REFERENCES assets (id) ON DELETE CASCADE, sort_order int NOT NULL DEFAULT 0);
INSERT INTO hotels SELECT 'h' || i, 'Hotel ' || i FROM generate_series(1, 10) i;
INSERT INTO assets SELECT 'a' || i, 'https://example/' || i FROM generate_series(1, 40) i;
INSERT INTO hotel_images SELECT 'i' || i, 'h' || (1 + i % 10), 'a' || i, i FROM generate_series(1, 40) i;
