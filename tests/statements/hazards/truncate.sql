-- truncate p
-- truncate-cascade c
TRUNCATE p CASCADE;
