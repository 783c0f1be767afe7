-- Up Migration
ALTER TABLE boats DROP COLUMN hull;

-- Down Migration
SELECT 1;
