-- What the application wrote between the backup (2026-01-01 03:00 UTC) and the migration (2026-01-02 10:40 UTC).
-- All of it is in order: none of it is part of the incident. Its new links are gone all the same, and in no backup.

-- A moment of those two days at which people are awake.
CREATE FUNCTION pg_temp.moment(seed text) RETURNS timestamp(3) LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN pg_temp.chance(seed || 'day') < 0.6
               THEN timestamp '2026-01-01 09:00' + pg_temp.chance(seed || 'time') * interval '14 hours'
               ELSE timestamp '2026-01-02 06:30' + pg_temp.chance(seed || 'time') * interval '4 hours' END $$;

-- People sign up, sign in, change their settings and are signed out.
INSERT INTO users (id, email, name, role, locale, created_at, updated_at)
SELECT pg_temp.cuid(at, 'user' || n), 'newyear' || n || '@mail.example', name, 'TRAVELLER', 'en', at, at
FROM unnest(ARRAY['Zofia Łuczak', 'Pau Ribé', 'Ngozi Eze', 'Håkon Vik', 'Ayşe Kılıç', '林 美玲', 'Tom O''Dea', 'Inês Faria'])
     WITH ORDINALITY AS u(name, n), LATERAL (SELECT pg_temp.moment('user' || n)) AS m(at)
ORDER BY at;

UPDATE users SET preferences = coalesce(preferences, '{}') || '{"newsletter": false}', updated_at = pg_temp.moment('prefs' || id)
WHERE pg_temp.chance('prefs' || id) < 0.015 AND created_at < '2026-01-01';

DELETE FROM sessions WHERE expires_at < '2026-01-02 10:00+00';
UPDATE sessions SET last_seen_at = pg_temp.moment('seen' || id) AT TIME ZONE 'UTC' WHERE pg_temp.chance('seen' || id) < 0.1;
INSERT INTO sessions (id, user_id, user_agent, last_seen_at, expires_at)
SELECT pg_temp.cuid(pg_temp.moment('session' || id), 'session' || id), id, 'travel-app/4.12 (ios)',
       pg_temp.moment('session' || id) AT TIME ZONE 'UTC', (pg_temp.moment('session' || id) + interval '30 days') AT TIME ZONE 'UTC'
FROM users WHERE pg_temp.chance('session' || id) < 0.05 ORDER BY pg_temp.moment('session' || id), id;

-- Photographs are uploaded; nine bad ones are deleted, and every link to them goes with them.
INSERT INTO media_assets (id, url, kind, width, height, bytes, uploaded_by_id, created_at)
SELECT pg_temp.cuid(at, 'asset' || n), 'https://cdn.example/uploads/' || substr(md5('asset' || n), 1, 12) || '.jpg', 'IMAGE', 1600, 1067,
       100000 + n * 977, (SELECT id FROM users WHERE role = 'EDITOR' ORDER BY md5(id || n) LIMIT 1), at
FROM generate_series(1, 140) n, LATERAL (SELECT pg_temp.moment('asset' || n)) AS m(at) ORDER BY at;

DELETE FROM media_assets WHERE id IN (
  SELECT id FROM media_assets WHERE created_at < '2025-12-20' AND url NOT LIKE '%/stock/%' ORDER BY md5('bad' || id) LIMIT 9);

-- Three hotels leave the platform with their rooms, tags and galleries, four come, some change.
DELETE FROM hotels WHERE id IN (
  SELECT id FROM hotels h
  WHERE NOT EXISTS (SELECT FROM hotel_bookings b WHERE b.hotel_id = h.id)
    AND (SELECT count(*) FROM hotel_images i WHERE i.hotel_id = h.id) BETWEEN 8 AND 60
  ORDER BY md5('leaves' || id) LIMIT 3);

