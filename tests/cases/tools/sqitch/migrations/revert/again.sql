-- again: two of one text are refused
BEGIN;
SELECT 1;
COMMIT;
