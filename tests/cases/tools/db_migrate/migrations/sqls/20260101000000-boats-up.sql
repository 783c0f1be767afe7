CREATE TABLE boats (id int PRIMARY KEY, name text);
INSERT INTO boats SELECT i, $$b$$ || i FROM generate_series(1, 9) i;