UPDATE hotels SET price_from = price_from + 5, updated_at = pg_temp.moment('price' || id) WHERE pg_temp.chance('price' || id) < 0.02;
UPDATE hotels SET name = name || ' (renovated)', updated_at = pg_temp.moment('name' || id)
WHERE id IN (SELECT id FROM hotels WHERE status = 'PUBLISHED' ORDER BY md5('renovated' || id) LIMIT 3);

INSERT INTO hotels (id, city_id, name, slug, stars, address, price_from, status, created_at, updated_at)
SELECT pg_temp.cuid(at, slug), (SELECT id FROM cities WHERE cities.slug = town), name, slug, 3, jsonb_build_object('city', town), 79.00, 'PUBLISHED', at, at
FROM (VALUES ('Casa do Relógio', 'casa-do-relogio', 'evora'), ('Pod Złotym Jeleniem', 'pod-zlotym-jeleniem', 'gdansk'),
             ('Liman Evleri', 'liman-evleri', 'kas'), ('雪見の宿', 'yukimi-no-yado', 'kanazawa')) AS v(name, slug, town),
     LATERAL (SELECT pg_temp.moment(slug)) AS m(at)
ORDER BY at;

INSERT INTO hotel_rooms (id, hotel_id, name, capacity, price, bed_types, created_at)
SELECT pg_temp.cuid(created_at, 'room' || id), id, 'Double', 2, 84.00, '{DOUBLE}', created_at FROM hotels WHERE created_at > '2026-01-01 03:00' ORDER BY created_at;

DELETE FROM "_HotelToTag" WHERE pg_temp.chance('untag' || "A" || "B") < 0.005;
INSERT INTO tags (name) VALUES ('hammam');
INSERT INTO "_HotelToTag" ("A", "B")
SELECT h.id, t.id FROM hotels h, tags t
WHERE pg_temp.chance('tag' || h.id || t.name) < CASE t.name WHEN 'hammam' THEN 0.02 ELSE 0.0006 END
ORDER BY h.id, t.id ON CONFLICT DO NOTHING;

-- The rest of the catalogue.
INSERT INTO city_places (id, city_id, name, category, created_at, updated_at)
SELECT pg_temp.cuid(at, name), (SELECT id FROM cities WHERE slug = town), name, 'VIEWPOINT', at, at
FROM (VALUES ('Winter Lights Terrace', 'lodz'), ('Harbour Steps', 'izmir'), ('First Snow Hill', 'tromso')) AS v(name, town),
     LATERAL (SELECT pg_temp.moment(name)) AS m(at) ORDER BY at;
INSERT INTO tours (id, city_id, title, slug, duration_minutes, price, languages, status, created_at, updated_at)
SELECT pg_temp.cuid(at, title), (SELECT id FROM cities WHERE slug = town), title, replace(lower(title), ' ', '-'), 120, 39.00, '{en}', 'PUBLISHED', at, at
FROM (VALUES ('Aurora by snowshoe', 'tromso'), ('New year market walk', 'koln')) AS v(title, town),
     LATERAL (SELECT pg_temp.moment(title)) AS m(at) ORDER BY at;
DELETE FROM tours WHERE id = (
  SELECT id FROM tours t WHERE status = 'DRAFT' AND NOT EXISTS (SELECT FROM tour_bookings b WHERE b.tour_id = t.id) ORDER BY md5(id) LIMIT 1);
UPDATE restaurants SET rating = round((rating + 0.1)::numeric, 2), updated_at = pg_temp.moment('rating' || id)
WHERE rating < 4.8 AND pg_temp.chance('rating' || id) < 0.03;
UPDATE products SET stock = stock - 1, updated_at = pg_temp.moment('stock' || id) WHERE stock > 0 AND pg_temp.chance('stock' || id) < 0.12;
UPDATE transport_products SET price = price + 2, updated_at = '2026-01-01 09:00' WHERE kind = 'RAIL_PASS';

