-- hull: two of one text are refused
BEGIN;
ALTER TABLE boats DROP COLUMN hull;
COMMIT;
