CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, inserted_at timestamp(0));
INSERT INTO schema_migrations VALUES (20260101000000, '2026-01-01');
INSERT INTO schema_migrations VALUES (20260102000000, '2026-01-02');
INSERT INTO schema_migrations VALUES (20260110000000, '2026-01-10');
