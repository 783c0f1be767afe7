CREATE TABLE clients (id int PRIMARY KEY, mail text);
INSERT INTO clients SELECT i, 'm' || i FROM generate_series(1, 11) i;
CREATE TABLE notes (id int PRIMARY KEY, body text);
INSERT INTO notes SELECT i, nullif('b' || i, 'b2') FROM generate_series(1, 6) i;
