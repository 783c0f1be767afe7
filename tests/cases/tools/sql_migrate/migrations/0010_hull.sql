-- +migrate Up
ALTER TABLE boats DROP COLUMN hull;

-- +migrate Down
SELECT 1;
