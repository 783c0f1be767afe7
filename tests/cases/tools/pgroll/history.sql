CREATE SCHEMA pgroll;
CREATE TABLE pgroll.migrations (
  schema name NOT NULL,
  name text NOT NULL,
  migration jsonb NOT NULL,
  created_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
  parent text,
  done boolean NOT NULL DEFAULT false,
  resulting_schema jsonb NOT NULL DEFAULT '{}',
  migration_type varchar(32) DEFAULT 'pgroll',
  PRIMARY KEY (schema, name)
);
INSERT INTO pgroll.migrations VALUES ('public', '01_boats', '{"operations": [{"create_table": {"name": "boats", "columns": []}}]}', '2026-01-01', '2026-01-01', NULL, true, '{}', 'pgroll');
INSERT INTO pgroll.migrations VALUES ('public', '02_trim', '{"operations": [{"sql": {"up": "DELETE FROM boats WHERE id = 1", "down": ""}}]}', '2026-01-02', '2026-01-02', '01_boats', true, '{}', 'pgroll');
INSERT INTO pgroll.migrations VALUES ('public', '03_hull', '{"operations": [{"drop_column": {"table": "boats", "column": "hull"}}]}', '2026-01-03', '2026-01-03', '02_trim', false, '{}', 'pgroll');
