CREATE TABLE "User" (id int PRIMARY KEY, email text, age int);
INSERT INTO "User" SELECT i, CASE WHEN i % 5 > 0 THEN 'u' || i END, i FROM generate_series(1, 20) i;
