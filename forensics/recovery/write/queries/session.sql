-- Under which settings do values mean what the backup's text means? And how long may a lock keep
-- the application waiting?
SET LOCAL client_encoding = 'UTF8';
SET LOCAL standard_conforming_strings = on;
SET LOCAL check_function_bodies = off;
SET LOCAL client_min_messages = warning;
SET LOCAL DateStyle = 'ISO, MDY';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL bytea_output = 'hex';
SET LOCAL lc_monetary = 'C';
SET LOCAL extra_float_digits = 3;
SET LOCAL xmloption = 'content';
SET LOCAL row_security = off;
SET LOCAL lock_timeout = '5s';
SELECT pg_catalog.set_config(
         'forensics.search_path', pg_catalog.current_setting('search_path'), true) AS its_own \gset
SET LOCAL search_path = '';
