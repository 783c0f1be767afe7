CREATE TABLE things (id int PRIMARY KEY, note text);
INSERT INTO things SELECT i, nullif('n' || i, 'n4') FROM generate_series(1, 9) i;
CREATE TABLE others (id int PRIMARY KEY, note text);
INSERT INTO others SELECT i, 'o' || i FROM generate_series(1, 9) i;
