-- +migrate Up
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);

-- +migrate Down
SELECT 1;
