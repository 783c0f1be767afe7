-- Sent before after_backup.sql and after_incident.sql, in the same session.
-- Chance without chance: everything is drawn from the MD5 of a seed, so that each build writes the same rows.
SET max_parallel_workers_per_gather = 0;

-- A number in [0, 1).
CREATE FUNCTION pg_temp.chance(seed text) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT ('x' || substr(md5(seed), 1, 8))::bit(32)::bigint / 4294967296.0 $$;

-- An id as Prisma's cuid() makes one: milliseconds in base 36, then a counter, a fingerprint and noise.
CREATE FUNCTION pg_temp.cuid(at timestamp, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT 'c' || string_agg(substr('0123456789abcdefghijklmnopqrstuvwxyz',
                                   1 + ((extract(epoch FROM at) * 1000)::bigint / (36 ^ place)::bigint % 36)::int, 1), '' ORDER BY place DESC)
              || substr(md5(seed), 1, 4) || 'qs1k' || substr(md5(seed), 5, 8)
   FROM generate_series(0, 7) place $$;
