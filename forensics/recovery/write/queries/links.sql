-- Which links are written? Owner, other, their place in the owner's list, whether a link may be
-- the cover, and whether the owner holds NULL. Asked of the case.
SELECT owner, other, place,
       CASE WHEN first = 1 AND NOT kept THEN 't' ELSE 'f' END AS cover,
       CASE WHEN blank THEN 't' ELSE 'f' END AS blank
  FROM (SELECT {owner} AS owner, {other} AS other, {kept} AS kept, {blank} AS blank,
               row_number() OVER (PARTITION BY {owner} ORDER BY {order}) AS place,
               row_number() OVER (PARTITION BY {owner} ORDER BY {primary} DESC, {order}) AS first
          FROM {rows}
         WHERE c.class = 'restorable' AND {owner} IS NOT NULL AND {other} IS NOT NULL{unfilled})
 ORDER BY owner, place
