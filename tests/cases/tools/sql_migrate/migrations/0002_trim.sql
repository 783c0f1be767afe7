-- +migrate Up
DELETE FROM boats WHERE id > 6;

-- +migrate Down
SELECT 1;
