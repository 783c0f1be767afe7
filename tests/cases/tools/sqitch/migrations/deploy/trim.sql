-- trim: two of one text are refused
BEGIN;
DELETE FROM boats WHERE id = (SELECT max(id) FROM boats);
COMMIT;