-- Galleries: editors remove links, put others in another order, and add new ones.
DO $$
DECLARE gallery record;
BEGIN
  FOR gallery IN
    SELECT * FROM (VALUES
      ('hotel_images', 'hotels', 'hotel_id', 16), ('tour_images', 'tours', 'tour_id', 7), ('city_place_images', 'city_places', 'city_place_id', 6),
      ('restaurant_images', 'restaurants', 'restaurant_id', 6), ('product_images', 'products', 'product_id', 4),
      ('medical_images', 'medical_centers', 'medical_center_id', 2), ('city_images', 'cities', 'city_id', 3),
      ('transport_images', 'transport_products', 'transport_product_id', 2), ('esim_images', 'esim_plans', 'esim_plan_id', 1)
    ) AS v(junction, parent, parent_id, parents)
  LOOP
    EXECUTE format('DELETE FROM %I WHERE pg_temp.chance(''unlink'' || id) < 0.0009', gallery.junction);
    EXECUTE format('UPDATE %I SET sort_order = sort_order + 1 WHERE pg_temp.chance(''order'' || %I) < 0.002', gallery.junction, gallery.parent_id);
    -- The newest parents come first, so that the new hotels and tours have galleries too.
    EXECUTE format(
      'INSERT INTO %1$I (id, %3$I, asset_id, sort_order, is_primary, created_at)
       SELECT pg_temp.cuid(at, %1$L || p.id || a.n), p.id, a.id, 100 + a.n, false, at
       FROM (SELECT id, created_at, row_number() OVER (ORDER BY created_at > ''2026-01-01 03:00'' DESC, md5(''grows'' || id)) AS rank FROM %2$I) p,
            LATERAL (SELECT greatest(pg_temp.moment(p.id), p.created_at + interval ''5 minutes'')) AS m(at),
            LATERAL (SELECT id, row_number() OVER (ORDER BY md5(id || p.id)) AS n FROM media_assets
                     WHERE created_at > ''2026-01-01 03:00'' AND created_at < at) a
       WHERE p.rank <= %4$s AND a.n <= 1 + floor(pg_temp.chance(''many'' || p.id) * 6)
       ORDER BY at, p.id, a.n', gallery.junction, gallery.parent, gallery.parent_id, gallery.parents);
  END LOOP;
END $$;

-- Bookings, payments and the shop.
INSERT INTO hotel_bookings (id, user_id, hotel_id, room_id, check_in, check_out, guests, total, currency, status, created_at, updated_at)
SELECT pg_temp.cuid(at, 'booking' || r.id), (SELECT id FROM users ORDER BY md5(id || r.id) LIMIT 1), r.hotel_id, r.id,
       date '2026-02-01' + (pg_temp.chance(r.id) * 40)::int, date '2026-02-04' + (pg_temp.chance(r.id) * 40)::int, 2, r.price * 3, 'EUR', 'CONFIRMED', at, at
FROM hotel_rooms r, LATERAL (SELECT pg_temp.moment('booking' || r.id)) AS m(at)
WHERE pg_temp.chance('booking' || r.id) < 0.013 AND r.created_at < '2026-01-01' ORDER BY at, r.id;
INSERT INTO payments (id, hotel_booking_id, provider_ref, amount, currency, status, created_at)
SELECT pg_temp.cuid(created_at, 'payment' || id), id, 'pay_' || substr(md5(id), 1, 8), total, currency, 'CAPTURED', created_at AT TIME ZONE 'UTC'
FROM hotel_bookings WHERE created_at > '2026-01-01 03:00' ORDER BY created_at, id;
UPDATE hotel_bookings SET status = 'CANCELLED', updated_at = pg_temp.moment('cancel' || id)
WHERE status = 'CONFIRMED' AND check_in > '2026-01-05' AND created_at < '2026-01-01' AND pg_temp.chance('cancel' || id) < 0.05;
UPDATE payments SET status = 'REFUNDED' WHERE status = 'CAPTURED' AND hotel_booking_id IN (
  SELECT id FROM hotel_bookings WHERE status = 'CANCELLED' AND updated_at > '2026-01-01 03:00');
DELETE FROM orders WHERE status = 'CART' AND pg_temp.chance('cart' || id) < 0.2;
UPDATE orders SET status = 'SHIPPED' WHERE status = 'PLACED' AND placed_at > '2025-12-20' AND pg_temp.chance('ship' || id) < 0.5;
UPDATE promo_codes SET used = used + 5 WHERE code = 'NEWYEAR26';

-- What machines write: caches, provider feeds, rates, notifications, the audit log.
DELETE FROM external_search_cache WHERE expires_at < '2026-01-02 09:00+00';
UPDATE external_search_cache SET hits = hits + 1 WHERE pg_temp.chance('hit' || id) < 0.15;
INSERT INTO external_search_cache (id, source, query_hash, query_json, results_json, hits, created_at, expires_at)
SELECT pg_temp.cuid(at, 'search' || n), 'roomhub', md5('search' || n), jsonb_build_object('city', 'Ubud', 'guests', n % 4 + 1),
       CASE WHEN n % 8 > 0 THEN jsonb_build_object('ids', '[]'::jsonb) END, 1, at, (at + interval '4 days') AT TIME ZONE 'UTC'
FROM generate_series(1, 60) n, LATERAL (SELECT pg_temp.moment('search' || n)) AS m(at) ORDER BY at;
UPDATE external_catalog_items SET price = price + 3, updated_at = '2026-01-02 04:00:00' WHERE provider = 'bookdirect' AND pg_temp.chance('feed' || id) < 0.3;
DELETE FROM external_catalog_items WHERE provider = 'roomhub' AND pg_temp.chance('feed' || id) < 0.012;
INSERT INTO external_catalog_items (id, provider, external_id, title, payload, price, created_at, updated_at)
SELECT pg_temp.cuid('2026-01-02 04:00:01', 'item' || n), 'bookdirect', 'b' || 60000 + n, 'Winter Rooms ' || n, '{"rooms": 12}', 60 + n, '2026-01-02 04:00:01', '2026-01-02 04:00:01'
FROM generate_series(1, 35) n;
INSERT INTO exchange_rates SELECT base, quote, date '2026-01-02', rate * 1.001 FROM exchange_rates WHERE day = '2026-01-01' ORDER BY quote;
UPDATE notifications SET read_at = pg_temp.moment('read' || id) AT TIME ZONE 'UTC' WHERE read_at IS NULL AND pg_temp.chance('read' || id) < 0.1;
INSERT INTO notifications (id, user_id, kind, payload, created_at)
SELECT pg_temp.cuid(created_at, 'note' || id), user_id, 'booking.confirmed', jsonb_build_object('hotelId', hotel_id), created_at AT TIME ZONE 'UTC'
FROM hotel_bookings WHERE created_at > '2026-01-01 03:00' ORDER BY created_at, id;
INSERT INTO favorites (user_id, entity_type, entity_id, created_at)
SELECT id, 'TOUR', (SELECT id FROM tours ORDER BY md5(tours.id || users.id) LIMIT 1), pg_temp.moment('like' || id)
FROM users WHERE pg_temp.chance('like' || id) < 0.02 ORDER BY pg_temp.moment('like' || users.id), users.id ON CONFLICT DO NOTHING;
DELETE FROM favorites WHERE pg_temp.chance('unlike' || user_id || entity_id) < 0.008;
INSERT INTO audit_logs (actor_id, action, entity, entity_id, at)
SELECT (SELECT id FROM users WHERE role = 'EDITOR' ORDER BY md5(id || h.id) LIMIT 1), 'update', 'hotel', id, updated_at AT TIME ZONE 'UTC'
FROM hotels h WHERE updated_at > '2026-01-01 03:00' ORDER BY updated_at, h.id;
