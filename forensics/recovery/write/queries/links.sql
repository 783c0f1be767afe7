-- Which links are written? Owner, other, their place in the owner's list, whether a link may be
-- the cover, and whether the owner holds NULL; as COPY text. Asked of the case.
SELECT concat_ws(chr(9), copy_field(owner), copy_field(other), place,
                 CASE WHEN first = 1 AND NOT kept THEN 't' ELSE 'f' END,
                 CASE WHEN blank THEN 't' ELSE 'f' END)
  FROM (SELECT {owner} AS owner, {other} AS other, {kept} AS kept, {blank} AS blank,
               row_number() OVER (PARTITION BY {owner} ORDER BY {order}) AS place,
               row_number() OVER (PARTITION BY {owner} ORDER BY {primary} DESC, {order}) AS first
          FROM {rows}
         WHERE c.class = 'restorable' AND {owner} IS NOT NULL AND {other} IS NOT NULL{unfilled})
 ORDER BY owner, place
