-- truncate p
-- drop-cascade c
TRUNCATE p CASCADE;
