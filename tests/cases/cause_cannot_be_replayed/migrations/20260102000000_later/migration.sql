ALTER TABLE x DROP COLUMN a, ADD COLUMN c text DEFAULT made_later();
DROP TABLE made_later_too, z;
DELETE FROM y WHERE id > 6 AND made_later() = 'x';
