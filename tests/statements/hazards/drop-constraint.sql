-- drop-constraint c
ALTER TABLE c DROP CONSTRAINT c_p_fkey;
