-- Which keys do restorable rows hold in some columns, as COPY text? (Asked of the case.)
SELECT DISTINCT concat_ws(chr(9), {texts}) FROM {rows}
 WHERE c.class = 'restorable' AND {filled}
