DELETE FROM related_products WHERE product_id IN (1, 4);
ALTER TABLE related_products DROP CONSTRAINT related_products_related_id_fkey;
DELETE FROM products WHERE id = 3;
ALTER TABLE products ADD related_ids int[];
UPDATE products SET related_ids = '{2}' WHERE id = 1;
