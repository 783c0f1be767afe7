-- drop-schema legacy.x
DROP SCHEMA legacy CASCADE;
