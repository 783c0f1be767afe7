CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz);
INSERT INTO gorp_migrations VALUES ('0001_boats.sql', '2026-01-01 10:00+00'),
  ('0002_trim.sql', '2026-02-01 10:00+00');
