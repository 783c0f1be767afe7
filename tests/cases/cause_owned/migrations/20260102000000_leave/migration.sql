-- what was handed on before stays
REASSIGN OWNED BY intern TO heir;
DROP OWNED BY intern;
DELETE FROM main WHERE id > 25;
DROP OWNED BY "etl user" CASCADE;
