CREATE TABLE x (id int PRIMARY KEY, a text, b text);
CREATE TABLE z (id int PRIMARY KEY);
CREATE TABLE y (id int PRIMARY KEY);
INSERT INTO x SELECT i, 'a' || i, 'b' FROM generate_series(1, 12) i;
INSERT INTO z SELECT generate_series(1, 8);
INSERT INTO y SELECT generate_series(1, 8);
