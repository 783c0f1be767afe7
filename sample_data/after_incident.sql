-- What the application and its editors wrote after the migration (2026-01-02 10:40 UTC), until somebody stopped to look.

-- A moment between the migration and the next morning.
CREATE FUNCTION pg_temp.moment(seed text) RETURNS timestamp(3) LANGUAGE sql IMMUTABLE AS
$$ SELECT timestamp '2026-01-02 11:00' + pg_temp.chance(seed || 'later') * interval '21 hours' $$;

-- An editor saw the empty pages and filled some galleries by hand, with what the CDN still had in the folder of the hotel or tour.
UPDATE hotels h
SET gallery_asset_ids = found.ids, cover_asset_id = found.ids ->> 0, updated_at = pg_temp.moment('gallery' || h.id)
FROM (SELECT h.id, jsonb_agg(m.id ORDER BY m.created_at, m.id) AS ids
      FROM hotels h JOIN media_assets m ON m.url LIKE 'https://cdn.example/hotels/%' AND split_part(m.url, '/', 5) = h.slug
      GROUP BY h.id HAVING count(*) BETWEEN 4 AND 40 ORDER BY md5('gallery' || h.id) LIMIT 9) AS found
WHERE h.id = found.id;

UPDATE tours t
SET gallery_asset_ids = found.ids, cover_asset_id = found.ids ->> 0, updated_at = pg_temp.moment('gallery' || t.id)
FROM (SELECT t.id, jsonb_agg(m.id ORDER BY m.created_at, m.id) AS ids
      FROM tours t JOIN media_assets m ON m.url LIKE 'https://cdn.example/tours/%' AND split_part(m.url, '/', 5) = t.slug
      GROUP BY t.id HAVING count(*) BETWEEN 4 AND 40 ORDER BY md5('gallery' || t.id) LIMIT 4) AS found
WHERE t.id = found.id;

-- For two more hotels the editor only had time for a part, and for one of these took a photograph that was never its own.
UPDATE hotels h
SET gallery_asset_ids = found.ids || CASE found.rank WHEN 1 THEN '[]'::jsonb
      ELSE (SELECT jsonb_agg(id) FROM (SELECT id FROM media_assets WHERE url LIKE '%/uploads/%' ORDER BY id LIMIT 1) AS other) END,
    updated_at = pg_temp.moment('gallery' || h.id)
FROM (SELECT id, jsonb_path_query_array(ids, '$[0 to 2]') AS ids, row_number() OVER (ORDER BY md5('part' || id)) AS rank
      FROM (SELECT h.id, jsonb_agg(m.id ORDER BY m.created_at, m.id) AS ids
            FROM hotels h JOIN media_assets m ON m.url LIKE 'https://cdn.example/hotels/%' AND split_part(m.url, '/', 5) = h.slug
            WHERE h.gallery_asset_ids IS NULL GROUP BY h.id HAVING count(*) > 8) AS folders
      ORDER BY md5('part' || id) LIMIT 2) AS found
WHERE h.id = found.id;

-- Three have a cover again and nothing else.
UPDATE hotels h SET cover_asset_id = found.id, updated_at = pg_temp.moment('cover' || h.id)
FROM (SELECT h.id AS hotel_id, min(m.id) AS id
      FROM hotels h JOIN media_assets m ON m.url LIKE 'https://cdn.example/hotels/%' AND split_part(m.url, '/', 5) = h.slug
      WHERE h.gallery_asset_ids IS NULL GROUP BY h.id HAVING count(*) > 2 ORDER BY md5('cover' || h.id) LIMIT 3) AS found
WHERE h.id = found.hotel_id;

-- Meanwhile parents and photographs go, and no link can come back to those.
DELETE FROM tours WHERE id = (
  SELECT id FROM tours t WHERE gallery_asset_ids IS NULL AND NOT EXISTS (SELECT FROM tour_bookings b WHERE b.tour_id = t.id) ORDER BY md5('ends' || id) LIMIT 1);
