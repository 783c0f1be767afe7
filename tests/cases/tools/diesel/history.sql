CREATE TABLE __diesel_schema_migrations (
  version character varying(50) NOT NULL PRIMARY KEY,
  run_on timestamp DEFAULT CURRENT_TIMESTAMP NOT NULL
);
INSERT INTO __diesel_schema_migrations VALUES ('20260101000000', '2026-01-01');
INSERT INTO __diesel_schema_migrations VALUES ('20260102000000', '2026-01-02');
INSERT INTO __diesel_schema_migrations VALUES ('20260110000000', '2026-01-10');
