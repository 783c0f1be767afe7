BEGIN;
--
-- Raw SQL operation
--
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);
COMMIT;
