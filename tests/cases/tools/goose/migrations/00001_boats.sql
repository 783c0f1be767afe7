-- +goose Up
CREATE TABLE boats (id int PRIMARY KEY, name text, hull text);

-- +goose Down
SELECT 1;
