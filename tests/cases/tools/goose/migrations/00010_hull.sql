-- +goose Up
ALTER TABLE boats DROP COLUMN hull;

-- +goose Down
SELECT 1;
