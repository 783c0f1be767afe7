-- Up Migration
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);

-- Down Migration
SELECT 1;
