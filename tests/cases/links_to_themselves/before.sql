CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE related_products (product_id int NOT NULL REFERENCES products, related_id int NOT NULL REFERENCES products, PRIMARY KEY (product_id, related_id));
INSERT INTO products SELECT i, 'Product ' || i FROM generate_series(1, 6) i;
INSERT INTO related_products VALUES (1, 2), (1, 3), (2, 1), (4, 4), (5, 6);
