-- +goose Up
DELETE FROM boats WHERE id > 7;

-- +goose Down
SELECT 1;
