-- add-foreign-key c id
-- on-delete-cascade c id
ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES p ON DELETE CASCADE;

-- on-delete-cascade n id
CREATE TABLE n (id int REFERENCES p ON DELETE CASCADE);
