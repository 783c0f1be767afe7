BEGIN;

-- Running upgrade b2f0 -> d4f0

ALTER TABLE boats ADD COLUMN hull text;

UPDATE alembic_version SET version_num='d4f0' WHERE alembic_version.version_num = 'b2f0';

-- Running upgrade b2f0 -> c3f0

DELETE FROM boats WHERE id IN (7, 8, 9);

INSERT INTO alembic_version (version_num) VALUES ('c3f0') RETURNING alembic_version.version_num;

-- Running upgrade c3f0, d4f0 -> e5f0

DELETE FROM boats WHERE id = 6;

DELETE FROM alembic_version WHERE alembic_version.version_num = 'c3f0';

UPDATE alembic_version SET version_num='e5f0' WHERE alembic_version.version_num = 'd4f0';

COMMIT;

