-- migrate:up
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);

-- migrate:down
SELECT 1;
