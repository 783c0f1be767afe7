-- truncate p
-- truncate-cascade c
TRUNCATE p CASCADE;

-- truncate c
TRUNCATE c;
