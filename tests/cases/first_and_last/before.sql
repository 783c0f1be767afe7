-- The first rows, the last, and rows beyond either end; half of a table; rows that are nothing but their key.
CREATE TABLE ends (id int PRIMARY KEY, v text); INSERT INTO ends SELECT i, 'v' FROM generate_series(-500, 500) i;
CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 40); INSERT INTO b SELECT generate_series(1, 40);
CREATE TABLE a_b (a_id int REFERENCES a, b_id int REFERENCES b, PRIMARY KEY (a_id, b_id)); INSERT INTO a_b SELECT a.id, b.id FROM a, b WHERE (a.id + b.id) % 3 = 0;
CREATE TABLE "_AToB" ("A" int NOT NULL REFERENCES a, "B" int NOT NULL REFERENCES b); CREATE UNIQUE INDEX "_AToB_AB_unique" ON "_AToB" ("A", "B"); INSERT INTO "_AToB" SELECT a_id, b_id FROM a_b;
CREATE TABLE renumbered (id int PRIMARY KEY, v text); INSERT INTO renumbered SELECT i, 'v' || i FROM generate_series(1, 400) i;
