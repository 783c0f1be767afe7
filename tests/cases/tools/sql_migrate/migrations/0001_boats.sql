-- +migrate Up
CREATE TABLE boats (id int PRIMARY KEY, name text);

-- +migrate Down
DROP TABLE boats;
