-- add-check p
ALTER TABLE p ADD CHECK (id > 0);
