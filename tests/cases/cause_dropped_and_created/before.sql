CREATE TABLE prices (id int PRIMARY KEY, cents int NOT NULL);
CREATE TABLE kept (LIKE prices INCLUDING ALL);
INSERT INTO prices SELECT i, i * 100 FROM generate_series(1, 30) i;
INSERT INTO kept SELECT * FROM prices WHERE id <= 12;
