CREATE TABLE visits (id int PRIMARY KEY, at date NOT NULL);
CREATE TABLE archive (id int PRIMARY KEY, at date NOT NULL);
INSERT INTO visits SELECT i, date '2025-01-01' + i FROM generate_series(1, 50) i;
