BEGIN;
--
-- Raw SQL operation
--
ALTER TABLE boats DROP COLUMN hull;
COMMIT;
