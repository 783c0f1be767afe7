CREATE SCHEMA atlas_schema_revisions;
CREATE TABLE atlas_schema_revisions.atlas_schema_revisions (
    version varchar PRIMARY KEY, description varchar NOT NULL, type bigint NOT NULL DEFAULT 2,
    applied bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0, executed_at timestamptz NOT NULL,
    hash varchar NOT NULL
);
INSERT INTO atlas_schema_revisions.atlas_schema_revisions VALUES
    ('.atlas_cloud_identifier', 'x', 2, 0, 0, '2025-01-01', ''),
    ('20250201000000', 'baseline', 1, 0, 0, '2025-02-02 10:00+00', 'h'),
    ('20250301000000', 'c', 2, 1, 2, '2025-03-02 10:00+00', 'h');
