-- A value as COPY writes it. Backslashes first, so that those of the other escapes stay single.
CREATE OR REPLACE TEMP MACRO copy_field(v) AS CASE
    WHEN v IS NULL THEN '\N'
    WHEN NOT regexp_matches(v, '[\\\x08-\x0d]') THEN v
    ELSE replace(replace(replace(replace(replace(replace(replace(
         v, '\', '\\'), chr(10), '\n'), chr(9), '\t'), chr(13), '\r'),
         chr(8), '\b'), chr(12), '\f'), chr(11), '\v') END
