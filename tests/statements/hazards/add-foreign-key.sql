-- nothing
ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES p NOT VALID;

-- add-foreign-key c p
-- add-check c
ALTER TABLE c VALIDATE CONSTRAINT c_p_fkey, VALIDATE CONSTRAINT other;
