-- Controls of bidirectional text, as the bytes of UTF-8: no other encoding of a server has them.
CREATE OR REPLACE TEMP MACRO marks() AS
    chr(1564) || chr(8234) || '-' || chr(8238) || chr(8294) || '-' || chr(8297);
CREATE OR REPLACE TEMP MACRO copy_marks(v) AS CASE
    WHEN NOT regexp_matches(v, '[' || marks() || ']') THEN v
    ELSE replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
         v,
         chr(1564), '\xd8\x9c'),
         chr(8234), '\xe2\x80\xaa'),
         chr(8235), '\xe2\x80\xab'),
         chr(8236), '\xe2\x80\xac'),
         chr(8237), '\xe2\x80\xad'),
         chr(8238), '\xe2\x80\xae'),
         chr(8294), '\xe2\x81\xa6'),
         chr(8295), '\xe2\x81\xa7'),
         chr(8296), '\xe2\x81\xa8'),
         chr(8297), '\xe2\x81\xa9') END;
-- A value as COPY writes it. Backslashes first, so that those of the other escapes stay single.
CREATE OR REPLACE TEMP MACRO copy_field(v) AS CASE
    WHEN v IS NULL THEN '\N'
    WHEN NOT regexp_matches(v, '[\\\x08-\x0d' || marks() || ']') THEN v
    ELSE copy_marks(replace(replace(replace(replace(replace(replace(replace(
         v, '\', '\\'), chr(10), '\n'), chr(9), '\t'), chr(13), '\r'),
         chr(8), '\b'), chr(12), '\f'), chr(11), '\v')) END
