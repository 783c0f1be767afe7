-- type-change p t
-- table-rewrite p t
ALTER TABLE p ALTER t TYPE date;

-- nothing
ALTER TABLE p ALTER v TYPE varchar(40);

-- nothing
ALTER TABLE p ALTER v TYPE text USING v::text;

-- type-change p v
-- table-rewrite p v
ALTER TABLE p ALTER v TYPE text USING '';
