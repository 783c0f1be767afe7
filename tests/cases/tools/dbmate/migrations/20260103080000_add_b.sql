-- migrate:up
ALTER TABLE a ADD b int;

-- migrate:down
ALTER TABLE a DROP b;
