-- boats: two of one text are refused
BEGIN;
DROP TABLE boats;
COMMIT;
