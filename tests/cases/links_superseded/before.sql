CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);
CREATE TABLE groups (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE memberships (id int PRIMARY KEY, user_id int NOT NULL REFERENCES users, group_id int NOT NULL REFERENCES groups, role text);
INSERT INTO users SELECT i, 'u' || i || '@mail.example' FROM generate_series(1, 4) i;
INSERT INTO groups SELECT i, 'Group ' || i FROM generate_series(1, 3) i;
-- user 1 is in group 1 three times; user 2 in group 2 once, in group 1 once
INSERT INTO memberships VALUES (1, 1, 1, 'a'), (2, 1, 1, 'b'), (3, 1, 1, 'c'), (4, 2, 2, NULL), (5, 2, 1, NULL), (6, 3, 3, NULL), (7, 4, 3, NULL);
