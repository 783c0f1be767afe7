CREATE FUNCTION made_later() RETURNS text LANGUAGE sql AS $$SELECT 'x'::text$$;
CREATE TABLE made_later_too (id int);
