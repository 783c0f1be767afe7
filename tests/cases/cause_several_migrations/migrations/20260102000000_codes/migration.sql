-- codes move out
ALTER TABLE goods DROP COLUMN code;
