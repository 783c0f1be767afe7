-- migrate:up
ALTER TABLE boats DROP COLUMN hull;

-- migrate:down
SELECT 1;