DELETE FROM restaurants WHERE id = (SELECT id FROM restaurants ORDER BY md5('closes' || id) LIMIT 1);
DELETE FROM media_assets WHERE id IN (SELECT id FROM media_assets WHERE url LIKE '%/restaurants/%' ORDER BY md5('late' || id) LIMIT 4);

-- The feature that the migration was for works.
INSERT INTO external_hotels (id, provider, external_id, name, city_id, photos, fetched_at)
SELECT pg_temp.cuid('2026-01-02 11:05', 'external' || external_id), provider, external_id, title,
       (SELECT id FROM cities ORDER BY md5(cities.id || external_id) LIMIT 1), '[]', '2026-01-02 11:05+00'
FROM external_catalog_items WHERE provider = 'bookdirect' ORDER BY md5(external_id) LIMIT 60;
INSERT INTO external_hotel_rates (external_hotel_id, room_code, check_in, price, currency)
SELECT id, 'STD', date '2026-02-01' + day, 70 + floor(pg_temp.chance(id || day) * 80), 'EUR'
FROM external_hotels, generate_series(0, 6) day ORDER BY external_id, day;
INSERT INTO hotel_bookings (id, user_id, check_in, check_out, guests, total, currency, status, created_at, updated_at, external_hotel_id, hotel_source)
SELECT pg_temp.cuid(at, 'stay' || h.id), (SELECT id FROM users ORDER BY md5(users.id || h.id) LIMIT 1), '2026-02-02', '2026-02-05', 2, 310.00, 'EUR', 'CONFIRMED', at, at, h.id, 'EXTERNAL'
FROM external_hotels h, LATERAL (SELECT pg_temp.moment('stay' || h.id)) AS m(at) WHERE pg_temp.chance('stay' || h.id) < 0.15 ORDER BY at, h.id;

-- Everyday work goes on.
INSERT INTO hotel_bookings (id, user_id, hotel_id, room_id, check_in, check_out, guests, total, currency, status, created_at, updated_at)
SELECT pg_temp.cuid(at, 'late' || r.id), (SELECT id FROM users ORDER BY md5(users.id || r.id) LIMIT 1), r.hotel_id, r.id, '2026-03-01', '2026-03-03', 2, r.price * 2, 'EUR', 'CONFIRMED', at, at
FROM hotel_rooms r, LATERAL (SELECT pg_temp.moment('late' || r.id)) AS m(at) WHERE pg_temp.chance('late' || r.id) < 0.008 ORDER BY at, r.id;
INSERT INTO payments (id, hotel_booking_id, provider_ref, amount, currency, status, created_at)
SELECT pg_temp.cuid(created_at, 'payment' || id), id, 'pay_' || substr(md5(id), 1, 8), total, currency, 'CAPTURED', created_at AT TIME ZONE 'UTC'
FROM hotel_bookings WHERE created_at > '2026-01-02 10:40' ORDER BY created_at, id;
UPDATE sessions SET last_seen_at = pg_temp.moment('again' || id) AT TIME ZONE 'UTC' WHERE pg_temp.chance('again' || id) < 0.08;
INSERT INTO external_search_cache (id, source, query_hash, query_json, results_json, hits, created_at, expires_at)
SELECT pg_temp.cuid(at, 'find' || n), 'bookdirect', md5('find' || n), '{"city": "Kaş", "guests": 2}', '{"ids": []}', 1, at, (at + interval '4 days') AT TIME ZONE 'UTC'
FROM generate_series(1, 25) n, LATERAL (SELECT pg_temp.moment('find' || n)) AS m(at) ORDER BY at;
INSERT INTO audit_logs (actor_id, action, entity, entity_id, diff, at)
SELECT (SELECT id FROM users WHERE role = 'EDITOR' ORDER BY md5(id) LIMIT 1), 'update', 'hotel', id, '{"gallery_asset_ids": "filled by hand"}', updated_at AT TIME ZONE 'UTC'
FROM hotels WHERE gallery_asset_ids IS NOT NULL ORDER BY updated_at, hotels.id;
UPDATE settings SET value = value || '{"active": ["bookdirect", "roomhub", "external-hotels"]}', updated_at = '2026-01-02 11:02+00' WHERE key = 'search.providers';
