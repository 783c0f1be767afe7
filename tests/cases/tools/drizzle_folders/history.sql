CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (
    id serial PRIMARY KEY, hash text NOT NULL, created_at bigint, name text, applied_at timestamptz
);
INSERT INTO drizzle.__drizzle_migrations (hash, created_at, name, applied_at) VALUES
    ('aa', 1735689600000, '20250101000000_init', '2025-01-02 10:00+00'),
    ('bb', 1738368000123, NULL, NULL);
